"""Dictionaries that were loaded, each edition whole."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from middleplatform.database.metadata import metadata

dictionaries = Table(
    "dictionaries",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("edition", String(300), nullable=False),
    Column("effective_from", String(10), nullable=False),
    Column("source", String(300), nullable=False),
    Column("who", String(80), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("entries", Integer, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("kind", "digest"),
)
"""`version` counts from 1 for each kind (0 is the program's own, which is not here); `effective_from` is a day, ISO
8601; `body` a JSON list of rows; `entries` how many; `at` µs UTC."""
