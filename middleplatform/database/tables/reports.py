"""Reports that were made, by their verification codes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from middleplatform.database.metadata import metadata

kpi_reports = Table(
    "kpi_reports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("code", String(24), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("mines", Text, nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("shift", String(10), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("who", String(90), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Index("ix_kpi_reports_first", "first"),
)
"""`code`: of the content's `document`, whose SHA-256 is `digest`; `mines`: codes by commas; `sources`: JSON, the kept
days it was made of as [mine, section, day, revision, digest]. `made_at`: when it was first made, µs UTC."""

kpi_report_runs = Table(
    "kpi_report_runs",
    metadata,
    Column("schedule", String(60), primary_key=True),
    Column("period", String(40), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("code", String(24), nullable=False),
)
"""Which period of which entry of reports.yaml was made, so that a missed one is made up for and each is made once."""
