"""The tables of a gradebook, as the newest migration leaves them.

`entries` is the truth and is only appended to; what it has of a student who is forgotten is erased. `chain`
has one row: how many entries there are and the hash of the last, so that missing ones at the end are noticed.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, String, Table, Text

FILE = "gradebook.db"
LOCK = "gradebook.lock"
LATEST = "0002"  # the revision in migrations/versions that these tables are

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("kind", String, nullable=False),  # records.KINDS
    Column("at", String, nullable=False),  # ISO 8601, UTC
    Column("run", String, nullable=False),  # the run's id; empty between runs
    Column("student", String, nullable=False),  # the key; empty where it is about no one student
    Column("name", String, nullable=False),  # what it is filed under, if anything
    Column("salt", String),  # 32 hex digits; NULL when erased
    Column("body", Text),  # canonical JSON; NULL when erased
    Column("digest", String, nullable=False),  # over student, name, salt and body
    Column("hash", String, nullable=False),  # over the hash before, kind, at, run and digest
    Column("content", String),  # of marks: the digest of the ContentKey, to find a stored mark by
    CheckConstraint("number > 0", name="from_one"),
)
Index("entries_by_content", entries.c.content)
Index("entries_by_name", entries.c.name)
Index("entries_by_student", entries.c.student)

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("entries", Integer, nullable=False),
    Column("head", String, nullable=False),
)
