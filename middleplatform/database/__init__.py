"""The relational store: SQLite in the home folder, or PostgreSQL by URL, at the newest revision of its tables."""

from middleplatform.database.connect import SETTING, DatabaseError, Place, connect

__all__ = ["SETTING", "DatabaseError", "Place", "connect"]
