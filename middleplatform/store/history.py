"""What was: raw samples, buckets and events out of the engine. Blocking; from any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store import rawrows
from middleplatform.store.coarse import Segment, coarsen, named, segments
from middleplatform.store.engine import QUERY_TIMEOUT_S, TOOK_TOO_LONG, Engine, QueryTimeout
from middleplatform.store.errors import StoreError
from middleplatform.store.integrate import SCHEMA as BUCKET_COLUMNS
from middleplatform.store.integrate import Buckets, Rows
from middleplatform.store.latest import SCHEMA as RAW_COLUMNS
from middleplatform.store.rollup_tables import HOUR, IS_THERE, NAMES
from middleplatform.store.schema import DAY
from middleplatform.store.windows import Windows
from models.events import SCHEMA as EVENT_COLUMNS

MAX_POINTS = 1_000
"""Points that one request may name."""
MAX_LIMIT = 5_000_000
"""The highest limit that a request for raw samples or events may give."""
MAX_ROWS = 2_000_000
"""Rows that one answer may hold; a request that has more is refused, never cut without a word."""
MAX_BUCKETS = 500_000
"""Buckets, over all points, that one request may ask for."""
MAX_WIDTH = 3_660 * 86_400_000_000
BLOCK_ROWS = 65_536
"""Rows that are looked at together where no order matters: they fit into the processor's cache."""
_CHUNK = 262_144
"""Rows that are integrated at once."""
_PARALLEL = 50_000
"""Rows of roll-ups from which on two threads decode them: each row is fourteen columns."""
_PARTS = 16
"""Parts on disk that one statement reads: each takes some megabytes while it is read and deduplicated."""
_WHOLE = 2 * DAY
"""A range up to this long is read by one statement without looking at the parts."""

_COUNTS = """SELECT intDiv(ts, {width:Int64}) AS day, count() AS rows FROM samples
WHERE point IN {points:Array(UInt64)} AND ts >= {start:Int64} AND ts < {end:Int64} GROUP BY day ORDER BY day"""
_COUNT_COLUMNS = pa.schema([("day", pa.int64()), ("rows", pa.uint64())])

_ROWS = "SELECT point, ts, value, quality FROM samples FINAL"
_BLOCK_COLUMNS = pa.schema([RAW_COLUMNS.field(name) for name in ("point", "ts", "value", "quality")])

_EVENTS = """SELECT id, equipment, kind, start, end, quality, source, attributes FROM events FINAL
WHERE start < {end:Int64} AND (start >= {start:Int64} OR end IS NULL OR end > {start:Int64})
 AND ({all:UInt8} OR equipment IN {equipment:Array(String)}) AND ({kind:String} = '' OR kind = {kind:String})
ORDER BY start, id LIMIT {limit:UInt64}"""


class History:
    """Answers about the past; `ages` gives how long each point's value holds, µs. With `windows`, buckets come
    from the roll-ups where these hold exactly what is asked; without, all from the samples."""

    def __init__(
        self,
        engine: Engine,
        ages: Callable[[Sequence[int]], NDArray[np.int64]],
        windows: Windows | None = None,
    ) -> None:
        self._engine = engine
        self._ages = ages
        self._windows = windows

    def raw(self, points: Sequence[int], start: int, end: int, limit: int) -> pa.Table:
        """Samples of start ≤ ts < end, ordered by point and ts, at most `limit`."""
        check_points(points)
        check_range(start, end)
        _check_limit(limit)
        limit = min(limit, MAX_ROWS + 1)
        asked = sorted(set(points))
        got = RAW_COLUMNS.empty_table()
        for begin, until in self.slices(start, end):
            got = _merge(got, rawrows.read(self._engine, asked, begin, until, limit), limit)
            if got.num_rows == limit:
                # Whatever is later can only displace rows of the points up to the last one taken.
                last = got.column("point")[-1].as_py()
                asked = [point for point in asked if point < last]
                if not asked:
                    break
        _check_rows(got.num_rows)
        return got

    def buckets(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """Buckets of `width` µs, the first one from `start`; the last one ends at `end`, where it is cut short.
        One with neither a sample nor good time is absent."""
        check_points(points)
        check_range(start, end)
        if not 0 < width <= MAX_WIDTH:
            raise StoreError(f"the bucket's width must be from 1 to {MAX_WIDTH} µs, got {width}")
        asked = np.unique(np.array(points, np.uint64))
        count = -(-(end - start) // width) * len(asked)
        if count > MAX_BUCKETS:
            raise StoreError(f"{count} buckets are asked for, at most {MAX_BUCKETS} are given: take wider ones")
        age = self._ages(asked.tolist())
        pieces = self._pieces(asked, start, end, width)
        parts: list[pa.Table] = []
        for piece in pieces:
            if piece.level:
                parts += [coarsen([rows], start, width) for rows in self._rolled_up(asked, piece)]
                continue
            opens = start + (piece.start - start) // width * width
            gathered = Buckets(asked, age, opens, piece.end, width, since=piece.start)
            for rows in self.seeded(asked, age, piece.start, piece.end):
                gathered.add(rows)
            parts.append(gathered.result())
        return (
            parts[0] if len(pieces) == 1 and not pieces[0].level else named(coarsen(parts, start, width), start, width)
        )

    def _pieces(self, points: NDArray[np.uint64], start: int, end: int, width: int) -> list[Segment]:
        if self._windows is None:
            return [Segment(start, end, 0)]
        return segments(start, end, width, *self._windows.dirty(points, start // HOUR, -(-end // HOUR)))

    def _rolled_up(self, points: NDArray[np.uint64], piece: Segment) -> Iterator[pa.Table]:
        """Buckets as wide as the piece's level, ordered by point and time."""
        table = NAMES[piece.level]
        sql = (
            f"SELECT {', '.join(BUCKET_COLUMNS.names)} FROM {table} FINAL PREWHERE point IN {{points:Array(UInt64)}} "  # noqa: S608
            f"AND ts >= {{start:Int64}} AND ts < {{end:Int64}} WHERE {IS_THERE}"
        )
        params = {"points": points.tolist(), "start": piece.start, "end": piece.end}
        most = len(points) * (piece.end - piece.start) // piece.level
        if most <= _CHUNK:
            sql += " SETTINGS max_threads = 2" if most > _PARALLEL else ""
            yield rawrows.in_order(_cast(self._engine.query(sql, params), BUCKET_COLUMNS))
            return
        for batch in self._chunks(f"{sql} ORDER BY point, ts", params):
            yield _cast(pa.Table.from_batches([batch]), BUCKET_COLUMNS)

    def days(self, points: Sequence[int], start: int, end: int) -> pa.Table:
        """day (since 1970), rows: the days of the range that have samples of these points, and at most how many:
        what was sent twice counts twice until the engine has merged it."""
        check_points(points)
        check_range(start, end)
        found = [
            _cast(
                self._engine.query(_COUNTS, {"points": list(points), "start": begin, "end": until, "width": DAY}),
                _COUNT_COLUMNS,
            )
            for begin, until in self.slices(start, end)
        ]
        return pa.concat_tables(found) if found else _COUNT_COLUMNS.empty_table()

    def events(self, equipment: Sequence[str] | None, kind: str | None, start: int, end: int, limit: int) -> pa.Table:
        """Events of the equipment named, or of all, that touch the range: begun before `end`, and begun at or after
        `start`, ended after it or still open. Ordered by start."""
        check_range(start, end)
        _check_limit(limit)
        limit = min(limit, MAX_ROWS + 1)
        if equipment is not None and not equipment:
            return EVENT_COLUMNS.empty_table()
        params: dict[str, Any] = {
            "all": int(equipment is None),
            "equipment": list(equipment or [""]),
        }
        params |= {"kind": kind or "", "start": start, "end": end, "limit": limit}
        got = _cast(self._engine.query(_EVENTS, params), EVENT_COLUMNS)
        _check_rows(got.num_rows)
        return got

    def reading(
        self, points: Sequence[int], start: int, end: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64], Iterator[Rows]]:
        """The points, ascending, how long the value of each holds, and their rows in chunks: those of the range,
        and before it those that may still hold at its start."""
        check_points(points)
        check_range(start, end)
        asked = np.unique(np.array(points, np.uint64))
        age = self._ages(asked.tolist())
        return asked, age, self.seeded(asked, age, start, end)

    def seeded(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> Iterator[Rows]:
        """The rows of the range, and before it those that may still hold at its start."""
        sql, params = _seeded(points, age, start)
        for begin, until in self.slices(start - int(age.max()), end):
            for batch in self._chunks(f"{sql} ORDER BY point, ts", {**params, "begin": begin, "until": until}):
                point, ts, value, quality = (column.to_numpy() for column in batch.columns)
                yield Rows(np.searchsorted(points, point), ts, value, quality)

    def blocks(self, points: NDArray[np.uint64], age: NDArray[np.int64], start: int, end: int) -> Iterator[Rows]:
        """The same rows as the engine reads them: each block in order, the blocks in none."""
        sql, params = _seeded(points, age, start)
        for begin, until in self.slices(start - int(age.max()), end):
            for batch in self._engine.stream(sql, {**params, "begin": begin, "until": until}):
                table = _cast(pa.Table.from_batches([batch]), _BLOCK_COLUMNS)
                point, ts, value, quality = (column.to_numpy() for column in table.columns)
                # One partition comes after the other, each in order.
                for rows in rawrows.ordered(point, ts, BLOCK_ROWS):
                    yield Rows(rawrows.numbers(point[rows], points), ts[rows], value[rows], quality[rows])

    def _chunks(self, sql: str, params: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        for batch in self._engine.stream(sql, params):
            for at in range(0, batch.num_rows, _CHUNK):
                yield batch.slice(at, _CHUNK)

    def slices(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The range cut at midnights so that each piece has few enough parts; days without data left out."""
        if end - start <= _WHOLE:
            yield start, end
            return
        days = {d: n for d, n in self._engine.parts("samples").items() if start // DAY <= d <= (end - 1) // DAY}
        deadline = time.monotonic() + QUERY_TIMEOUT_S
        first, last, parts = None, 0, 0
        for day, more in sorted(days.items()):
            if first is not None and parts + more > _PARTS:
                if time.monotonic() > deadline:
                    raise QueryTimeout(TOOK_TOO_LONG)
                yield max(start, first * DAY), min(end, (last + 1) * DAY)
                first, parts = None, 0
            first = day if first is None else first
            last, parts = day, parts + more
        if first is not None:
            yield max(start, first * DAY), min(end, (last + 1) * DAY)


def _seeded(points: NDArray[np.uint64], age: NDArray[np.int64], start: int) -> tuple[str, dict[str, Any]]:
    """A statement for the rows from `start` on, and before it those that may still hold there, and its parameters."""
    params: dict[str, Any] = {}
    parts = []
    for index, each in enumerate(np.unique(age).tolist()):
        parts.append(f"(point IN {{p{index}:Array(UInt64)}} AND ts > {{s{index}:Int64}})")
        params[f"p{index}"] = points[age == each].tolist()
        params[f"s{index}"] = start - each
    return f"{_ROWS} PREWHERE ({' OR '.join(parts)}) AND ts >= {{begin:Int64}} AND ts < {{until:Int64}}", params


def _merge(first: pa.Table, second: pa.Table, limit: int) -> pa.Table:
    """Both in the order of point and ts, at most `limit` rows; all of `second` is later than `first`."""
    if not first.num_rows:
        return second
    both = pa.concat_tables([first, second])
    order = np.argsort(both.column("point").to_numpy(), kind="stable")[:limit]
    return both.take(pa.array(order))


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The same columns under our schema, the engine's own notion of nulls left behind."""
    if not table.num_columns:
        return schema.empty_table()
    return table.select(schema.names).cast(schema)


def check_points(points: Sequence[int]) -> None:
    if not points:
        raise StoreError("no point is named")
    if len(points) > MAX_POINTS:
        raise StoreError(f"{len(points)} points are named, at most {MAX_POINTS} are answered at once")
    if not all(0 <= point < 2**64 for point in points):
        raise StoreError("a point's id is a number from 0 to 2^64 - 1")


def check_range(start: int, end: int) -> None:
    if not -(2**61) < start < end < 2**61:
        raise StoreError(f"the range must begin before it ends, in µs since 1970, got {start} to {end}")


def _check_limit(limit: int) -> None:
    if not 0 < limit <= MAX_LIMIT:
        raise StoreError(f"the limit must be from 1 to {MAX_LIMIT} rows, got {limit}")


def _check_rows(rows: int) -> None:
    if rows > MAX_ROWS:
        raise StoreError(
            f"the answer has over {MAX_ROWS} rows: ask for a shorter range or fewer points, or give a lower limit"
        )
