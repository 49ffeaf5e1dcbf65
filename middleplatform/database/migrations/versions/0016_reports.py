"""Reports by their verification codes, and which of them the schedule has made."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "kpi_reports",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("mines", sa.Text, nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("last", sa.String(10), nullable=False),
        sa.Column("shift", sa.String(10), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.UniqueConstraint("code", name="uq_kpi_reports_code"),
    )
    op.create_index("ix_kpi_reports_first", "kpi_reports", ["first"])
    op.create_table(
        "kpi_report_runs",
        sa.Column("schedule", sa.String(60), primary_key=True),
        sa.Column("period", sa.String(40), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
    )
