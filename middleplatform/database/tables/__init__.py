"""The tables, one module a concept. A change of a table comes with a revision in `migrations/versions`."""

from middleplatform.database.tables import (
    access,
    alarms,
    audit,
    dictionaries,
    kpi,
    manual,
    reports,
    sequences,
    shifts,
    sites,
    tickets,
)

__all__ = [
    "access",
    "alarms",
    "audit",
    "dictionaries",
    "kpi",
    "manual",
    "reports",
    "sequences",
    "shifts",
    "sites",
    "tickets",
]
