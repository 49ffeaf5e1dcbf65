"""Alarms with their journal, and tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("extent", sa.Text, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=True),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("needed", sa.Integer, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_tickets_state", "tickets", ["mine", "state", "start"])
    op.create_table(
        "ticket_approvals",
        sa.Column("ticket", sa.Integer, sa.ForeignKey("tickets.id"), primary_key=True),
        sa.Column("who", sa.String(90), primary_key=True),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("mine", sa.String(12), nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(140), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("rule_version", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("statutory", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("latched", sa.Boolean, nullable=False),
        sa.Column("acknowledged", sa.Boolean, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Integer, nullable=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("memory", sa.Text, nullable=True),
        sa.UniqueConstraint("mine", "rule", "subject", name="uq_alarms_mine"),
    )
    op.create_index("ix_alarms_open", "alarms", ["mine", "active", "acknowledged"])
    op.create_table(
        "alarm_journal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alarm", sa.Integer, sa.ForeignKey("alarms.id"), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("value", sa.Float(53), nullable=True),
        sa.Column("quality", sa.Integer, nullable=True),
        sa.Column("who", sa.String(90), nullable=True),
        sa.Column("note", sa.String(500), nullable=True),
    )
    op.create_index("ix_alarm_journal_alarm", "alarm_journal", ["alarm", "number"])
    op.create_index("ix_alarm_journal_ts", "alarm_journal", ["ts"])
    op.create_table(
        "alarm_positions",
        sa.Column("consumer", sa.String(60), primary_key=True),
        sa.Column("stream", sa.String(20), primary_key=True),
        sa.Column("born", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "alarm_suppressions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("alarm", sa.Integer, sa.ForeignKey("alarms.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=True),
        sa.Column("ended", sa.BigInteger, nullable=True),
        sa.Column("ended_by", sa.String(90), nullable=True),
        sa.Column("ticket", sa.Integer, sa.ForeignKey("tickets.id"), nullable=True),
    )
    op.create_index("ix_alarm_suppressions_alarm", "alarm_suppressions", ["alarm", "ended"])
    op.create_table(
        "alarm_handlings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("raised", sa.Integer, sa.ForeignKey("alarm_journal.number"), nullable=False),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("measure", sa.String(500), nullable=False),
        sa.Column("who", sa.String(90), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_alarm_handlings_raised", "alarm_handlings", ["raised"])
