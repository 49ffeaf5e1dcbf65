"""Wider buckets out of narrower ones: the same numbers as from the samples, the mean's rounding apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.integrate import SCHEMA
from middleplatform.store.rollup_tables import HOUR, NAMES
from middleplatform.store.windows import runs
from models.quality import RANK

MOST_SEGMENTS = 16
"""Pieces into which one answer is cut; with more of them it is not worth it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the range asked, and the width of the roll-up that answers it, µs; 0 for the samples."""

    start: int
    end: int
    level: int


def segments(start: int, end: int, width: int, dirty: Iterable[int], open_from: int) -> list[Segment]:
    """Cut the range of a question about buckets. The samples must answer `dirty` hours and all from `open_from` on;
    roll-ups answer only what they hold exactly: buckets of whole minutes, quarters or hours."""
    level = next((level for level in sorted(NAMES, reverse=True) if not (width % level or start % level)), 0)
    until = min(end // level * level, open_from * HOUR) if level else start
    if until <= start:
        return [Segment(start, end, 0)]
    found, at = [], start
    for run in runs(dirty):
        opens, closes = max(run[0] * HOUR, start), min((run[-1] + 1) * HOUR, until)
        if opens >= closes:
            continue
        if at < opens:
            found.append(Segment(at, opens, level))
        found.append(Segment(opens, closes, 0))
        at = closes
    if at < until:
        found.append(Segment(at, until, level))
    if until < end:
        begin = until if found[-1].level else found.pop().start
        found.append(Segment(begin, end, 0))
    if len(found) > MOST_SEGMENTS:
        raw = [piece for piece in found if not piece.level]
        start, end = raw[0].start, raw[-1].end
        outside = [piece for piece in found if piece.end <= start or piece.start >= end]
        found = sorted([*outside, Segment(start, end, 0)], key=lambda piece: piece.start)
    return found


_PLACE = (1 << 40) - 1
_SILENT = 1 << 50


def coarsen(parts: Sequence[pa.Table], start: int, width: int) -> pa.Table:
    """Merge parts of buckets (columns of `integrate.SCHEMA`), each table's later than those of the tables before it
    for the same point, into those buckets of `width` µs from `start`. A merged row's `ts` is its first part's."""
    table = pa.concat_tables([*parts, SCHEMA.empty_table()])
    whole = {name: table.column(name).to_numpy() for name in SCHEMA.names}
    if not len(whole["ts"]):
        return SCHEMA.empty_table()
    if len(parts) > 1:
        order = np.argsort(whole["point"], kind="stable")
        whole = {name: column[order] for name, column in whole.items()}
    point, bucket = whole["point"], (whole["ts"] - start) // width
    starts = np.flatnonzero(np.append(True, (point[1:] != point[:-1]) | (bucket[1:] != bucket[:-1])))
    place = np.arange(len(point), dtype=np.int64)
    # Parts without a sample say nothing of first, last and worst, unless the whole bucket has none.
    silent = np.where(whole["n"] > 0, 0, _SILENT)
    first = np.minimum.reduceat(place + silent, starts) & _PLACE
    last = np.maximum.reduceat(place - silent, starts)
    last = np.where(last < 0, starts, last)
    ranked = (RANK[whole["worst"]].astype(np.int64) << 40) | place
    worst = np.minimum.reduceat(ranked + silent, starts) & _PLACE
    none = np.maximum.reduceat(whole["n"], starts) == 0
    first, worst = np.where(none, starts, first), np.where(none, starts, worst)
    good_us = np.add.reduceat(whole["good_us"], starts)
    area = np.add.reduceat(np.where(whole["good_us"] > 0, whole["mean"] * whole["good_us"], 0.0), starts)
    columns: dict[str, NDArray[np.generic]] = {
        "point": point[starts],
        "ts": whole["ts"][starts],
        "n": np.add.reduceat(whole["n"], starts),
        "n_good": np.add.reduceat(whole["n_good"], starts),
        "min": np.fmin.reduceat(whole["min"], starts),
        "max": np.fmax.reduceat(whole["max"], starts),
        "mean": np.divide(area, good_us, out=np.full(len(starts), np.nan), where=good_us > 0),
        "first": whole["first"][first],
        "first_quality": whole["first_quality"][first],
        "last": whole["last"][last],
        "last_quality": whole["last_quality"][last],
        "worst": whole["worst"][worst],
        "good_us": good_us,
    }
    return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def named(table: pa.Table, start: int, width: int) -> pa.Table:
    """Merged rows under the time at which their buckets open."""
    opens = start + (table.column("ts").to_numpy() - start) // width * width
    return table.set_column(table.schema.get_field_index("ts"), SCHEMA.field("ts"), pa.array(opens))
