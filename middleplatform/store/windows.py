"""Which hours of which points must be rolled up (again): dirty windows, kept on disk.

Every sample changes the windows from its own instant to its hold age later. So before samples are written, the
hours that they change are marked here, on disk; the roll-up takes marks away only after its own rows are on disk.
Whatever is killed between, an hour whose roll-ups may lack a sample is marked, and is answered from the samples.

All hours from `open_from` on are dirty without a mark: there life writes. A mark of few samples names their points,
one of many samples the whole hour.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.engine import Engine
from middleplatform.store.rollup_tables import HOUR

DAY_HOURS = 24
CLOSE_US = 60_000_000
"""How long after its end an hour still counts as open: what is on its way then comes in before the roll-up."""
QUIET_S = 5.0
"""An hour that is being written to is rolled up when this long nothing came."""
AGAIN_S = 60.0
"""Until work that failed is tried again."""
FEW = 1_000
"""Rows up to which a write marks its points, beyond it the whole hours."""
MOST_POINTS = 256
"""Points marked in an hour beyond which the whole hour is."""
REACH_HOURS = 3
"""Hours that a sample can change, its own included: no value holds longer than two (`models.site.schema` bounds the
silence by an hour, `catalogue.HOLDS` doubles it)."""

_POINT, _WHOLE, _OPEN, _MADE = 0, 1, 2, 3
"""A mark of one point's hour, of an hour of all points, of all hours from this one on; and, in place of the hour, which
`MADE` the unmarked hours are of."""
_AGED_POINT, _AGED_WHOLE = 4, 5
"""As the first two, of hours whose samples are what they were: their values hold for another time than before."""
MADE = 3
"""What is made of an hour that is not dirty: 3 has stays and quarters. Where a store has less, or a backup that was
brought back, every hour is dirty."""

_SCHEMA = pa.schema(
    [("kind", pa.uint8()), ("hour", pa.int64()), ("point", pa.uint64()), ("dirty", pa.uint8()), ("ver", pa.uint64())]
)

# Without FINAL: of rows that replace each other the highest version is there in any case. `dirty` keeps the marks that
# were taken away.
_WRITTEN = f"""SELECT kind, hour, point FROM dirty WHERE kind IN ({_POINT}, {_WHOLE}) AND hour >= {{low:Int64}}
AND hour < {{high:Int64}} AND ver > {{since:UInt64}} GROUP BY kind, hour, point ORDER BY kind, hour, point"""  # noqa: S608

Points = NDArray[np.uint64]
_NO_POINTS: Points = np.empty(0, np.uint64)


@dataclass(frozen=True)
class Marks:
    """Hours (since 1970) of all points, and hours of some points (sorted)."""

    whole: set[int] = field(default_factory=set)
    some: dict[int, Points] = field(default_factory=dict)

    @classmethod
    def reaching(cls, hours: Iterable[int], points: Points) -> Marks:
        """All hours that samples of these points (sorted) in these hours can change."""
        spread = {hour + step for hour in hours for step in range(REACH_HOURS)}
        return cls(whole=spread) if len(points) > MOST_POINTS else cls(some=dict.fromkeys(spread, points))

    def __bool__(self) -> bool:
        return bool(self.whole or self.some)

    def hours(self) -> set[int]:
        return self.whole | self.some.keys()

    def add(self, other: Marks) -> None:
        self.whole.update(other.whole)
        for hour, points in other.some.items():
            # Also of an hour that is marked whole: on disk they are marks of their own, to be taken away with it.
            self.some[hour] = np.union1d(self.some[hour], points) if hour in self.some else points

    def pop(self, hours: set[int]) -> Marks:
        """Take these hours out."""
        return Marks(
            {hour for hour in hours if _removed(self.whole, hour)},
            {hour: self.some.pop(hour) for hour in hours & self.some.keys()},
        )

    def touching(self, points: Points, low: int, high: int) -> set[int]:
        """The hours of low ≤ hour < high that are marked for any of `points`."""
        found = {hour for hour in self.whole if low <= hour < high}
        for hour, marked in self.some.items():
            if low <= hour < high and np.isin(marked, points, assume_unique=True).any():
                found.add(hour)
        return found

    def of(self, points: Points, low: int, high: int) -> Marks:
        """Those of `points` (sorted) in low ≤ hour < high."""
        some = {
            hour: np.intersect1d(marked, points, assume_unique=True)
            for hour, marked in self.some.items()
            if low <= hour < high
        }
        whole = {hour for hour in self.whole if low <= hour < high}
        return Marks(whole, {hour: marked for hour, marked in some.items() if len(marked)})

    def rows(self, dirty: bool, ver: int, aged: bool = False) -> pa.Table:
        hours = [np.full(len(points), hour, np.int64) for hour, points in self.some.items()]
        whole = np.array(sorted(self.whole), np.int64)
        count = sum(map(len, hours))
        return _rows(
            np.append(
                np.full(count, _AGED_POINT if aged else _POINT, np.uint8),
                np.full(len(whole), _AGED_WHOLE if aged else _WHOLE, np.uint8),
            ),
            np.concatenate([*hours, whole]),
            np.concatenate([*self.some.values(), np.zeros(len(whole), np.uint64)]),
            dirty,
            ver,
        )


def _removed(hours: set[int], hour: int) -> bool:
    if hour not in hours:
        return False
    hours.remove(hour)
    return True


def _rows(kind: NDArray[np.uint8], hour: NDArray[np.int64], point: Points, dirty: bool, ver: int) -> pa.Table:
    count = len(kind)
    flags, vers = np.full(count, dirty, np.uint8), np.full(count, ver, np.uint64)
    return pa.Table.from_arrays([pa.array(column) for column in (kind, hour, point, flags, vers)], schema=_SCHEMA)


class Windows:
    """Safe to use from several threads. `clock`: UTC, µs."""

    def __init__(
        self, engine: Engine, clock: Callable[[], int] = lambda: time.time_ns() // 1000, quiet_s: float = QUIET_S
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._quiet_s = quiet_s
        self._lock = threading.RLock()
        self._marks, self._aged = Marks(), Marks()
        self._taken, self._taken_aged = Marks(), Marks()
        self._flights: list[tuple[int, int]] = []
        self._touched: dict[int, float] = {}
        self._ver = clock()
        self._load()

    def _load(self) -> None:
        rows = self._engine.execute("SELECT kind, hour, point, dirty, ver FROM dirty FINAL ORDER BY kind, hour, point")
        if not rows.num_rows:
            self.open_from = self._clock() // HOUR
            self.mark(self._with_data(-(2**40), self.open_from))
            self._write(pa.concat_tables([_open(self.open_from, self.version()), _made(self.version())]))
            return
        kind, hour, point, dirty, ver = (column.to_numpy() for column in rows.columns)
        self._ver = max(self._ver, int(ver.max()))
        self.open_from = int(hour[kind == _OPEN].max())
        live = dirty == 1
        for marks, of_whole, of_point in ((self._marks, _WHOLE, _POINT), (self._aged, _AGED_WHOLE, _AGED_POINT)):
            marks.whole.update(hour[live & (kind == of_whole)].tolist())
            named = live & (kind == of_point)
            hours, first = np.unique(hour[named], return_index=True)
            marks.some.update(zip(hours.tolist(), np.split(point[named], first[1:]), strict=False))
        if hour[kind == _MADE].max(initial=0) < MADE:
            self.mark(self._with_data(-(2**40), self.open_from))
            self._write(_made(self.version()))

    @property
    def dirty_hours(self) -> int:
        """Marked hours that wait to be rolled up."""
        with self._lock:
            return len(set().union(*(marks.hours() for marks in self._all())))

    def _all(self) -> tuple[Marks, ...]:
        return self._marks, self._aged, self._taken, self._taken_aged

    @contextmanager
    def touching(self, point: Points, ts: NDArray[np.int64], longest: int) -> Iterator[None]:
        """Around the writing of samples: what they change is marked on disk before. `longest`: the longest hold
        age of the points, µs. Raises EngineError; then nothing may be written."""
        with self._in_flight(int(ts.min()) // HOUR, (int(ts.max()) + longest) // HOUR) as flight:
            new = self._new(point, ts, longest, *flight)
            if new:
                self.mark(new)
            yield

    @contextmanager
    def writing(self, marks: Marks) -> Iterator[None]:
        """As `touching`, for a writer that knows the hours."""
        hours = marks.hours()
        with self._in_flight(min(hours, default=0), max(hours, default=-1)):
            self.mark(marks)
            yield

    def mark(self, marks: Marks, aged: bool = False) -> None:
        """Mark on disk, then for the readers; hours that are open need no mark. `aged`: their samples are what they
        were, but hold for another time."""
        with self._lock:
            marks = Marks(
                {hour for hour in marks.whole if hour < self.open_from},
                {hour: points for hour, points in marks.some.items() if hour < self.open_from},
            )
            ver = self.version()
        if marks:
            self._write(marks.rows(True, ver, aged))
            with self._lock:
                (self._aged if aged else self._marks).add(marks)

    @contextmanager
    def _in_flight(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        flight = (low, high)
        with self._lock:
            self._flights.append(flight)
        try:
            yield flight
        finally:
            with self._lock:
                self._flights.remove(flight)
                if low < self.open_from:
                    now = time.monotonic()
                    self._touched.update({hour: now for hour in self._marks.hours() if low <= hour <= high})

    def _new(self, point: Points, ts: NDArray[np.int64], longest: int, low: int, high: int) -> Marks:
        """The marks that these samples need and that are not there."""
        with self._lock:
            if low >= self.open_from or self._marks.whole.issuperset(range(low, min(high + 1, self.open_from))):
                return Marks()
            steps = range(longest // HOUR + 2)
            hours = np.concatenate([np.minimum(ts + step * HOUR, ts + longest) // HOUR for step in steps])
            if len(ts) > FEW:
                # Counted, not sorted: a large write has millions of rows in a few hours.
                counts = np.bincount(hours - low)
                return Marks(set((np.flatnonzero(counts) + low).tolist()) - self._marks.whole)
            points = np.tile(point, len(steps))
            new = Marks()
            for hour in np.unique(hours).tolist():
                if hour in self._marks.whole:
                    continue
                there = np.unique(points[hours == hour])
                held = self._marks.some.get(hour, _NO_POINTS)
                there = there[~np.isin(there, held, assume_unique=True)]
                if len(held) + len(there) > MOST_POINTS:
                    new.whole.add(hour)
                elif len(there):
                    new.some[hour] = there
            return new

    def dirty(self, points: Points, low: int, high: int) -> tuple[set[int], int]:
        """The hours of low ≤ hour < high that are marked for any of `points` (sorted), and the first open hour: the
        roll-ups of these may not be what the samples say."""
        with self._lock:
            return set().union(*(marks.touching(points, low, high) for marks in self._all())), self.open_from

    def marked(self, points: Points, low: int, high: int) -> tuple[Marks, int]:
        """The marks of these points (sorted) in low ≤ hour < high whose samples may have changed, and the first open
        hour."""
        with self._lock:
            found = Marks()
            for marks in (self._marks, self._taken):
                found.add(marks.of(points, low, high))
            return found, self.open_from

    def written(self, low: int, high: int, since: int) -> Marks:
        """The hours of low ≤ hour < high that were marked for samples, or taken from there, since a version: also those
        whose roll-ups are done."""
        rows = self._engine.query(_WRITTEN, {"low": low, "high": high, "since": since})
        if not rows.num_rows:
            return Marks()
        kind, hour, point = (column.to_numpy() for column in rows.columns)
        named = kind == _POINT
        hours, first = np.unique(hour[named], return_index=True)
        some = dict(zip(hours.tolist(), np.split(point[named], first[1:]), strict=False))
        return Marks(set(hour[~named].tolist()), some)

    def take(self) -> Taken | None:
        """Marks of one day to roll up, of the newest that has any; to be given back by `done` or `undone`.
        Hours that are open, or written to just now, wait."""
        closed = (self._clock() - CLOSE_US) // HOUR
        with self._lock:
            self._close(closed)
            now = time.monotonic()
            due = {
                hour
                for hour in self._marks.hours() | self._aged.hours()
                if hour < closed and now - self._touched.get(hour, -np.inf) >= self._quiet_s
            }
            for low, high in self._flights:
                due.difference_update([hour for hour in due if low <= hour <= high])
            if not due:
                return None
            day = max(due) // DAY_HOURS
            hours = {hour for hour in due if hour // DAY_HOURS == day}
            marks, aged = self._marks.pop(hours), self._aged.pop(hours)
            self._taken.add(marks)
            self._taken_aged.add(aged)
            return Taken(marks, aged, self.version())

    def done(self, taken: Taken) -> None:
        """The roll-ups of these windows are on disk."""
        # A mark that was made since has a higher version and stays.
        self._write(
            pa.concat_tables([taken.marks.rows(False, taken.ver), taken.aged.rows(False, taken.ver, aged=True)])
        )
        with self._lock:
            self._taken.pop(taken.hours())
            self._taken_aged.pop(taken.hours())
            for hour in taken.hours():
                self._touched.pop(hour, None)

    def undone(self, taken: Taken) -> None:
        """They are not, and stay dirty. Other days have their turn first: one that cannot be read holds up none."""
        with self._lock:
            self._touched.update(dict.fromkeys(taken.hours(), time.monotonic() + AGAIN_S - self._quiet_s))
            self._marks.add(self._taken.pop(taken.hours()))
            self._aged.add(self._taken_aged.pop(taken.hours()))

    def _close(self, closed: int) -> None:
        """Turn the open hours before `closed` into marked ones."""
        opened = self.open_from
        if closed <= opened or any(low < closed and high >= opened for low, high in self._flights):
            return
        marks = self._with_data(opened, closed)
        ver = self.version()
        self._write(pa.concat_tables([marks.rows(True, ver), _open(closed, ver)]))
        self.open_from = closed
        self._marks.add(marks)

    def _with_data(self, low: int, high: int) -> Marks:
        """All hours of low ≤ hour < high that a stored sample can have changed, by the days that have any."""
        days = np.array(sorted(self._engine.parts("samples")), np.int64)
        hours = (days[:, None] * DAY_HOURS + np.arange(DAY_HOURS + REACH_HOURS)).ravel()
        return Marks(set(hours[(hours >= low) & (hours < high)].tolist()))

    def version(self) -> int:
        """A number higher than all before, also of earlier runs."""
        with self._lock:
            self._ver += 1
            return self._ver

    def _write(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self._engine.insert("dirty", rows)


def _open(hour: int, ver: int) -> pa.Table:
    return _rows(np.full(1, _OPEN, np.uint8), np.full(1, hour, np.int64), np.zeros(1, np.uint64), True, ver)


def _made(ver: int) -> pa.Table:
    return _rows(np.full(1, _MADE, np.uint8), np.full(1, MADE, np.int64), np.zeros(1, np.uint64), True, ver)


@dataclass(frozen=True)
class Taken:
    """Marks being worked on, and the version at which they were taken: higher than theirs, lower than of any later."""

    marks: Marks
    aged: Marks
    ver: int

    def hours(self) -> set[int]:
        return self.marks.hours() | self.aged.hours()

    def all(self) -> Marks:
        """What is to be made anew, for whatever reason."""
        found = Marks()
        found.add(self.marks)
        found.add(self.aged)
        return found


def runs(hours: Iterable[int]) -> list[list[int]]:
    """The hours in rising order, cut where one is missing."""
    ordered = np.array(sorted(hours), np.int64)
    if not len(ordered):
        return []
    return [run.tolist() for run in np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1)]
