"""The latest sample of every point, in memory: columns sorted by point, updated as whole batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.catalogue import known
from middleplatform.store.engine import Engine
from models.identity import MANUAL_FLOOR
from models.present import AHEAD_US, supersedes
from models.samples import Samples

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("value", pa.float64()),
        ("quality", pa.uint8()),
        ("text", pa.string()),
    ]
)

PRESENT = SCHEMA.append(pa.field("manual", pa.bool_()))
"""What is said of each point: `manual` where a person entered or corrected it."""

_MINUTE = 60_000_000
# How far back the rebuild looks, step by step, for the points that it has not found yet.
_STEPS = (10 * _MINUTE, 120 * _MINUTE, 1_440 * _MINUTE, 10_080 * _MINUTE, 576_000 * _MINUTE)

LAST = """SELECT point, tupleElement(r, 1) AS ts, tupleElement(r, 2) AS value, tupleElement(r, 3) AS quality,
 tupleElement(r, 4) AS text, tupleElement(r, 5) AS ver
FROM (SELECT point, argMax(tuple(ts, value, quality, text, ver), tuple(ts, ver)) AS r FROM samples
 WHERE point IN {points:Array(UInt64)} AND ts >= {since:Int64} AND ts <= {until:Int64} GROUP BY point)"""
"""Of each point its last sample of since ≤ ts ≤ until."""
ASK = 2_000
"""Points that one such statement names."""


class Latest:
    """Never goes back in time: a sample older than the one held changes nothing, unless what is held was
    stamped by a clock that was ahead (`models.present`); at the same instant the higher version holds.
    Safe to use from several threads. `clock`: UTC, µs."""

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._point = np.empty(0, np.uint64)
        self._ts = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._quality = np.empty(0, np.uint8)
        self._ver = np.empty(0, np.uint64)
        self._text = np.empty(0, object)

    def __len__(self) -> int:
        return len(self._point)

    def update(self, samples: Samples, ver: NDArray[np.uint64]) -> None:
        """Take in samples in any order, `ver` one version a row."""
        if not len(samples):
            return
        # Of several samples of one point only the last counts.
        order = np.lexsort((ver, samples.ts, samples.point))
        ordered = samples.point[order]
        last = order[np.append(ordered[1:] != ordered[:-1], True)]
        point, ts, version = samples.point[last], samples.ts[last], ver[last]
        with self._lock:
            new = point[~known(point, self._point)]
            if len(new):
                self._grow(new)
            slot = np.searchsorted(self._point, point)
            held = self._ts[slot]
            newer = supersedes(ts, held, self._clock()) & ((ts > held) | (version >= self._ver[slot]))
            slot, last = slot[newer], last[newer]
            self._ts[slot] = ts[newer]
            self._ver[slot] = version[newer]
            self._value[slot] = samples.value[last]
            self._quality[slot] = samples.quality[last]
            if samples.text is None:
                self._text[slot] = None
            else:
                self._text[slot] = samples.text.take(pa.array(last)).to_numpy(zero_copy_only=False)

    def _grow(self, new: NDArray[np.uint64]) -> None:
        at = np.searchsorted(self._point, new)
        self._point = np.insert(self._point, at, new)
        self._ts = np.insert(self._ts, at, np.iinfo(np.int64).min)
        self._value = np.insert(self._value, at, np.nan)
        self._quality = np.insert(self._quality, at, 0)
        self._ver = np.insert(self._ver, at, 0)
        self._text = np.insert(self._text, at, None)

    def table(self, points: Sequence[int] | None = None) -> pa.Table:
        """The latest of the points named, or of all, in the columns of PRESENT, sorted by point; a point never seen is
        absent."""
        with self._lock:
            if points is None:
                slot = np.arange(len(self._point))
            else:
                asked = np.unique(np.array(points, np.uint64))
                slot = np.searchsorted(self._point, asked)
                slot = slot[slot < len(self._point)]
                slot = slot[np.isin(self._point[slot], asked)]
                slot = np.unique(slot)
            columns = [self._point[slot], self._ts[slot], self._value[slot], self._quality[slot]]
            text, manual = self._text[slot], self._ver[slot] >= MANUAL_FLOOR
        return pa.Table.from_arrays(
            [*(pa.array(column) for column in columns), pa.array(text, pa.string()), pa.array(manual)], schema=PRESENT
        )

    def rebuild(self, engine: Engine, points: NDArray[np.uint64], now: int) -> None:
        """Fill from the store: for each of `points` its last sample on disk, at most 400 days back
        and not of a time that is still to come."""
        for step in _STEPS:
            missing = points[~np.isin(points, self._point)]
            for start in range(0, len(missing), ASK):
                asked = missing[start : start + ASK].tolist()
                rows = engine.query(LAST, {"points": asked, "since": now - step, "until": now + AHEAD_US})
                if rows.num_rows:
                    batch = rows.combine_chunks().to_batches()[0]
                    samples = Samples.from_arrow(batch.drop_columns(["ver"]))
                    self.update(samples, batch.column("ver").to_numpy())
