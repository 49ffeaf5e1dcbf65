"""The last check-ins of chambers, out of the store: events of patrols, and cards that the readers saw."""

from __future__ import annotations

import numpy as np

from middleplatform.patrols.overdue import KIND
from middleplatform.store.client import StoreClient
from models.patrol import Chamber
from models.quality import is_good
from models.site.model import Site

BACK = 2.0
"""How far back is looked, in intervals of the plan: what is older is overdue in any case."""
MOST_ROWS = 500_000
MOST_EVENTS = 10_000


def last_checkins(store: StoreClient, site: Site, now: int) -> dict[str, int]:
    """Chamber → when somebody was last there (µs UTC), as far back as matters. Raises StoreError."""
    if not site.chambers:
        return {}
    reach = max(plan.every_s for chamber in site.chambers.values() for plan in chamber.plans)
    begin = now - round(BACK * reach * 1e6)
    found = _events(store, site, begin, now)
    for chamber, ts in _seen(store, site, begin, now).items():
        found[chamber] = max(ts, found.get(chamber, ts))
    return found


def _events(store: StoreClient, site: Site, begin: int, now: int) -> dict[str, int]:
    of = {path: chamber.id for chamber in site.chambers.values() for path in chamber.equipment}
    told = store.events(sorted(of), KIND, begin, now + 1, MOST_EVENTS)
    found: dict[str, int] = {}
    for equipment, start, end in zip(*(told[name].to_pylist() for name in ("equipment", "start", "end")), strict=True):
        chamber = of[equipment]
        found[chamber] = max(found.get(chamber, 0), end if end is not None and end <= now else start)
    return found


def _seen(store: StoreClient, site: Site, begin: int, now: int) -> dict[str, int]:
    ids = {point.path: point.id for point in site.points}
    readers: dict[int, Chamber] = {ids[each.presence]: each for each in site.chambers.values() if each.presence in ids}
    if not readers:
        return {}
    rows = store.raw(sorted(readers), begin, now + 1, MOST_ROWS)
    point, ts, value, code = (rows[name].to_numpy() for name in ("point", "ts", "value", "quality"))
    there = is_good(code) & (value >= 1)
    point, ts = point[there], ts[there]
    last = {chamber.id: ts[point == np.uint64(number)] for number, chamber in readers.items()}
    return {name: int(found.max()) for name, found in last.items() if len(found)}
