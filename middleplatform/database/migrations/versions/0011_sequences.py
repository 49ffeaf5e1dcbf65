"""Runs of sequences with their journal, and who drives them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "sequence_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("sequence", sa.String(40), nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.String(12), nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=True),
        sa.Column("wish", sa.String(12), nullable=True),
        sa.Column("wish_who", sa.String(90), nullable=True),
    )
    op.create_index("ix_sequence_runs_ended", "sequence_runs", ["mine", "ended"])
    op.create_table(
        "sequence_journal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("sequence_runs.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(12), nullable=False),
        sa.Column("step", sa.String(130), nullable=False),
        sa.Column("command", sa.Integer, nullable=False),
        sa.Column("point", sa.String(160), nullable=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("zh", sa.String(1000), nullable=False),
        sa.Column("en", sa.String(1000), nullable=False),
    )
    op.create_index("ix_sequence_journal_run", "sequence_journal", ["run", "number"])
    op.create_table(
        "sequence_drivers",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
