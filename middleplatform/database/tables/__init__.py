"""The tables, one module a concept. A change of a table comes with a revision in `migrations/versions`."""

from middleplatform.database.tables import access, audit, dictionaries, manual, sites

__all__ = ["access", "audit", "dictionaries", "manual", "sites"]
