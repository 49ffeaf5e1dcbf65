"""The audit log, which the database itself lets nobody change by a slip: triggers refuse it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String(160), nullable=False),
    Column("origin", String(80), nullable=False),
    Column("what", String(40), nullable=False),
    Column("about", String(300), nullable=False),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=True),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_at", "at"),
)
"""See `middleplatform.audit.entry`. Times are µs UTC."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)
"""One row: the newest entry. Who appends holds it."""
