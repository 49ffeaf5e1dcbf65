"""Versions of the site, and each of its parts from the version that made it to the one that changed it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from middleplatform.database.metadata import metadata

site_versions = Table(
    "site_versions",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(32), nullable=False),
    Column("number", BigInteger, nullable=True),
    Column("who", String(80), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", String(500), nullable=False),
    Column("back_to", BigInteger, nullable=True),
    UniqueConstraint("mine", "number"),
)
"""`version` counts from 1 for each mine; `digest` is that of the site's files; `number` that of the version on the
bus, NULL for files that were never published; `at` µs UTC; `back_to` the number of the version whose content it is."""

site_parts = Table(
    "site_parts",
    metadata,
    Column("mine", String(12), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("name", String(140), primary_key=True),
    Column("since", Integer, primary_key=True, autoincrement=False),
    Column("until", Integer, nullable=True),
    Column("body", Text, nullable=False),
    Index("ix_site_parts_since", "mine", "since"),
    Index("ix_site_parts_until", "mine", "until"),
)
"""A part (`middleplatform.governance.parts`) as it is from version `since` to before `until` (NULL: still); `body` is
JSON with sorted keys."""
