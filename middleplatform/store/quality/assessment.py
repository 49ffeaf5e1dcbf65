"""The quality of points, and of groups of points, by the hour or wider: out of the kept hours where these hold, out of
the samples for hours that are open or that late data has touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.history import History
from middleplatform.store.quality.figures import SCHEMA as FIGURES
from middleplatform.store.quality.figures import TIMES, Figures
from middleplatform.store.quality.intervals import SCHEMA as INTERVALS
from middleplatform.store.quality.intervals import Intervals
from middleplatform.store.quality.judgement import CAUSES, judgement
from middleplatform.store.quality.scores import shares
from middleplatform.store.quality.tables import IS_THERE
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.windows import Windows, runs

MOST_POINTS = 200_000
MOST_ROWS = 200_000
"""Groups times windows that one answer may have."""
MOST_HOURS = 24 * 400
MOST_FRESH = 100_000
"""Points times hours that are computed from samples for one answer; beyond it the kept hours alone answer, and the
answer says that it is incomplete."""
MOST_READ = 500_000
"""Points times hours whose samples are read to list what was not good."""
_AT_ONCE = 10_000
"""Points that one statement names."""

Ids = NDArray[np.uint64]


class Asked:
    """Points in groups over windows: `points` ascending, `group` the place of each one's group among `groups`;
    windows of `width` µs, whole hours, from `start` on until past `end`, of which only the time until `now` counts."""

    def __init__(
        self, points: Sequence[int], groups: Sequence[int], start: int, end: int, width: int, now: int
    ) -> None:
        """Raises StoreError."""
        if not points or len(points) != len(groups):
            raise StoreError("name at least one point, and a group for each")
        if start % HOUR or width % HOUR or width <= 0 or not start < end:
            raise StoreError(f"the windows must be whole hours, got {width} µs from {start} to {end}")
        self.points, first = np.unique(np.array(points, np.uint64), return_index=True)
        if len(self.points) < len(points):
            raise StoreError("a point is named twice")
        self.groups, place = np.unique(np.array(groups, np.int64)[first], return_inverse=True)
        self.group: NDArray[np.int64] = place.astype(np.int64)
        self.start, self.width, self.now = start, width, now
        self.windows = -(-(end - start) // width)
        self.end = start + self.windows * width
        if (self.end - start) // HOUR > MOST_HOURS:
            raise StoreError(f"the range is over {MOST_HOURS} hours: take a shorter one")
        self.size = len(self.groups) * self.windows
        if self.size > MOST_ROWS:
            raise StoreError(f"{self.size} rows are asked for, at most {MOST_ROWS} are given: take wider windows")

    def window(self, ts: NDArray[np.int64]) -> NDArray[np.int64]:
        return (ts - self.start) // self.width

    def opens(self) -> NDArray[np.int64]:
        """When each window begins, µs."""
        return self.start + np.arange(self.windows) * self.width

    def lengths(self) -> NDArray[np.int64]:
        """How much of each window is past, µs."""
        opens = self.opens()
        return np.maximum(np.minimum(opens + self.width, self.now) - opens, 0)


class Source(Protocol):
    """Something else that is known: named columns of a number for each group and window, flat in this order."""

    def sums(self, asked: Asked) -> Mapping[str, NDArray[Any]]: ...


COUNTED = ("due", "answered", "arrived", "timely", "distinct", "compared", "agreed")
MEASURED = ("p50_us", "p99_us")
SHARES = ("completeness", "timeliness", "validity", "consistency", "uniqueness", "score")
SCHEMA = pa.schema(
    [
        ("group", pa.int64()),
        ("ts", pa.int64()),
        ("points", pa.int64()),
        ("n", pa.int64()),
        ("expected_us", pa.int64()),
        *((f"{name}_us", pa.int64()) for name in TIMES),
        ("silent_us", pa.int64()),
        *((name, pa.int64()) for name in COUNTED),
        *((name, pa.float64()) for name in MEASURED),
        *((name, pa.float64()) for name in SHARES),
    ]
)


class Assessment:
    """Answers from any thread. `ages`: how long each point's value holds, µs; `since`: from when on something is
    expected of each, µs UTC; `clock`: UTC, µs."""

    def __init__(
        self,
        engine: Engine,
        windows: Windows,
        ages: Callable[[Sequence[int]], NDArray[np.int64]],
        sources: Sequence[Source] = (),
        since: Callable[[Ids], NDArray[np.int64]] = lambda points: np.zeros(len(points), np.int64),
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._engine, self._windows, self._ages = engine, windows, ages
        self._samples = History(engine, ages)
        self._sources, self._since = sources, since
        self._clock = clock

    def assess(
        self, points: Sequence[int], groups: Sequence[int], start: int, end: int, width: int
    ) -> tuple[pa.Table, bool]:
        """Rows of SCHEMA for every group and every window that has begun, ordered so; and whether hours that are
        open or touched are all in it. Raises StoreError."""
        if len(points) > MOST_POINTS:
            raise StoreError(f"{len(points)} points are named, at most {MOST_POINTS} are assessed at once")
        asked = Asked(points, groups, start, end, width, self._clock())
        figures, whole = self.hours(asked)
        columns: dict[str, NDArray[Any]] = dict.fromkeys(COUNTED, np.zeros(asked.size, np.int64))
        columns |= dict.fromkeys(MEASURED, np.full(asked.size, np.nan))
        for source in self._sources:
            columns |= source.sums(asked)
        columns |= _of_figures(asked, figures, self._since(asked.points))
        columns["distinct"] = np.minimum(columns["n"], columns["arrived"])
        columns |= shares(columns)
        kept = np.tile(asked.lengths() > 0, len(asked.groups))
        return pa.table([columns[name][kept] for name in SCHEMA.names], schema=SCHEMA), whole

    def intervals(self, points: Sequence[int], start: int, end: int) -> tuple[pa.Table, bool]:
        """Every stretch in which a point was not good or silent, cut to the range, in the columns of
        `intervals.SCHEMA`; and whether hours that are open or touched are in it. Raises StoreError."""
        if not start < end:
            raise StoreError(f"the range must begin before it ends, got {start} to {end}")
        low, high = start // HOUR * HOUR, -(-end // HOUR) * HOUR
        if (high - low) // HOUR > MOST_HOURS:
            raise StoreError(f"the range is over {MOST_HOURS} hours: take a shorter one")
        asked = Asked(points, [0] * len(points), low, high, high - low, self._clock())
        figures, whole = self.hours(asked)
        end = min(end, asked.now)
        place = np.searchsorted(asked.points, figures.column("point").to_numpy())
        good_us = np.bincount(place, figures.column("good_us").to_numpy(), len(asked.points))
        since = self._since(asked.points)
        # Who was good all the time has none, and needs no look at its samples.
        doubts = (good_us < min(asked.end, asked.now) - asked.start) & (since < end)
        doubted, since = asked.points[doubts], since[doubts]
        if len(doubted) * ((high - low) // HOUR) > MOST_READ:
            raise StoreError(
                f"{len(doubted)} points were not good at times in {(high - low) // HOUR} hours: that is too much to "
                "list at once, name fewer points or a shorter range"
            )
        parts = [INTERVALS.empty_table()]
        for begin in range(0, len(doubted) if start < end else 0, _AT_ONCE):
            named = doubted[begin : begin + _AT_ONCE]
            age = self._ages(named.tolist())
            found = Intervals(named, age, start, end, since[begin : begin + _AT_ONCE])
            for rows in self._samples.seeded(named, age, start, end):
                found.add(rows)
            parts.append(found.result())
        return pa.concat_tables(parts), whole

    def hours(self, asked: Asked) -> tuple[pa.Table, bool]:
        """What is known of each point and hour that has anything, in the columns of `figures.SCHEMA`."""
        low, high = asked.start // HOUR, -(-min(asked.end, asked.now) // HOUR)
        marked, opened = self._windows.dirty(asked.points, low, high)
        fresh = {hour for hour in marked | set(range(max(opened, low), high)) if low <= hour < high}
        whole = len(fresh) * len(asked.points) <= MOST_FRESH
        if not whole:
            asked.now = min(asked.now, opened * HOUR)  # open hours are left out, or they would pass for silent ones
        parts = [self._kept(asked, fresh if whole else set())]
        if whole:
            parts += [self._computed(asked.points, run, asked.now) for run in runs(fresh)]
        return pa.concat_tables(parts), whole

    def _kept(self, asked: Asked, fresh: set[int]) -> pa.Table:
        sql = (
            f"SELECT {', '.join(FIGURES.names)} FROM quality_1h FINAL WHERE point IN {{points:Array(UInt64)}} "  # noqa: S608
            f"AND ts >= {{start:Int64}} AND ts < {{end:Int64}} AND {IS_THERE}"
        )
        parts = [FIGURES.empty_table()]
        for begin in range(0, len(asked.points), _AT_ONCE):
            named = asked.points[begin : begin + _AT_ONCE].tolist()
            found = self._engine.query(sql, {"points": named, "start": asked.start, "end": asked.end})
            if found.num_rows:
                parts.append(found.select(FIGURES.names).cast(FIGURES))
        kept = pa.concat_tables(parts)
        hours = np.fromiter(fresh, np.int64, len(fresh))
        return kept.filter(pa.array(~np.isin(kept.column("ts").to_numpy() // HOUR, hours)))

    def _computed(self, points: Ids, run: list[int], now: int) -> pa.Table:
        start, end = run[0] * HOUR, min((run[-1] + 1) * HOUR, now)
        if end <= start:
            return FIGURES.empty_table()
        parts = []
        for begin in range(0, len(points), _AT_ONCE):
            named = points[begin : begin + _AT_ONCE]
            age = self._ages(named.tolist())
            figures = Figures(named, age, start, end, HOUR)
            for rows in self._samples.seeded(named, age, start, end):
                figures.add(rows)
            parts.append(figures.result())
        return pa.concat_tables(parts)


def _of_figures(asked: Asked, figures: pa.Table, since: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The figures summed, with what follows from what is missing in them. `since`: when each point is expected from;
    hours before count for nothing."""
    row = np.searchsorted(asked.points, figures.column("point").to_numpy())
    due = figures.column("ts").to_numpy() + HOUR > since[row]
    figures, row = figures.filter(pa.array(due)), row[due]
    ts = figures.column("ts").to_numpy()
    key = asked.group[row] * asked.windows + asked.window(ts)

    def summed(values: NDArray[Any]) -> NDArray[np.int64]:
        return np.bincount(key, values.astype(np.float64), asked.size).astype(np.int64)

    names = ("n", *(f"{name}_us" for name in TIMES))
    columns = {name: summed(figures.column(name).to_numpy()) for name in names}
    told = sum(figures.column(f"{name}_us").to_numpy() for name in ("good", "uncertain", "bad"))
    # What a person entered for a time just before is known without being expected.
    rest = np.maximum(np.minimum(ts + HOUR, asked.now) - since[row], 0)
    more = np.where(ts < since[row], np.maximum(told - rest, 0), 0)
    columns["expected_us"] = _expected(asked, since) + summed(more)
    columns["silent_us"] = np.maximum(columns["expected_us"] - summed(told), 0)
    cause = f"{CAUSES[judgement().silence]}_us"
    columns[cause] = columns[cause] + columns["silent_us"]
    columns["group"] = np.repeat(asked.groups, asked.windows)
    columns["ts"] = np.tile(asked.opens(), len(asked.groups))
    columns["points"] = np.repeat(np.bincount(asked.group, minlength=len(asked.groups)), asked.windows)
    return columns


def _expected(asked: Asked, since: NDArray[np.int64]) -> NDArray[np.int64]:
    """The time in which something is expected of each group's points in each window, flat; µs."""
    since = np.clip(since, asked.start, asked.end)
    first = np.minimum(asked.window(since), asked.windows - 1)
    spot = asked.group * asked.windows + first
    shape = (len(asked.groups), asked.windows)
    begun = np.bincount(spot, minlength=asked.size).reshape(shape)
    opens, lengths = asked.opens(), asked.lengths()
    part = np.maximum(opens[first] + lengths[first] - since, 0)
    parts = np.bincount(spot, part, asked.size).astype(np.int64)
    return ((np.cumsum(begun, axis=1) - begun) * lengths).ravel() + parts
