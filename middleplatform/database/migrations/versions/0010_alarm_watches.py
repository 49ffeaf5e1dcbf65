"""The process that judges alarms: its generation, round and memory."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "alarm_watches",
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("round", sa.BigInteger, nullable=False),
        sa.Column("memory", sa.Text, nullable=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
