"""Since when an alarm waits for somebody, and who allowed that one is silent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("alarms", sa.Column("waits_since", sa.BigInteger, nullable=True))
    op.add_column("alarm_suppressions", sa.Column("allowed_by", sa.String(90), nullable=True))
