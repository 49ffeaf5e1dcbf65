"""The last check-ins of chambers, out of the store: events of patrols, and cards that the readers saw."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from middleplatform.patrols.overdue import KIND, looked_back_s
from middleplatform.store.client import StoreClient
from models.quality import is_good
from models.site.model import Site

SPANS = 400
"""Into how many spans what a reader told is counted: only the last one in which somebody was seen is read."""
SAMPLED = 100
"""Points of the mine that are asked whether anything was kept, where those of the chambers say nothing."""
MOST_ROWS = 100_000
MOST_EVENTS = 1_000
"""Check-ins of a chamber that are read at once, the newest."""
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Checkins:
    """`last`: chamber → when somebody was last there; `kept`: from when on the store keeps anything of the mine, or a
    time before it. µs UTC."""

    last: dict[str, int] = field(default_factory=dict)
    kept: int = 0


def last_checkins(store: StoreClient, site: Site, now: int) -> Checkins:
    """As far back as matters. Raises StoreError."""
    if not site.chambers:
        return Checkins()
    begin = now - round(looked_back_s(site) * 1e6)
    found = _events(store, site, begin, now)
    for chamber, ts in _seen(store, site, begin, now).items():
        found[chamber] = max(ts, found.get(chamber, ts))
    # Only of a chamber without a check-in does it matter whether one could have been heard.
    return Checkins(found, begin if found.keys() >= site.chambers.keys() else _kept(store, site, begin, now))


def _kept(store: StoreClient, site: Site, begin: int, now: int) -> int:
    """From when on the store keeps anything: `begin` where it did before that, `now` where it keeps nothing."""
    ids = {point.path: point.id for point in site.points}
    own = sorted({ids[path] for each in site.chambers.values() for path in each.points() if path in ids})
    every = sorted(ids.values())
    asked = [points for points in (own, every[:: -(-len(every) // SAMPLED) or 1]) if points]
    if any(store.instant(points, begin).num_rows for points in asked):
        return begin
    width = max(SECOND, -(-(now - begin) // SPANS))
    for points in asked:
        ends = store.tally(points, begin, now, width)["ts"].to_numpy()
        if len(ends):
            return int(ends.min()) - width
    return now


def _events(store: StoreClient, site: Site, begin: int, now: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for chamber in site.chambers.values():
        if not chamber.equipment:
            continue
        told = _newest(store, sorted(chamber.equipment), begin, now + 1)
        pairs = zip(*(told[name].to_pylist() for name in ("start", "end")), strict=True)
        times = [end if end is not None and end <= now else start for start, end in pairs]
        if times:
            found[chamber.id] = max(times)
    return found


def _newest(store: StoreClient, equipment: list[str], low: int, high: int) -> pa.Table:
    """The newest check-ins of a range: it is halved until what is asked for is not cut."""
    while True:
        told = store.events(equipment, KIND, low, high, MOST_EVENTS)
        if told.num_rows < MOST_EVENTS or high - low < SECOND:
            return told
        middle = (low + high) // 2
        if store.events(equipment, KIND, middle, high, 1).num_rows:
            low = middle
        else:
            high = middle


def _seen(store: StoreClient, site: Site, begin: int, now: int) -> dict[str, int]:
    ids = {point.path: point.id for point in site.points}
    readers = {ids[each.presence]: each.id for each in site.chambers.values() if each.presence in ids}
    if not readers:
        return {}
    width = max(SECOND, -(-(now - begin) // SPANS))
    spans = store.tally(sorted(readers), begin, now, width)
    point, end, most = (spans[name].to_numpy() for name in ("point", "ts", "max"))
    somebody = most >= 1
    found: dict[str, int] = {}
    for number, chamber in readers.items():
        ends = end[somebody & (point == np.uint64(number))]
        if not len(ends):
            continue
        upto = int(ends.max())
        rows = store.raw([number], upto - width + 1, upto + 1, MOST_ROWS)
        ts, value, code = (rows[name].to_numpy() for name in ("ts", "value", "quality"))
        there = ts[is_good(code) & (value >= 1)]
        found[chamber] = min(int(there.max()) if len(there) else upto, now)
    return found
