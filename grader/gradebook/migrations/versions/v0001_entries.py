"""The first version: entries, and how many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "entries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("student", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("salt", sa.String),
        sa.Column("body", sa.Text),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("head", sa.String, nullable=False),
    )
    op.execute(sa.text(f"INSERT INTO chain VALUES (1, 0, '{'0' * 64}')"))  # noqa: S608 a constant
