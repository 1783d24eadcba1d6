"""What Alembic runs: the migrations, on the connection that `opening.py` hands over, in its transaction."""

from alembic import context

# SQLite rolls back changes of tables too, and the upgrade is one transaction: a kill leaves the old file.
context.configure(
    connection=context.config.attributes["connection"], render_as_batch=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
