"""Runs of sequences: how far each is, its journal, and who drives them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

sequence_runs = Table(
    "sequence_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("sequence", String(40), nullable=False),
    Column("definition", Text, nullable=False),
    Column("who", String(90), nullable=False),
    Column("note", String(500), nullable=True),
    Column("at", BigInteger, nullable=False),
    Column("phase", String(12), nullable=False),
    Column("progress", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=True),
    Column("wish", String(12), nullable=True),
    Column("wish_who", String(90), nullable=True),
    Index("ix_sequence_runs_ended", "mine", "ended"),
)
"""`definition`: the sequence as JSON, as it was when the run was asked for; `progress`: JSON; `seen`: when it was last
driven; `wish`: what a person wants of it (abort, pause, resume, repeat) and the driver has not yet done. Times µs
UTC."""

sequence_journal = Table(
    "sequence_journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run", Integer, ForeignKey("sequence_runs.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(12), nullable=False),
    Column("step", String(130), nullable=False),
    Column("command", Integer, nullable=False),
    Column("point", String(160), nullable=False),
    Column("value", Float(53), nullable=True),
    Column("outcome", String(10), nullable=False),
    Column("who", String(90), nullable=False),
    Column("zh", String(1000), nullable=False),
    Column("en", String(1000), nullable=False),
    Index("ix_sequence_journal_run", "run", "number"),
)
"""Only added to; a command stands here before it is given. `command`: its number in the run, 0: of none. Times µs
UTC."""

sequence_drivers = Table(
    "sequence_drivers",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("owner", String(80), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Which process drives the runs of a mine, and until when it may without saying so again (µs UTC)."""

sequence_rotations = Table(
    "sequence_rotations",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("rotation", String(40), primary_key=True),
    Column("runs", Boolean, nullable=False),
    Column("who", String(90), nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Whether a rotation starts and stops pumps by itself: not until a person has said so, and who last said what (µs
UTC)."""
