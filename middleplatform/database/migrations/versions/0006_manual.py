"""Values and events that people entered or corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "manual_entries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(140), nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=True),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("was", sa.Text, nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("decided_by", sa.String(90), nullable=True),
        sa.Column("decided_at", sa.BigInteger, nullable=True),
        sa.Column("decision", sa.String(500), nullable=True),
        sa.Column("number", sa.BigInteger, nullable=True),
        sa.Column("kept", sa.BigInteger, nullable=True),
        sa.Column("published", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("number", name="uq_manual_entries_number"),
    )
    op.create_index("ix_manual_entries_subject", "manual_entries", ["mine", "subject", "start"])
    op.create_index("ix_manual_entries_state", "manual_entries", ["mine", "state"])
    op.create_table(
        "manual_samples",
        sa.Column("entry", sa.Integer, sa.ForeignKey("manual_entries.id"), primary_key=True),
        sa.Column("ts", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("quality", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=True),
        sa.Column("was_value", sa.Float(53), nullable=True),
        sa.Column("was_quality", sa.Integer, nullable=True),
        sa.Column("was_text", sa.Text, nullable=True),
    )
