"""How long samples take from their source's time until they are on disk: a histogram a connection and hour, counted
while writing. Samples of one connection travel together, so its histogram speaks for each of its points."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import Engine
from middleplatform.store.quality.assessment import Asked
from middleplatform.store.quality.judgement import judgement
from middleplatform.store.quality.sources import Sources
from middleplatform.store.rollup_tables import HOUR

PER_OCTAVE = 8
"""Bins for each doubling of the delay: the upper edge of one is 9 % above its lower."""
BINS = 256
EDGES: NDArray[np.float64] = 1_000 * 2 ** (np.arange(BINS) / PER_OCTAVE)
"""The upper edge of each bin, µs: from 1 ms to 45 days. The first holds whatever is less, the last what is more."""
FLUSH_S = 60.0
"""How often the counts are written: a killed store loses this much of them, never samples."""

_ROWS = pa.schema(
    [
        ("connection", pa.string()),
        ("hour", pa.int64()),
        ("bin", pa.uint8()),
        ("run", pa.int64()),
        ("n", pa.uint64()),
        ("ver", pa.uint64()),
    ]
)
_FOUND = (
    "SELECT connection, intDiv(hour - {begin:Int64}, {width:Int64}) AS window, bin, sum(n) AS n FROM arrivals FINAL "
    "WHERE hour >= {begin:Int64} AND hour < {end:Int64} GROUP BY connection, window, bin"
)


def bins_of(delay: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bin of each delay, µs."""
    octaves = np.log2(np.maximum(delay, 1_000) / 1_000)
    # Less than rounding can be, and far less than a bin: an edge belongs to the bin below it.
    return np.clip(np.ceil(octaves * PER_OCTAVE - 1e-9), 0, BINS - 1).astype(np.int64)


class Arrivals:
    """Counts what is written; from any thread. `clock`: UTC, µs. Counts are sums since `run`, a moment of this
    process, and replace what was written of it before: to write them again changes nothing."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._flushed = time.monotonic()
        self._begin(catalogue)

    def _begin(self, catalogue: Catalogue) -> None:
        self._sources = Sources(catalogue)
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._key, self._n = np.empty(0, np.int64), np.empty(0, np.int64)
        self._run = self._clock()

    def adopt(self, catalogue: Catalogue) -> None:
        """Count by another catalogue from now on. Raises EngineError."""
        with self._lock:
            self._flush()
            self._begin(catalogue)

    def add(self, point: NDArray[np.uint64], ts: NDArray[np.int64]) -> None:
        """These samples are on disk now."""
        now = self._clock()
        with self._lock:
            place, there = self._sources.among(point)
            connection = self._sources.connection[place[there]]
            spot = (ts[there] // HOUR) * len(self._sources.connections) + connection
            self._parts.append(np.unique(spot * BINS + bins_of(now - ts[there]), return_counts=True))
            if len(self._parts) > 1_000:
                self._parts = [_sum(self._parts)]

    def tend(self) -> None:
        """Write when it is time. Raises EngineError; then the next time writes it."""
        if time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write what was counted. Raises EngineError."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._flushed = time.monotonic()
        if not self._parts:
            return
        new = _sum(self._parts)
        self._parts = [new]  # until it is on disk
        key, n = _sum([(self._key, self._n), new])
        written = np.isin(key, new[0])
        spot, places = key[written] // BINS, len(self._sources.connections)
        names = pa.array(self._sources.connections, pa.string()).take(pa.array(spot % places))
        count = len(spot)
        columns = [names, spot // places * HOUR, (key[written] % BINS).astype(np.uint8), np.full(count, self._run)]
        columns += [n[written].astype(np.uint64), np.full(count, self._clock(), np.uint64)]
        self._engine.insert("arrivals", pa.table(columns, schema=_ROWS))
        self._parts, self._key, self._n = [], key, n
        if self._clock() // HOUR != self._run // HOUR:
            self._key, self._n, self._run = self._key[:0], self._n[:0], self._clock()

    def sums(self, asked: Asked) -> dict[str, NDArray[Any]]:
        """arrived, timely (counts), p50_us, p99_us (upper edges of bins) for each group and window."""
        self.flush()
        sources = self._sources
        found = self._engine.query(_FOUND, {"begin": asked.start, "end": asked.end, "width": asked.width})
        shape = (len(asked.groups), asked.windows)
        arrived, timely = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        quantiles = np.full((2, *shape), np.nan)
        if found.num_rows:
            names = pa.array(sources.connections, pa.string())
            places = pc.index_in(found.column("connection").cast(pa.string()), value_set=names)
            connection = places.fill_null(-1).to_numpy()
            known = connection >= 0
            connection = connection[known]
            window, place, n = (found.column(name).to_numpy()[known] for name in ("window", "bin", "n"))
            spot = window.astype(np.int64) * BINS + place
            punctual = judgement().timely_us >= EDGES
            histograms: dict[bytes, NDArray[np.float64]] = {}
            for group, members in enumerate(_members(asked, sources)):
                key = members.tobytes()
                if key not in histograms:
                    ours = np.isin(connection, members)
                    flat = np.bincount(spot[ours], n[ours], asked.windows * BINS)
                    histograms[key] = flat.reshape(asked.windows, BINS)
                histogram = histograms[key]
                arrived[group] = histogram.sum(axis=1)
                timely[group] = histogram[:, punctual].sum(axis=1)
                quantiles[:, group] = [_quantile(histogram, share) for share in (0.5, 0.99)]
        p50, p99 = quantiles
        return {"arrived": arrived.ravel(), "timely": timely.ravel(), "p50_us": p50.ravel(), "p99_us": p99.ravel()}


def _members(asked: Asked, sources: Sources) -> list[NDArray[np.int64]]:
    """The connections of each group's points."""
    place, there = sources.among(asked.points)
    pairs = np.unique(asked.group[there] * len(sources.connections) + sources.connection[place[there]])
    group = pairs // max(len(sources.connections), 1)
    cuts = np.searchsorted(group, np.arange(1, len(asked.groups)))
    return np.split(pairs % max(len(sources.connections), 1), cuts)


def _quantile(histogram: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The upper edge of the bin in which the share of each row is reached; NaN for an empty row."""
    total = histogram.sum(axis=1)
    reached = np.cumsum(histogram, axis=1) >= np.ceil(share * total)[:, None]
    return np.where(total > 0, EDGES[np.argmax(reached, axis=1)], np.nan)


def _sum(parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    key, place = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    n = np.bincount(place, np.concatenate([part[1] for part in parts]), len(key))
    return key, n.astype(np.int64)
