"""Raw samples of a range, in the order of point and time.

The engine is asked without ORDER BY. A FINAL that is to keep the key's order runs every row through its merge, even
out of a partition of one merged part, where there is nothing to merge; without, such a part is read as it lies. What
does not come in order is put in order here. Texts, which hardly any point has, are read when there are any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.engine import Engine
from middleplatform.store.latest import SCHEMA

FEW = 10_000
"""Up to this limit the engine is asked for the first rows in order: it need then not read the others."""

# PREWHERE: with FINAL the engine would read all columns before it looks at the key. The condition names the key alone,
# so it can leave out no newer version of a row.
_FROM = """FROM samples FINAL
PREWHERE point IN {points:Array(UInt64)} AND ts >= {start:Int64} AND ts < {end:Int64}"""
_FIRST = f"SELECT {', '.join(SCHEMA.names)} {_FROM} ORDER BY point, ts LIMIT {{limit:UInt64}}"
_ALL = f"SELECT %sts, value, quality, text IS NOT NULL AS said {_FROM} LIMIT {{limit:UInt64}}"


def read(engine: Engine, points: Sequence[int], start: int, end: int, limit: int) -> pa.Table:
    """The first `limit` rows of start ≤ ts < end, in the columns of `latest.SCHEMA`. Raises EngineError."""
    params: dict[str, Any] = {"points": list(points), "start": start, "end": end}
    if limit > FEW:
        one = len(points) == 1
        got = engine.query(_ALL % ("" if one else "point, "), {**params, "limit": limit + 1})
        if got.num_rows <= limit and not _said(got):
            return _plain(got, points[0] if one else None)
    got = engine.query(_FIRST, {**params, "limit": limit})
    return got.select(SCHEMA.names).cast(SCHEMA) if got.num_columns else SCHEMA.empty_table()


def _said(rows: pa.Table) -> bool:
    return bool(rows.num_rows) and bool(rows.column("said").to_numpy().any())


def _plain(rows: pa.Table, only: int | None) -> pa.Table:
    """Rows that have no text. `only`: the point of all of them."""
    count = rows.num_rows
    if not count:
        return SCHEMA.empty_table()
    point = rows.column("point") if only is None else pa.array(np.full(count, only, np.uint64))
    columns = [point, *(rows.column(name) for name in ("ts", "value", "quality")), pa.nulls(count, pa.string())]
    return in_order(pa.table(columns, names=SCHEMA.names).cast(SCHEMA))


def in_order(rows: pa.Table) -> pa.Table:
    """Rows by point and ts."""
    point, ts = rows.column("point").to_numpy(), rows.column("ts").to_numpy()
    if _rises(point, ts):
        return rows
    # Partitions come one after the other, each in order: what sorts runs sorts these in no time.
    order = np.argsort(point, kind="stable")
    if not _rises(point[order], ts[order]):
        order = np.lexsort((ts, point))
    return rows.take(pa.array(order))


def numbers(column: NDArray[np.uint64], points: NDArray[np.uint64]) -> NDArray[np.intp]:
    """[m] ids in rising order, all of them in the sorted `points` → the number of each there."""
    if not len(column):
        return np.empty(0, np.intp)
    first = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    return np.repeat(np.searchsorted(points, column[first]), np.diff(np.append(first, len(column))))


def ordered(point: NDArray[np.uint64], ts: NDArray[np.int64], most: int) -> Iterator[slice]:
    """The stretches, of at most `most` rows, in which point and ts rise."""
    falls = np.flatnonzero(~((point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (ts[1:] > ts[:-1])))) + 1
    cuts = np.union1d(falls, np.arange(0, len(point) + most, most).clip(max=len(point)))
    for first, past in pairwise(cuts.tolist()):
        yield slice(first, past)


def _rises(point: NDArray[np.uint64], ts: NDArray[np.int64]) -> bool:
    return bool(((point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (ts[1:] > ts[:-1]))).all())
