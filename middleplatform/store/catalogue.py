"""Which ids each gateway may send, and how long a point's value holds: taken from the site's files,
and again whenever they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.identity import MANUAL
from models.site.model import DEFAULT_SILENCE_S, Retention, Site

HOLDS = 2.0
"""A value holds for at most this many times its point's longest silence."""
DEFAULT_AGE = round(HOLDS * DEFAULT_SILENCE_S * 1e6)
"""µs for a point that the site does not name (any more)."""

_NONE = np.empty(0, np.uint64)


class Catalogue:
    """One site's ids, sorted: `points` uint64 and `age` int64 µs of equal length. Never changes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.code = site.code
        self.version = site.version
        ids = site.ids()
        ages = np.fromiter((round(HOLDS * p.silence_s * 1e6) for p in site.points), np.int64, len(ids))
        order = np.argsort(ids)
        self.points: NDArray[np.uint64] = ids[order]
        self.age: NDArray[np.int64] = ages[order]
        bulk = np.fromiter((p.retention is Retention.BULK for p in site.points), bool, len(ids))
        self.bulk: NDArray[np.uint64] = np.sort(ids[bulk])
        """Those that need not be kept as long as statutory ones."""
        of: dict[str, list[int]] = {}
        for point in site.points:
            of.setdefault(site.connections[point.connection].gateway, []).append(point.id)
        self._of = {gateway: np.sort(np.array(ids, np.uint64)) for gateway, ids in of.items()}
        self._tells: dict[str, set[str]] = {}
        for point in site.points:
            gateway = site.connections[point.connection].gateway
            self._tells.setdefault(f"{site.code}/{point.equipment}", set()).add(gateway)

    def gateways(self) -> tuple[str, ...]:
        return tuple(sorted(self._of))

    def of(self, gateway: str) -> NDArray[np.uint64]:
        """The ids that a gateway may send, sorted; none for a gateway that the site does not name. People may
        correct any."""
        if gateway == MANUAL:
            return self.points
        return self._of.get(gateway, _NONE)

    def may_tell(self, gateway: str, equipment: str) -> bool:
        """Whether a gateway may tell of events of `<mine code>/<equipment>`: it reads some of its points, or nobody
        reads any. People may tell of all that is in the mine."""
        tells = self._tells.get(equipment)
        return equipment.partition("/")[0] == self.code and (gateway == MANUAL or tells is None or gateway in tells)

    def ages(self, points: Sequence[int]) -> NDArray[np.int64]:
        """How long each point's value holds, µs, in the order asked."""
        asked = np.array(points, np.uint64)
        if not len(self.points):
            return np.full(len(asked), DEFAULT_AGE, np.int64)
        slot = np.minimum(np.searchsorted(self.points, asked), len(self.points) - 1)
        return np.where(self.points[slot] == asked, self.age[slot], DEFAULT_AGE).astype(np.int64)


def known(points: NDArray[np.uint64], ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of `points` are in the sorted `ids`."""
    if not len(ids):
        return np.zeros(len(points), bool)
    # Searching in rising order stays in the cache: sorting first is several times as fast.
    order = np.argsort(points)
    ordered = points[order]
    slot = np.minimum(np.searchsorted(ids, ordered), len(ids) - 1)
    found = np.empty(len(points), bool)
    found[order] = ids[slot] == ordered
    return found


class SiteFolder:
    """Watches a site's folder. `load` gives the site or raises."""

    def __init__(self, folder: Path, load: Callable[[Path], Site]) -> None:
        self._folder = folder
        self._load = load
        self._seen: frozenset[tuple[str, int, int]] | None = None

    def read(self) -> Catalogue | None:
        """The catalogue when a file has changed since it was last read, else None. Raises what `load`
        raises, once for each change."""
        now = self._state()
        if now == self._seen:
            return None
        self._seen = now
        return Catalogue(self._load(self._folder))

    def _state(self) -> frozenset[tuple[str, int, int]]:
        found = set()
        for path in self._folder.rglob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            found.add((str(path), facts.st_mtime_ns, facts.st_size))
        return frozenset(found)
