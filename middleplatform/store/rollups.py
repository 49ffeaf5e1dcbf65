"""Roll-ups of a minute, a quarter and an hour, made anew from the samples for every window that samples changed.

A row is a bucket as `middleplatform.store.integrate` gives it. One is never added to: whatever comes late, twice or
corrected, the window is computed again as a whole and replaces what was there. What is known of the quality of each
hour (`middleplatform.store.quality.figures`) is made from the same reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.catalogue import DEFAULT_AGE, Catalogue
from middleplatform.store.coarse import coarsen, named
from middleplatform.store.engine import Engine
from middleplatform.store.history import History
from middleplatform.store.integrate import SCHEMA, Buckets
from middleplatform.store.quality.figures import SCHEMA as FIGURES
from middleplatform.store.quality.figures import Figures
from middleplatform.store.quality.tables import IS_THERE as QUALITY_IS_THERE
from middleplatform.store.rollup_tables import HOUR, IS_THERE, MINUTE, NAMES, STAYS, STAYS_THERE
from middleplatform.store.stays import SCHEMA as STAYS_SCHEMA
from middleplatform.store.stays import Stays
from middleplatform.store.windows import REACH_HOURS, Marks, Windows, runs

MOST_BUCKETS = 100_000
"""Buckets of a minute that are computed and written at once: it bounds the memory, and how long a write waits."""


@dataclass(frozen=True)
class Kept:
    """A table of windows `width` µs wide: rows of `schema`, of which those that fit `is_there` are not empty."""

    table: str
    width: int
    schema: pa.Schema
    is_there: str


ROLLED = tuple(Kept(table, width, SCHEMA, IS_THERE) for width, table in NAMES.items())
STATES = Kept(STAYS, 1, STAYS_SCHEMA, STAYS_THERE)
QUALITIES = Kept("quality_1h", HOUR, FIGURES, QUALITY_IS_THERE)


class RollUps:
    """Computes what `windows` says is due. One thread."""

    def __init__(self, engine: Engine, windows: Windows, ages: Callable[[Sequence[int]], NDArray[np.int64]]) -> None:
        self._engine = engine
        self._windows = windows
        self._ages = ages
        self._samples = History(engine, ages)
        self.rows = 0
        """Rows written since the start."""

    def adopt(self, catalogue: Catalogue) -> None:
        """Mark whatever was made with another hold age than the catalogue has now."""
        held = self._engine.query("SELECT point, age FROM rollup_ages FINAL")
        points, age = (column.to_numpy() for column in held.columns) if held.num_rows else (_NO_IDS, _NO_AGES)
        asked = np.union1d(points, catalogue.points)
        before = np.full(len(asked), DEFAULT_AGE, np.int64)
        before[np.searchsorted(asked, points)] = age
        now = catalogue.ages(asked.tolist())
        changed = asked[now != before]
        if not len(changed):
            return
        hours: set[int] = set()
        for begin in range(0, len(changed), 1_000):
            found = self._engine.query(
                f"SELECT DISTINCT intDiv(ts, {HOUR}) AS hour FROM rollup_1h WHERE point IN {{points:Array(UInt64)}}",  # noqa: S608
                {"points": changed[begin : begin + 1_000].tolist()},
            )
            hours.update(found.column("hour").to_pylist() if found.num_rows else ())
        self._windows.mark(Marks.reaching(hours, changed), aged=True)
        rows = {"point": changed, "age": now[now != before], "ver": np.full(len(changed), self._windows.version())}
        self._engine.insert("rollup_ages", pa.table(rows, schema=_AGE_COLUMNS))

    def step(self, rest: Callable[[], bool] = lambda: True) -> bool:
        """Roll up one day's dirty windows; whether there were any. `rest` is called between pieces of the work, and
        ends it by False: what was not finished stays dirty. Raises EngineError; then it stays dirty as well."""
        taken = self._windows.take()
        if taken is None:
            return False
        finished = False
        try:
            finished = all(rest() for _ in self._roll(taken.all(), taken.ver))
        finally:
            if not finished:
                self._windows.undone(taken)
        if finished:
            self._windows.done(taken)
        return True

    def _roll(self, marks: Marks, ver: int) -> Iterator[None]:
        """Piece by piece; each is on disk when it is yielded."""
        for hours, points in self._pieces(marks):
            start, end = hours[0] * HOUR, (hours[-1] + 1) * HOUR
            age = self._ages(points.tolist())
            minutes = Buckets(points, age, start, end, MINUTE)
            figures = Figures(points, age, start, end, HOUR)
            stays = Stays(points, age, start, end)
            for rows in self._samples.seeded(points, age, start, end):
                minutes.add(rows)
                figures.add(rows)
                stays.add(rows)
            of_minutes = minutes.result()
            for kept in ROLLED:
                rolled = of_minutes
                if kept.width > MINUTE:
                    rolled = named(coarsen([of_minutes], start, kept.width), start, kept.width)
                self._replace(kept, points, hours, rolled, ver)
            self._replace(STATES, points, hours, stays.result(), ver)
            self._replace(QUALITIES, points, hours, figures.result(), ver)
            yield

    def _pieces(self, marks: Marks) -> Iterator[tuple[list[int], NDArray[np.uint64]]]:
        """Runs of hours and the points to compute in them, each small enough."""
        work = [(run, None) for run in runs(marks.whole)]
        by_points: dict[bytes, list[int]] = {}
        for hour in sorted(marks.some.keys() - marks.whole):
            by_points.setdefault(marks.some[hour].tobytes(), []).append(hour)
        work += [(run, np.frombuffer(key, np.uint64)) for key, hours in by_points.items() for run in runs(hours)]
        for hours, only in work:
            points = self._points(hours) if only is None else only
            step = max(1, MOST_BUCKETS // (len(hours) * (HOUR // MINUTE)))
            for begin in range(0, len(points), step):
                yield hours, points[begin : begin + step]

    def _points(self, hours: list[int]) -> NDArray[np.uint64]:
        """All that have something in these hours, or had when they were rolled up."""
        found = self._engine.query(
            "SELECT point FROM (SELECT point FROM samples WHERE ts >= {before:Int64} AND ts < {end:Int64} "
            "GROUP BY point UNION ALL SELECT point FROM rollup_1h WHERE ts >= {start:Int64} AND ts < {end:Int64}) "
            "GROUP BY point ORDER BY point",
            {
                "before": (hours[0] - REACH_HOURS) * HOUR,
                "start": hours[0] * HOUR,
                "end": (hours[-1] + 1) * HOUR,
            },
        )
        return found.column("point").to_numpy() if found.num_rows else _NO_IDS

    def _replace(self, kept: Kept, points: NDArray[np.uint64], hours: list[int], rows: pa.Table, ver: int) -> None:
        # At once: a reader between the two would find the old beside the new.
        table = pa.concat_tables([rows, self._gone(kept, points, hours, rows)])
        if table.num_rows:
            self._engine.insert(
                kept.table, table.append_column("ver", pa.array(np.full(table.num_rows, ver, np.uint64)))
            )
        self.rows += rows.num_rows

    def _gone(self, kept: Kept, points: NDArray[np.uint64], hours: list[int], rows: pa.Table) -> pa.Table:
        """Empty rows for the windows that are on disk and not in `rows`."""
        start, end = hours[0] * HOUR, (hours[-1] + 1) * HOUR
        held = self._engine.query(
            f"SELECT point, ts FROM {kept.table} FINAL WHERE point IN {{points:Array(UInt64)}} "  # noqa: S608
            f"AND ts >= {{start:Int64}} AND ts < {{end:Int64}} AND {kept.is_there}",
            {"points": points.tolist(), "start": start, "end": end},
        )
        if not held.num_rows:
            return kept.schema.empty_table()

        def key(table: pa.Table) -> NDArray[np.int64]:
            place = np.searchsorted(points, table.column("point").to_numpy())
            return place * ((end - start) // kept.width) + (table.column("ts").to_numpy() - start) // kept.width

        gone = held.filter(pa.array(~np.isin(key(held), key(rows))))
        columns = {"point": gone.column("point"), "ts": gone.column("ts")}
        empty = np.zeros(gone.num_rows)
        return pa.table(
            [
                columns.get(name, pa.array(empty.astype(kept.schema.field(name).type.to_pandas_dtype())))
                for name in kept.schema.names
            ],
            schema=kept.schema,
        )


_NO_IDS, _NO_AGES = np.empty(0, np.uint64), np.empty(0, np.int64)
_AGE_COLUMNS = pa.schema([("point", pa.uint64()), ("age", pa.int64()), ("ver", pa.uint64())])
