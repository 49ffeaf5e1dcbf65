"""Which days were received from a mine, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("kpi_days", sa.Column("received_at", sa.BigInteger, nullable=True))
