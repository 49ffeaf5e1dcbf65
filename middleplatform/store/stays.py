"""Stays: the stretches of time that a point spent in one state, kept by the hour as the roll-ups are.

A row is a stay from `ts` to `end`, cut where an hour ends: a month of a drive that starts and stops is hundreds of rows
where its samples are tens of thousands. An hour with more than `MOST` stays is no hour of states; one row stands for it
all, with `many` set, and its samples answer. So do those of hours that are dirty or open.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.coarse import segments
from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.held import Holding, Spans, cut, joined
from middleplatform.store.history import History
from middleplatform.store.integrate import Rows
from middleplatform.store.rawrows import in_order, numbers
from middleplatform.store.rollup_tables import HOUR, STAYS, STAYS_THERE
from middleplatform.store.windows import Windows
from models.quality import Quality

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("end", pa.int64()),
        ("state", pa.float64()),
        ("many", pa.uint8()),
    ]
)
MOST = 60
"""Stays of an hour that are kept."""
_AT_ONCE = 262_144
"""Rows that one statement about states may bring, at most."""
MOST_ROWS = 4_000_000
"""Rows that are read of one question, at most."""

_SQL = (
    f"SELECT {', '.join(SCHEMA.names)} FROM {STAYS} FINAL PREWHERE point IN {{points:Array(UInt64)}} "  # noqa: S608
    f"AND ts >= {{start:Int64}} AND ts < {{end:Int64}} WHERE {STAYS_THERE}"
)


class Stays:
    """Gathers rows (`integrate.Rows`, those before `start` included) into the stays of `points` (uint64) whose values
    hold for `age` µs. `start` and `end` are whole hours, µs."""

    def __init__(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> None:
        self._points, self._start = points, start
        self._hours = (end - start) // HOUR
        self._holding = Holding(age, start, end)
        self._count = np.zeros(len(points) * self._hours, np.int64)
        self._parts: list[Spans] = []

    def add(self, rows: Rows) -> None:
        """Take in the next rows."""
        self._take(self._holding.add(rows))

    def result(self) -> pa.Table:
        """Columns of SCHEMA, ordered by point and time; each lies within an hour."""
        self._take(self._holding.rest())
        key = self._key(stays := Spans.joining(self._parts))
        stays = stays.take(self._count[key] <= MOST)
        stays = joined(stays.take(np.argsort(self._key(stays), kind="stable")), self._start, HOUR)
        many = np.flatnonzero(self._count > MOST)
        opens = self._start + many % self._hours * HOUR
        columns = [
            self._points[np.append(stays.point, many // self._hours)],
            np.append(stays.begin, opens),
            np.append(stays.end, opens + HOUR),
            np.append(stays.value, np.zeros(len(many))),
            np.append(np.zeros(len(stays), np.uint8), np.ones(len(many), np.uint8)),
        ]
        return in_order(pa.table(columns, schema=SCHEMA))

    def _key(self, stays: Spans) -> NDArray[np.int64]:
        return stays.point * self._hours + (stays.begin - self._start) // HOUR

    def _take(self, spans: Spans) -> None:
        spans = joined(spans.usable())
        pieces = cut(spans, self._start, HOUR)
        stays = spans.take(pieces.row)
        stays.begin, stays.end = pieces.begin, pieces.end
        key = self._key(stays)
        # A stay that two chunks of rows share counts in both: the limit is only there to bound what is kept.
        self._count += np.bincount(key, minlength=len(self._count))
        self._parts.append(stays.take(self._count[key] <= MOST))


class Stayed:
    """What `points` were when, out of the stays, and out of the samples where these do not hold it."""

    def __init__(self, engine: Engine, windows: Windows, history: History) -> None:
        self._kept = Kept(engine)
        self._windows = windows
        self._history = history

    def spans(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> Iterator[Spans]:
        """Good time between `start` and `end`, µs, as spans: each point's in the order of time. Raises EngineError."""
        hours = -(-end // HOUR) - start // HOUR
        step = max(1, _AT_ONCE // (hours * MOST))
        for at in range(0, len(points), step):
            for spans in self._of(points[at : at + step], age[at : at + step], start, end):
                spans.point = spans.point + at
                yield spans

    def _of(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> Iterator[Spans]:
        low, high = start // HOUR, -(-end // HOUR)
        dirty, open_from = self._windows.dirty(points, low, high)
        kept, many = self._kept.read(points, points, low * HOUR, min(high, open_from) * HOUR)
        # What became dirty meanwhile as well: its stays may be half old and half new.
        dirty |= self._windows.dirty(points, low, high)[0] | set((many.begin // HOUR).tolist())
        for piece in segments(low * HOUR, high * HOUR, HOUR, dirty, open_from):
            opens, closes = max(piece.start, start), min(piece.end, end)
            if piece.level:
                inside = kept.take((kept.begin < closes) & (kept.end > opens))
                inside.begin, inside.end = np.maximum(inside.begin, opens), np.minimum(inside.end, closes)
                yield inside
                continue
            holding = Holding(age, opens, closes)
            for rows in self._history.seeded(points, age, opens, closes):
                yield holding.add(rows)
            yield holding.rest()


class Kept:
    """Reads the stays as they lie on disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, points: NDArray[np.uint64], named: NDArray[np.uint64], start: int, end: int) -> tuple[Spans, Spans]:
        """The stays of `named`, some of the sorted `points`, that begin in start ≤ ts < end, in the order of point and
        time; and the hours of which there are too many. Raises EngineError, StoreError."""
        if start >= end:
            return _NOTHING, _NOTHING
        batches: list[pa.RecordBatch] = []
        count = 0
        for batch in self._engine.stream(_SQL, {"points": named.tolist(), "start": start, "end": end}):
            batches.append(batch)
            if (count := count + batch.num_rows) > MOST_ROWS:
                raise StoreError(f"the points had over {MOST_ROWS} states: ask for a shorter range or fewer points")
        if not count:
            return _NOTHING, _NOTHING
        table = in_order(pa.Table.from_batches(batches).select(SCHEMA.names).cast(SCHEMA))
        point, ts, end_, state, many = (column.to_numpy() for column in table.columns)
        rows = Spans(numbers(point, points), ts, end_, state, np.full(len(ts), Quality.GOOD, np.uint8))
        too_many = many == 1
        if not too_many.any():
            return rows, _NOTHING
        return rows.take(~too_many), rows.take(too_many)


_NOTHING = Spans(np.empty(0, int), np.empty(0, int), np.empty(0, int), np.empty(0), np.empty(0, np.uint8))
