"""What people entered or corrected by hand, each as a version with user, reason and approval."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

manual_entries = Table(
    "manual_entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("subject", String(140), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=True),
    Column("body", Text, nullable=True),
    Column("was", Text, nullable=True),
    Column("reason", String(500), nullable=False),
    Column("who", String(90), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("decided_by", String(90), nullable=True),
    Column("decided_at", BigInteger, nullable=True),
    Column("decision", String(500), nullable=True),
    Column("number", BigInteger, nullable=True, unique=True),
    Column("kept", BigInteger, nullable=True),
    Column("published", BigInteger, nullable=True),
    Index("ix_manual_entries_subject", "mine", "subject", "start"),
    Index("ix_manual_entries_state", "mine", "state"),
)
"""`kind`: value or event; `subject`: a point's path or `<mine code>/<equipment>`; `start`, `end`: of its samples (both
included) or of the event (`end` NULL: it lasts); `body`, `was`: JSON of an event, now and before; `state`: waiting,
approved, rejected, withdrawn; `number`: of the batch that carries it; `kept`: when what was there before had been
kept, `published`: when the bus had it on disk. Times µs UTC."""

manual_samples = Table(
    "manual_samples",
    metadata,
    Column("entry", Integer, ForeignKey("manual_entries.id"), primary_key=True),
    Column("ts", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Float(53), nullable=True),
    Column("quality", Integer, nullable=False),
    Column("text", Text, nullable=True),
    Column("was_value", Float(53), nullable=True),
    Column("was_quality", Integer, nullable=True),
    Column("was_text", Text, nullable=True),
)
"""`value` NULL: none (a sample that is declared bad); `was_*`: what the store had when the entry was published,
`was_quality` NULL: nothing."""
