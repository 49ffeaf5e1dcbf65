"""Users and tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from middleplatform.database.metadata import metadata

users = Table(
    "users",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("password", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created", BigInteger, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(20), nullable=False),
    Column("user", String(40), ForeignKey("users.name"), nullable=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=True),
    Column("revoked", BigInteger, nullable=True),
)
"""`digest` is the hexadecimal sha256 of the token, which itself is nowhere kept; `user` is set on
tokens that a sign-in made; times are µs UTC, `expires` NULL for never."""
