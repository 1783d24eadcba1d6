"""Marks are found by their content, and entries by student and name.

SQLite cannot add a constraint to a table: Alembic's batch mode makes a new one, copies all rows and puts it
in the place of the old one.
"""

import json

import sqlalchemy as sa
from alembic import op

from grader.gradebook.records import ContentKey

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column with its index, and fills it from the marks that are there."""
    with op.batch_alter_table("entries", recreate="always") as batch:
        batch.add_column(sa.Column("content", sa.String))
        batch.create_check_constraint("from_one", "number > 0")
        batch.create_index("entries_by_content", ["content"])
        batch.create_index("entries_by_name", ["name"])
        batch.create_index("entries_by_student", ["student"])
    entries = sa.table("entries", *(sa.column(name) for name in ("number", "kind", "body", "content")))
    connection = op.get_bind()
    key = sa.func.json_extract(entries.c.body, "$.key")
    marks = connection.execute(
        sa.select(entries.c.number, key).where(entries.c.kind == "mark", entries.c.body.is_not(None))
    )
    for number, text in marks.all():
        content = ContentKey.model_validate(json.loads(text)).digest
        connection.execute(sa.update(entries).where(entries.c.number == number).values(content=content))
