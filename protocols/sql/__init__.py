"""Rows of a database's view, by rising key or time."""

from protocols.sql.adapter import Sql

__all__ = ["Sql"]
