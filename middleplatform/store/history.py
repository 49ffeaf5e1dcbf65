"""What was: raw samples, buckets and events out of the engine. Blocking; from any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.integrate import Buckets, Rows
from middleplatform.store.latest import SCHEMA as RAW_COLUMNS
from models.events import SCHEMA as EVENT_COLUMNS

MAX_POINTS = 1_000
"""Points that one request may name."""
MAX_ROWS = 5_000_000
"""Rows that one request for raw samples or events may ask for."""
MAX_BUCKETS = 500_000
"""Buckets, over all points, that one request may ask for."""
MAX_WIDTH = 3_660 * 86_400_000_000
_CHUNK = 262_144
"""Rows that are integrated at once."""

_RAW = """SELECT point, ts, value, quality, text FROM samples FINAL
WHERE point IN {points:Array(UInt64)} AND ts >= {start:Int64} AND ts < {end:Int64}
ORDER BY point, ts LIMIT {limit:UInt64}"""

_EVENTS = """SELECT id, equipment, kind, start, end, quality, source, attributes FROM events FINAL
WHERE start < {end:Int64} AND (start >= {start:Int64} OR end IS NULL OR end > {start:Int64})
 AND ({equipment:String} = '' OR equipment = {equipment:String}) AND ({kind:String} = '' OR kind = {kind:String})
ORDER BY start, id LIMIT {limit:UInt64}"""


class History:
    """Answers about the past; `ages` gives how long each point's value holds, µs."""

    def __init__(self, engine: Engine, ages: Callable[[Sequence[int]], NDArray[np.int64]]) -> None:
        self._engine = engine
        self._ages = ages

    def raw(self, points: Sequence[int], start: int, end: int, limit: int) -> pa.Table:
        """Samples of start ≤ ts < end, ordered by point and ts, at most `limit`."""
        _check_points(points)
        _check_range(start, end)
        _check_limit(limit)
        params = {"points": sorted(set(points)), "start": start, "end": end, "limit": limit}
        return _cast(self._engine.query(_RAW, params), RAW_COLUMNS)

    def buckets(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """Buckets of `width` µs, the first one from `start`; the last one ends at `end`, where it is cut short.
        One with neither a sample nor good time is absent."""
        _check_points(points)
        _check_range(start, end)
        if not 0 < width <= MAX_WIDTH:
            raise StoreError(f"the bucket's width must be from 1 to {MAX_WIDTH} µs, got {width}")
        asked = np.unique(np.array(points, np.uint64))
        count = -(-(end - start) // width) * len(asked)
        if count > MAX_BUCKETS:
            raise StoreError(f"{count} buckets are asked for, at most {MAX_BUCKETS} are given: take wider ones")
        age = self._ages(asked.tolist())
        gathered = Buckets(asked, age, start, end, width)
        for rows in self._seeded(asked, age, start, end):
            gathered.add(rows)
        return gathered.result()

    def events(self, equipment: str | None, kind: str | None, start: int, end: int, limit: int) -> pa.Table:
        """Events that touch the range: begun before `end`, and begun at or after `start`, ended after it or
        still open. Ordered by start."""
        _check_range(start, end)
        _check_limit(limit)
        params = {"equipment": equipment or "", "kind": kind or "", "start": start, "end": end, "limit": limit}
        return _cast(self._engine.query(_EVENTS, params), EVENT_COLUMNS)

    def _seeded(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> Iterator[Rows]:
        """The rows of the range, and before it those that may still hold at its start."""
        params: dict[str, Any] = {"end": end, "least": start - int(age.max())}
        parts = []
        for index, each in enumerate(np.unique(age).tolist()):
            parts.append(f"(point IN {{p{index}:Array(UInt64)}} AND ts > {{s{index}:Int64}})")
            params[f"p{index}"] = points[age == each].tolist()
            params[f"s{index}"] = start - each
        sql = (
            "SELECT point, ts, value, quality FROM samples FINAL "  # noqa: S608
            f"WHERE ({' OR '.join(parts)}) AND ts > {{least:Int64}} AND ts < {{end:Int64}} ORDER BY point, ts"
        )
        for batch in self._engine.stream(sql, params):
            for at in range(0, batch.num_rows, _CHUNK):
                part = batch.slice(at, _CHUNK)
                point, ts, value, quality = (
                    part.column(name).to_numpy() for name in ("point", "ts", "value", "quality")
                )
                yield Rows(np.searchsorted(points, point), ts, value, quality)


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The same columns under our schema, the engine's own notion of nulls left behind."""
    if not table.num_columns:
        return schema.empty_table()
    return table.select(schema.names).cast(schema)


def _check_points(points: Sequence[int]) -> None:
    if not points:
        raise StoreError("no point is named")
    if len(points) > MAX_POINTS:
        raise StoreError(f"{len(points)} points are named, at most {MAX_POINTS} are answered at once")
    if not all(0 <= point < 2**64 for point in points):
        raise StoreError("a point's id is a number from 0 to 2^64 - 1")


def _check_range(start: int, end: int) -> None:
    if not -(2**61) < start < end < 2**61:
        raise StoreError(f"the range must begin before it ends, in µs since 1970, got {start} to {end}")


def _check_limit(limit: int) -> None:
    if not 0 < limit <= MAX_ROWS:
        raise StoreError(f"the limit must be from 1 to {MAX_ROWS} rows, got {limit}")
