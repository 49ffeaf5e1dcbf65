"""The shift log, hand-overs, and whether rotations of pumps run by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "sequence_rotations",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("rotation", sa.String(40), primary_key=True),
        sa.Column("runs", sa.Boolean, nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "shift_entries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("shift", sa.String(60), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("subject", sa.String(140), nullable=True),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("corrects", sa.Integer, sa.ForeignKey("shift_entries.id"), nullable=True),
    )
    op.create_index("ix_shift_entries_shift", "shift_entries", ["mine", "day", "shift"])
    op.create_table(
        "shift_handovers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("shift", sa.String(60), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("goes", sa.String(90), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("open", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("comes", sa.String(90), nullable=True),
        sa.Column("taken", sa.BigInteger, nullable=True),
        sa.Column("remarks", sa.Text, nullable=True),
    )
    op.create_index("ix_shift_handovers_at", "shift_handovers", ["mine", "at"])
