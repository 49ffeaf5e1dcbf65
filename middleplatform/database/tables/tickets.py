"""Tickets: exclusions, maintenance and what has to be approved, with reason, extent, time and who approved."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mine", String(12), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("extent", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=True),
    Column("who", String(90), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("closed_at", BigInteger, nullable=True),
    Column("cause", String(20), nullable=True),
    Index("ix_tickets_state", "mine", "state", "start"),
)
"""`kind`: exclusion, maintenance, approval, excluded_time; `state`: waiting, approved, rejected, withdrawn, closed;
`extent`: a JSON list of paths of points, equipment and chambers; `start`, `end`: for when it is asked (`end` NULL:
until it is closed); `needed`: how many have to approve; `closed_at`: when it was rejected, withdrawn or closed;
`cause`: why time is excluded. Times µs UTC."""

ticket_approvals = Table(
    "ticket_approvals",
    metadata,
    Column("ticket", Integer, ForeignKey("tickets.id"), primary_key=True),
    Column("who", String(90), primary_key=True),
    Column("decision", String(10), nullable=False),
    Column("note", String(500), nullable=True),
    Column("at", BigInteger, nullable=False),
)
"""One decision (approve, reject) a person. Times µs UTC."""
