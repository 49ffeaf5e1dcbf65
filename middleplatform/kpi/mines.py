"""What is known of each mine whose figures are kept: its name, its size, and whether its belts are run centrally."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from middleplatform.database import Place, connect
from middleplatform.database.tables.kpi import kpi_mines as table
from middleplatform.governance.turns import until_first
from models.site.model import Name


@dataclass(frozen=True, slots=True)
class Mine:
    """`capacity_kt`: approved output, thousand tonnes a year; `gas_class`: as its site says; `belt_central`: whether
    its belts are run from one control room. None where nobody said. `updated`: when it was last said, µs UTC."""

    mine: str
    name: Name
    capacity_kt: float | None
    gas_class: str | None
    time_zone: str
    belt_central: bool | None
    updated: int


def mines(where: Place) -> list[Mine]:
    """All that are kept, in the order of their codes."""
    with connect(where).connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.mine)).all()
    return [
        Mine(r.mine, Name(r.name_zh, r.name_en), r.capacity_kt, r.gas_class, r.time_zone, r.belt_central, r.updated)
        for r in rows
    ]


def keep_mine(
    where: Place,
    mine: str,
    name: Name,
    time_zone: str,
    capacity_kt: float | None = None,
    gas_class: str | None = None,
    belt_central: bool | None = None,
    at: int | None = None,
) -> None:
    """Let this be what is known of a mine. `at`: when it was said, µs UTC, now by default."""
    said: dict[str, Any] = {
        "name_zh": name.zh,
        "name_en": name.en,
        "capacity_kt": capacity_kt,
        "gas_class": gas_class,
        "time_zone": time_zone,
        "belt_central": belt_central,
    }

    def once() -> None:
        with connect(where).begin() as connection:
            known = connection.execute(select(table).where(table.c.mine == mine)).first()
            same = known is not None and all(getattr(known, key) == value for key, value in said.items())
            if known is not None and same and (at is None or at <= known.updated):
                return
            connection.execute(delete(table).where(table.c.mine == mine))
            updated = time.time_ns() // 1000 if at is None else at
            connection.execute(insert(table).values(mine=mine, updated=updated, **said))

    until_first(once)
