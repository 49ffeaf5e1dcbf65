"""The shift log, and how one shift hands over to the next."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

shift_entries = Table(
    "shift_entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("day", String(10), nullable=False),
    Column("shift", String(60), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(90), nullable=False),
    Column("subject", String(140), nullable=True),
    Column("words", Text, nullable=False),
    Column("corrects", Integer, ForeignKey("shift_entries.id"), nullable=True),
    Index("ix_shift_entries_shift", "mine", "day", "shift"),
)
"""Only added to: what was wrong is corrected by another entry (`corrects`). `day`: the local date on which the shift
began; `shift`: its name in Chinese; `subject`: the path of the equipment or point that it is about. Times µs UTC."""

shift_handovers = Table(
    "shift_handovers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("day", String(10), nullable=False),
    Column("shift", String(60), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("goes", String(90), nullable=False),
    Column("words", Text, nullable=False),
    Column("open", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("comes", String(90), nullable=True),
    Column("taken", BigInteger, nullable=True),
    Column("remarks", Text, nullable=True),
    Index("ix_shift_handovers_at", "mine", "at"),
)
"""`goes` signed at `at`, `comes` at `taken`; `open`: JSON of what was open when it was offered; `state`: offered,
taken, withdrawn. Times µs UTC."""
