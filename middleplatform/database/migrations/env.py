"""Run by Alembic: revisions apply to the connection that `migrate.upgrade` gives."""

from alembic import context

from middleplatform.database import tables  # noqa: F401 - they register themselves
from middleplatform.database.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
