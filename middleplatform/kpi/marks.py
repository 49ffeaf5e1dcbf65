"""How far the making of figures has come, and how it goes, kept beside the figures: whoever makes them next goes on
from there, and whoever shows them knows whether they are stale."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import delete, insert, select

from middleplatform.database import Place, connect
from middleplatform.database.tables.kpi import kpi_marks as table
from middleplatform.governance.turns import until_first

STATE = "state"
"""How it goes: see `middleplatform.kpi.state`."""


def mark(where: Place, mine: str, name: str, value: Any, at: int | None = None) -> None:
    """Keep a JSON value under a name. `at`: µs UTC, now by default."""
    facts = {"mine": mine, "name": name, "at": time.time_ns() // 1000 if at is None else at, "value": json.dumps(value)}

    def once() -> None:
        with connect(where).begin() as connection:
            connection.execute(delete(table).where(table.c.mine == mine, table.c.name == name))
            connection.execute(insert(table).values(facts))

    until_first(once)


def marked(where: Place, mine: str, name: str) -> tuple[int, Any] | None:
    """When it was kept and the value; None where there is none."""
    query = select(table.c.at, table.c.value).where(table.c.mine == mine, table.c.name == name)
    with connect(where).connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else (row.at, json.loads(row.value))
