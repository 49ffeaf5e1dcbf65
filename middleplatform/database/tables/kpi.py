"""What is kept of a mine's figures: by day and section with all their revisions, their times for fast sums, and what is
known of each mine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from middleplatform.database.metadata import metadata

kpi_days = Table(
    "kpi_days",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("section", String(20), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("provisional", Boolean, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("superseded_at", BigInteger, nullable=True),
    Column("rules", String(60), nullable=False),
    Column("rules_digest", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("program", String(40), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("evidence", LargeBinary, nullable=True),
    Column("received_at", BigInteger, nullable=True),
)
"""`document`: canonical JSON, `digest` its SHA-256; `provisional`: of a day that is not over, rewritten in place until
it is; `superseded_at`: None of the newest. `evidence`: what `middleplatform/kpi/evidence.py` wrote. `received_at`: when
it came from another platform, which alone says when it was made; None of what was made here. Times µs UTC."""

kpi_categories = Table(
    "kpi_categories",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("category", String(40), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("intelligent", BigInteger, nullable=False),
    Column("by_hand", BigInteger, nullable=False),
    Column("open", BigInteger, nullable=False),
    Column("blind", BigInteger, nullable=False),
    Column("blind_by_hand", BigInteger, nullable=False),
    Column("unsure", BigInteger, nullable=False),
    Column("unsure_by_hand", BigInteger, nullable=False),
    Column("unsure_idle", BigInteger, nullable=False),
    Column("excluded", BigInteger, nullable=False),
    Column("excluded_intelligent", BigInteger, nullable=False),
    Column("excluded_by_hand", BigInteger, nullable=False),
    Column("calendar", BigInteger, nullable=False),
    Index("ix_kpi_categories_day", "day"),
    sqlite_with_rowid=False,
)
"""The times (µs) of all units of a category, of the newest revision of each day's utilisation; lying in the order in
which they are summed."""

kpi_mines = Table(
    "kpi_mines",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("name_zh", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("capacity_kt", Float, nullable=True),
    Column("gas_class", String(20), nullable=True),
    Column("time_zone", String(60), nullable=False),
    Column("belt_central", Boolean, nullable=True),
    Column("updated", BigInteger, nullable=False),
)
"""`capacity_kt`: thousand tonnes a year; `belt_central`: whether its belts are run from one control room; None where
nobody said. `updated`: when it was last said, µs UTC."""

kpi_sites = Table(
    "kpi_sites",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("version", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The site as figures were made by it, from `since` (µs UTC) on: see `middleplatform/kpi/sites.py`."""

kpi_marks = Table(
    "kpi_marks",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
)
"""How far the making of figures has come, and how it goes: JSON, written at `at` (µs UTC). See
`middleplatform/kpi/marks.py`."""
