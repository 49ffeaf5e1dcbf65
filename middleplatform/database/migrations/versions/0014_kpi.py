"""The figures of a mine by day and section, their times by category, what is known of each mine, its site as it was,
and how far the making of figures has come."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "kpi_days",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("section", sa.String(20), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("superseded_at", sa.BigInteger, nullable=True),
        sa.Column("rules", sa.String(60), nullable=False),
        sa.Column("rules_digest", sa.String(64), nullable=False),
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=True),
    )
    counted = ("intelligent", "by_hand", "open", "blind", "blind_by_hand")
    times = (*counted, "unsure", "unsure_by_hand", "unsure_idle", "excluded", "excluded_intelligent",
             "excluded_by_hand", "calendar")  # fmt: skip
    op.create_table(
        "kpi_categories",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("category", sa.String(40), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in times),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_kpi_categories_day", "kpi_categories", ["day"])
    op.create_table(
        "kpi_mines",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("name_zh", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("capacity_kt", sa.Float, nullable=True),
        sa.Column("gas_class", sa.String(20), nullable=True),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("belt_central", sa.Boolean, nullable=True),
        sa.Column("updated", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kpi_sites",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kpi_marks",
        sa.Column("mine", sa.String(12), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
