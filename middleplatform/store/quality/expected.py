"""Since when something is expected of each point. Before, its silence says nothing of the data: no site named it, or
the gateway that it belongs to had never been there.

A point is expected from the moment at which the store knew it and had heard of its gateway, the later of both; and
from its first sample where that is older (a backfill, a gateway that collected before anybody listened). A point that
never answers is expected all the same. What a person enters by hand for a time before makes nothing expected.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import Engine
from models.identity import MANUAL_FLOOR

NEVER = int(np.iinfo(np.int64).max)
"""Of a point of which nothing is expected yet."""
_ROWS = pa.schema([("point", pa.uint64()), ("since", pa.int64()), ("ver", pa.uint64())])
_KNOWN = "SELECT point, since FROM expected FINAL"
_FIRST = f"SELECT point, min(ts) AS since FROM samples WHERE ver < {MANUAL_FLOOR} GROUP BY point"  # noqa: S608

Ids = NDArray[np.uint64]
Times = NDArray[np.int64]


class Expected:
    """Of the points of one catalogue after the other; from any thread. `clock`: UTC, µs."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        """Raises EngineError."""
        self._engine, self._clock = engine, clock
        self._lock = threading.Lock()
        self._unwritten: list[tuple[Ids, Times]] = []
        kept = engine.query(_KNOWN)
        if not kept.num_rows:  # a store of an older release, or one whose gateways never came
            kept = engine.query(_FIRST)
            if kept.num_rows:
                self._unwritten.append((kept.column("point").to_numpy(), kept.column("since").to_numpy()))
        self._kept = dict(zip(kept.column("point").to_pylist(), kept.column("since").to_pylist(), strict=True))
        self._adopt(catalogue)
        self.flush()

    def adopt(self, catalogue: Catalogue) -> None:
        """Go by another catalogue from now on: what it adds is expected now where its gateway is there. Raises
        EngineError."""
        with self._lock:
            self._adopt(catalogue)
        self.flush()

    def _adopt(self, catalogue: Catalogue) -> None:
        self._points = catalogue.points
        since = (self._kept.get(point, NEVER) for point in self._points.tolist())
        self._since: Times = np.fromiter(since, np.int64, len(self._points))
        self._of = {name: np.searchsorted(self._points, catalogue.of(name)) for name in catalogue.gateways()}
        self._waiting: set[str] = set(self._of)
        """Gateways that were never there."""
        self._look()

    def heard(self, gateway: str) -> None:
        """A gateway gives a sign of life."""
        if gateway in self._waiting:
            with self._lock:
                self._begin(gateway)

    def first(self, point: Ids, ts: Times, ver: NDArray[np.uint64]) -> None:
        """These samples of the catalogue's points are about to be written. Raises EngineError; then they must not."""
        with self._lock:
            # Nearly always everything was expected before.
            if len(ts) and (self._waiting or int(ts.min()) < self._newest):
                # Of a million samples few are of points that are expected only later.
                later = self._points[self._since > int(ts.min())]
                told = np.isin(point, later) & (ver < MANUAL_FLOOR)
                earliest = np.full(len(self._points), NEVER)
                np.minimum.at(earliest, np.searchsorted(self._points, point[told]), ts[told])
                self._lower(np.flatnonzero(earliest < self._since), earliest)
                self._look()
        self.flush()

    def since(self, points: Ids) -> Times:
        """Since when each point is expected, µs UTC; NEVER for one that is not yet, or that the site does not name."""
        with self._lock:
            if not len(self._points):
                return np.full(len(points), NEVER)
            place = np.minimum(np.searchsorted(self._points, points), len(self._points) - 1)
            return np.where(self._points[place] == points, self._since[place], NEVER)

    def flush(self) -> None:
        """Write what is new. Raises EngineError; then the next time writes it."""
        with self._lock:
            if not self._unwritten:
                return
            point, since = (np.concatenate(column) for column in zip(*self._unwritten, strict=True))
            # The highest version holds, and that is to be the earliest moment, in whatever order they are written.
            ver = (NEVER - since).astype(np.uint64)
            self._engine.insert("expected", pa.table([point, since, ver], schema=_ROWS))
            self._unwritten = []

    def _look(self) -> None:
        """Who is there: a gateway of whose points any was expected before."""
        for gateway in sorted(self._waiting):
            if (self._since[self._of[gateway]] < NEVER).any():
                self._begin(gateway)
        # Of gateways that are there; of the others nothing is expected.
        self._newest = int(self._since[self._since < NEVER].max(initial=0))

    def _begin(self, gateway: str) -> None:
        """A gateway is there: all its points are expected from now on."""
        self._waiting.discard(gateway)
        ours = self._of[gateway]
        self._lower(ours[self._since[ours] == NEVER], np.full(len(self._points), self._clock()))
        self._newest = int(self._since[self._since < NEVER].max(initial=0))

    def _lower(self, rows: NDArray[np.intp], since: Times) -> None:
        if not len(rows):
            return
        self._since[rows] = since[rows]
        self._kept.update(zip(self._points[rows].tolist(), since[rows].tolist(), strict=True))
        self._unwritten.append((self._points[rows], since[rows]))
