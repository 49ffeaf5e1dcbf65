"""Why time is left out of figures."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("cause", sa.String(20), nullable=True))
