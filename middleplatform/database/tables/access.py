"""Users, tokens, sign-ins that failed, and what a mine changes of the policy."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from middleplatform.database.metadata import metadata

users = Table(
    "users",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("password", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("scope", Text, nullable=True),
    Column("must_change", Boolean, nullable=False, server_default=false()),
)
"""`scope` as `middleplatform.access.scope` writes it, NULL for everything; `must_change`: the password is one that
somebody else set, and opens nothing but its own change."""

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
    Column("scope", Text, nullable=True),
    Column("maker", String(40), nullable=True),
)
"""`digest` is the hexadecimal sha256 of the token, which itself is nowhere kept; `user` is set on
tokens that a sign-in made, `maker` on those that a user made for others, whose own scope then bounds them too;
times are µs UTC, `expires` NULL for never."""

failures = Table(
    "sign_in_failures",
    metadata,
    Column("user", String(80), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
)
"""Sign-ins that failed in a row under a name, whether there is a user of that name or not. Times are µs UTC;
`locked_until` 0 for not locked."""

bus_keys = Table(
    "bus_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user", String(40), nullable=False),
    Column("public", String(60), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("revoked", BigInteger, nullable=True),
    Index("ix_bus_keys_user", "user"),
)
"""Credentials with which users hear the bus: `public` is the nkey's public half, the other is nowhere kept. A key
outlives its user revoked, for the record. Times are µs UTC."""

policies = Table(
    "policies",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("text", Text, nullable=False),
    Column("author", String(80), nullable=False),
    Column("created", BigInteger, nullable=False),
)
"""The versions of the mine's own changes to the policy, as YAML; the last one holds."""
