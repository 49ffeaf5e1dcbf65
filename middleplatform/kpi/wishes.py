"""Days that somebody wishes to be made again: kept until they are, whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from middleplatform.database import Place
from middleplatform.kpi.marks import mark, marked

_NAME = "remake"


def wish(where: Place, mine: str, days: Iterable[date]) -> None:
    """Add to what is wished for."""
    mark(where, mine, _NAME, sorted({*(day.isoformat() for day in wished(where, mine)), *map(date.isoformat, days)}))


def wished(where: Place, mine: str) -> set[date]:
    """All that is wished for and not made yet."""
    known = marked(where, mine, _NAME)
    return set() if known is None else {date.fromisoformat(day) for day in known[1]}


def granted(where: Place, mine: str, days: set[date]) -> None:
    """These were made; what was wished for meanwhile stays."""
    if days:
        mark(where, mine, _NAME, sorted(day.isoformat() for day in wished(where, mine) - days))
