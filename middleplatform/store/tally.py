"""The good samples of spans of time, counted by the engine itself: each sample of the same weight, none handed out. And
the newest sample of each span, whatever it is.

A roll-up cannot say this: its mean is weighed by time, its min and max hold what held from before it, and it begins
with the sample at its opening, where a span here ends with the sample at its close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.history import MAX_BUCKETS, MAX_POINTS, MAX_WIDTH, History, check_points, check_range
from models.quality import GOOD

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("ts", pa.int64()),
        ("n", pa.uint64()),
        ("sum", pa.float64()),
        ("min", pa.float64()),
        ("max", pa.float64()),
        ("last", pa.float64()),
    ]
)

# Good is asked for within each function and not by a condition: rows are left out after the newest version was chosen.
_GOOD = f"quality >= {GOOD} AND isFinite(value)"
_TALLY = f"""SELECT point, intDiv(ts - {{first:Int64}}, {{width:Int64}}) AS span, countIf({_GOOD}) AS n,
 sumIf(value, {_GOOD}) AS total, minIf(value, {_GOOD}) AS low, maxIf(value, {_GOOD}) AS high,
 argMaxIf(value, ts, {_GOOD}) AS newest
FROM samples FINAL PREWHERE point IN {{points:Array(UInt64)}} AND ts >= {{begin:Int64}} AND ts < {{until:Int64}}
GROUP BY point, span HAVING n > 0 ORDER BY point, span"""  # noqa: S608
_FOUND = pa.schema(
    [("point", pa.uint64()), ("span", pa.int64()), ("n", pa.uint64())]
    + [(name, pa.float64()) for name in ("total", "low", "high", "newest")]
)

NEWEST = pa.schema(
    [("point", pa.uint64()), ("ts", pa.int64()), ("value", pa.float64()), ("quality", pa.uint8())],
)
_NEWEST = """SELECT point, intDiv(ts - {first:Int64}, {width:Int64}) AS span, max(ts) AS latest,
 argMax(value, ts) AS value_then, argMax(quality, ts) AS quality_then
FROM samples FINAL PREWHERE point IN {points:Array(UInt64)} AND ts >= {begin:Int64} AND ts < {until:Int64}
 AND (ts - {first:Int64}) % {width:Int64} >= {from:Int64}
GROUP BY point, span ORDER BY point, span"""
_NEWEST_FOUND = pa.schema(
    [("point", pa.uint64()), ("latest", pa.int64()), ("value_then", pa.float64()), ("quality_then", pa.uint8())]
)


class Tally:
    """Answers over what a history reads. Blocking; from any thread."""

    def __init__(self, engine: Engine, history: History) -> None:
        self._engine = engine
        self._history = history

    def tally(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """Of the spans start < ts ≤ start + width, … up to `end` (µs): columns of SCHEMA, `ts` is where a span ends.
        Only good, finite samples; a span without one is absent. Raises StoreError."""
        return _joined(self._asked(_TALLY, _FOUND, points, start, end, width), start, width)

    def newest(self, points: Sequence[int], start: int, end: int, width: int, within: int) -> pa.Table:
        """The last sample of each such span, good or not, ordered by point and ts: columns of NEWEST, `ts` is the
        sample's own. Of a span only the last `within` µs are looked at. Raises StoreError."""
        if not within > 0:
            raise StoreError(f"'within' must be above 0 µs, got {within}")
        parts = self._asked(_NEWEST, _NEWEST_FOUND, points, start, end, width, **{"from": max(0, width - within)})
        whole = pa.concat_tables(parts) if parts else _NEWEST_FOUND.empty_table()
        point, ts, value, quality = (whole.column(name).to_numpy() for name in _NEWEST_FOUND.names)
        order = np.lexsort((ts, point))
        # A span that lies over a midnight gives two: the later one is found first by whoever looks back.
        return pa.table([column[order] for column in (point, ts, value, quality)], schema=NEWEST)

    def _asked(
        self, sql: str, schema: pa.Schema, points: Sequence[int], start: int, end: int, width: int, **more: int
    ) -> list[pa.Table]:
        check_points(points)
        check_range(start, end)
        if not 0 < width <= MAX_WIDTH:
            raise StoreError(f"a span's width must be from 1 to {MAX_WIDTH} µs, got {width}")
        count = -(-(end - start) // width) * len(points)
        if count > MAX_BUCKETS:
            raise StoreError(f"{count} spans are asked for, at most {MAX_BUCKETS} are given: take wider ones")
        asked = {"points": sorted(set(points)), "first": start + 1, "width": width, **more}
        parts = []
        for begin, until in self._history.slices(start + 1, end + 1):
            found = self._engine.query(sql, asked | {"begin": begin, "until": until})
            if found.num_columns:
                parts.append(found.select(schema.names).cast(schema))
        return parts


def _joined(parts: list[pa.Table], start: int, width: int) -> pa.Table:
    """Spans as they are answered; one that lies over a midnight comes in two parts, the earlier first."""
    whole = pa.concat_tables(parts) if parts else _FOUND.empty_table()
    columns = {name: whole.column(name).to_numpy() for name in _FOUND.names}
    order = np.lexsort((columns["span"], columns["point"]))
    columns = {name: column[order] for name, column in columns.items()}
    point, span = columns["point"], columns["span"]
    if not len(point):
        return SCHEMA.empty_table()
    starts = np.flatnonzero(np.append(True, (point[1:] != point[:-1]) | (span[1:] != span[:-1])))
    ends = np.append(starts[1:], len(point)) - 1
    return pa.table(
        [
            point[starts],
            start + (span[starts] + 1) * width,
            np.add.reduceat(columns["n"], starts),
            np.add.reduceat(columns["total"], starts),
            np.minimum.reduceat(columns["low"], starts),
            np.maximum.reduceat(columns["high"], starts),
            columns["newest"][ends],
        ],
        schema=SCHEMA,
    )


def handlers(tally: Tally, settle: Callable[[], bool]) -> dict[str, Handler]:
    """Both as the door serves them; they cover all that had come off the bus when they were asked."""

    def tallied(asked: Mapping[str, Any]) -> pa.Table:
        named = points(asked, MAX_POINTS)
        start, end, width = (whole_number(asked, name) for name in ("start", "end", "width"))
        whole = settle()
        return said(tally.tally(named, start, end, width), whole)

    def newest(asked: Mapping[str, Any]) -> pa.Table:
        named = points(asked, MAX_POINTS)
        start, end, width, within = (whole_number(asked, name) for name in ("start", "end", "width", "within"))
        whole = settle()
        return said(tally.newest(named, start, end, width, within), whole)

    return {"tally": tallied, "newest": newest}
