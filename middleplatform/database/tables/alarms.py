"""Alarms: the condition of each, the journal of what happened to it, and how far the streams were judged."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from middleplatform.database.metadata import metadata

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("subject", String(140), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("statutory", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("latched", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("cause", Integer, nullable=True),
    Column("level", Integer, nullable=False),
    Column("memory", Text, nullable=True),
    Column("waits_since", BigInteger, nullable=True),
    Unique("mine", "rule", "subject"),
    Index("ix_alarms_open", "mine", "active", "acknowledged"),
)
"""One row for each rule and what it judges (`subject`: a point's path or `<mine code>/<equipment>`), from when it first
spoke. `active`, `latched` and `memory` (JSON: delays, hysteresis, counts) are the engine's, `acknowledged` is the
operator's, so that neither overwrites the other; `since`: the source's time of the last raise; `cause`: the id of the
alarm whose consequence this one is (no foreign key: it may be the younger row, and rows are restored by their ids);
`level` of escalation, from 0; `waits_since`: the source's time of the first raise that nobody acknowledged yet, which
later raises do not move. Times µs UTC."""

alarm_journal = Table(
    "alarm_journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("alarm", Integer, ForeignKey("alarms.id"), nullable=False),
    Column("what", String(20), nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("value", Float(53), nullable=True),
    Column("quality", Integer, nullable=True),
    Column("who", String(90), nullable=True),
    Column("note", String(500), nullable=True),
    Index("ix_alarm_journal_alarm", "alarm", "number"),
    Index("ix_alarm_journal_ts", "ts"),
)
"""Only added to. `ts`: when it happened, by the source; `at`: when it was written here; `late`: it came too late to be
announced; `who`, `note`: of acts by people. Times µs UTC."""

alarm_positions = Table(
    "alarm_positions",
    metadata,
    Column("consumer", String(60), primary_key=True),
    Column("stream", String(20), primary_key=True),
    Column("born", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""The last message of a stream whose judgement is in the tables: it moves in the transaction that writes them. `born`:
when the stream was made (µs UTC), because one that is made anew, as after a restore, counts from 1 again."""

alarm_watches = Table(
    "alarm_watches",
    metadata,
    Column("consumer", String(60), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("memory", Text, nullable=True),
    Column("at", BigInteger, nullable=False),
)
"""The process that judges as a consumer: `generation` counts its starts, so that of two that run the older one finds
out; `round` counts what it kept, so that a commit whose answer was lost is not made twice; `memory`: what the engine
needs to go on from the positions (base64). Times µs UTC."""

alarm_watched = Table(
    "alarm_watched",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
)
"""When the alarms of a mine were judged without a break, by the times at which the bus took what was judged: outside of
these no alarm does not mean that there was nothing. Times µs UTC."""

alarm_suppressions = Table(
    "alarm_suppressions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alarm", Integer, ForeignKey("alarms.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("who", String(90), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=True),
    Column("ended", BigInteger, nullable=True),
    Column("ended_by", String(90), nullable=True),
    Column("ticket", Integer, ForeignKey("tickets.id"), nullable=True),
    Column("allowed_by", String(90), nullable=True),
    Index("ix_alarm_suppressions_alarm", "alarm", "ended"),
)
"""`kind`: shelved, by_design, out_of_service; `until` NULL: no end is set, which shelving and statutory
alarms always have; `ended`: taken back earlier; `allowed_by`: the second person, of statutory alarms. Times µs UTC."""

alarm_handlings = Table(
    "alarm_handlings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("raised", Integer, ForeignKey("alarm_journal.number"), nullable=False),
    Column("cause", String(500), nullable=False),
    Column("measure", String(500), nullable=False),
    Column("who", String(90), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("result", String(500), nullable=True),
    Index("ix_alarm_handlings_raised", "raised"),
)
"""Why it came to a raise, what was done about it and what came of it; several for one raise when more was done. Times
µs UTC."""
