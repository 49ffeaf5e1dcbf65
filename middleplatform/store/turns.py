"""When points turned: the stretches in which nothing that is asked of a point changed, however often it was told again.

A point is asked for its values, or only on which side of some levels its magnitude is. Values of hours that are closed
come out of the stays; those of dirty and open hours, of days with an hour of too many stays, and the points that are
asked for levels come out of the samples, in blocks. A row is time of which the value is known: good, finite, and no
older than the point's hold age. What lies between two rows of a point is not known.

Who asks of days that are over says how long each value held then: the store knows only how long it holds today, and the
stays are made by that, so what held for another time comes out of the samples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.held import Spans
from middleplatform.store.history import BLOCK_ROWS, MAX_POINTS, MAX_ROWS, History, check_points, check_range
from middleplatform.store.integrate import Rows
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.schema import DAY
from middleplatform.store.stays import Kept
from middleplatform.store.windows import REACH_HOURS, Windows, runs
from models.quality import GOOD, is_good

SCHEMA = pa.schema([("point", pa.uint64()), ("ts", pa.int64()), ("end", pa.int64()), ("value", pa.float64())])
MAX_LEVELS = 8
"""Levels of one point."""
BLOCK = 4 * DAY
"""µs of samples that are asked for at once, and put in order together where parts of a day lie in each other."""

MAX_HOLD = REACH_HOURS * HOUR - HOUR
"""µs that a value may be asked to hold."""
MAX_HELD = 6_000_000
"""Samples that are put in order together."""

Levels = Sequence[float] | None
"""Magnitudes; None: each value matters."""


@dataclass(frozen=True)
class _Asked:
    """`points` (uint64, sorted) and their hold ages, µs; `levels` [n, most of any], padded with infinity; `values` [n]:
    of which each value matters; `stays` [n]: of which the stays say it, as they are made by the same ages."""

    points: NDArray[np.uint64]
    age: NDArray[np.int64]
    levels: NDArray[np.float64]
    values: NDArray[np.bool_]
    stays: NDArray[np.bool_]

    def kind(self, point: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """[m] what is asked of each point's value: itself, or how many of its levels it is over."""
        if self.values.all():
            return value
        size = np.abs(value)
        over = np.zeros(len(value))
        for column in self.levels.T:
            over += size > column[point]
        return np.where(self.values[point], value, over)

    def joined(self, spans: Spans) -> Spans:
        """Spans in the order of point and time; those that follow on each other and of which the same holds as one,
        under the first one's value."""
        if not len(spans):
            return spans
        kind = self.kind(spans.point, spans.value)
        same = (spans.point[1:] == spans.point[:-1]) & (spans.begin[1:] == spans.end[:-1]) & (kind[1:] == kind[:-1])
        first = np.flatnonzero(np.append(True, ~same))
        found = spans.take(first)
        found.end = spans.end[np.append(first[1:], len(spans)) - 1]
        return found


class Turns:
    """Answers out of the stays, and of the samples where these do not hold it. Blocking; from any thread."""

    def __init__(self, engine: Engine, windows: Windows, history: History) -> None:
        self._kept = Kept(engine)
        self._windows = windows
        self._history = history

    def turns(
        self,
        points: Sequence[int],
        start: int,
        end: int,
        levels: Sequence[Levels],
        holds: Sequence[int] | None = None,
    ) -> pa.Table:
        """`levels`: of each of `points`; `holds`: for how long a value of each holds, µs, by default as the catalogue
        says now. Columns of SCHEMA, ordered by point and ts, within start ≤ t < end, µs. Raises StoreError."""
        asked = self._asked(points, start, end, levels, holds)
        parts: list[Spans] = []
        count = 0
        for spans in self._parts(asked, start, end):
            parts.append(asked.joined(spans))
            count += len(parts[-1])
            if count > 2 * MAX_ROWS:
                break
        found = Spans.joining(parts) if parts else None
        if found is None or not len(found):
            return SCHEMA.empty_table()
        found = asked.joined(found.take(_order(found.point, found.begin)))
        if len(found) > MAX_ROWS or count > 2 * MAX_ROWS:
            raise StoreError(f"the points turn over {MAX_ROWS} times: ask for a shorter range or fewer points")
        return pa.table([asked.points[found.point], found.begin, found.end, found.value], schema=SCHEMA)

    def _asked(
        self, points: Sequence[int], start: int, end: int, levels: Sequence[Levels], holds: Sequence[int] | None
    ) -> _Asked:
        check_points(points)
        check_range(start, end)
        for name, given in (("levels", levels), ("holds", holds)):
            if given is not None and len(given) != len(points):
                raise StoreError(f"{name} are given for {len(given)} of {len(points)} points")
        of = dict(zip(points, levels, strict=True))
        asked, now, _ = self._history.reading(points, start, end)
        held = dict(zip(points, holds or (), strict=False))
        age = np.array([held[point] for point in asked.tolist()], np.int64) if held else now
        ordered = [of[point] for point in asked.tolist()]
        most = max((len(each) for each in ordered if each is not None), default=0)
        table = np.full((len(asked), most), np.inf)
        for number, each in enumerate(ordered):
            table[number, : len(each or ())] = each or ()
        values = np.array([each is None for each in ordered])
        return _Asked(asked, age, table, values, values & (age == now))

    def _parts(self, asked: _Asked, start: int, end: int) -> Iterator[Spans]:
        """Spans that do not overlap, each part's in the order of point and time."""
        low, high = start // HOUR, -(-end // HOUR)
        of_stays = np.flatnonzero(asked.stays)
        from_samples: dict[int, set[int]] = defaultdict(set)  # day → numbers of points
        if len(of_stays):
            named = asked.points[of_stays]
            dirty, open_from = self._windows.dirty(named, low, high)
            opened = max(low, min(open_from, high))
            kept, many = self._kept.read(asked.points, named, low * HOUR, opened * HOUR)
            # What became dirty meanwhile as well: its stays may be half old and half new.
            dirty |= self._windows.dirty(named, low, high)[0]
            dirty = {hour for hour in dirty if hour < opened}
            out = np.zeros(high - low, bool)
            out[[hour - low for hour in dirty]] = True
            many = many.take(~out[many.begin // HOUR - low])
            for day, point in set(zip((many.begin // DAY).tolist(), many.point.tolist(), strict=True)):
                from_samples[day].add(point)
            yield _within(_without(kept, out, low, from_samples), start, end)
            for run in [*runs(dirty), range(opened, high)]:
                if not len(run):
                    continue
                for day in range(run[0] * HOUR // DAY, run[-1] * HOUR // DAY + 1):
                    left = np.setdiff1d(of_stays, list(from_samples.get(day, ())), assume_unique=True)
                    begin = max(start, run[0] * HOUR, day * DAY)
                    until = min(end, (run[-1] + 1) * HOUR, (day + 1) * DAY)
                    yield from self._of_samples(asked, left, begin, until)
        others = np.flatnonzero(~asked.stays)
        for first, past, more in _days(from_samples, start, end):
            numbers = np.union1d(others, np.array(more, np.intp))
            yield from self._of_samples(asked, numbers, first, past)

    def _of_samples(self, asked: _Asked, numbers: NDArray[np.intp], start: int, end: int) -> Iterator[Spans]:
        if not len(numbers):
            return
        points, age = asked.points[numbers], asked.age[numbers]
        for begin in range(start, end, BLOCK):
            until = min(end, begin + BLOCK)
            held: list[Rows] = []
            parts: list[_Runs] = []
            for rows in self._history.blocks(points, age, begin, until):
                parts.append(_Runs.of(asked, numbers, rows))
                if len(held) * BLOCK_ROWS < MAX_HELD:
                    held.append(rows)
            runs = _Runs.joining(parts)
            if runs.crossed():
                # A late part of a day lies within one that was merged, and the engine read one after the other.
                if len(held) < len(parts):
                    raise StoreError(
                        "samples came late among very many others: ask for a shorter range or fewer points"
                    )
                runs = _Runs.of(asked, numbers, _together(held))
            yield _within(runs.spans(), begin, until)


@dataclass
class _Runs:
    """Stretches of samples that say the same, by point and time: `begin` of the first, `told` when the last one was,
    `end` of what that one says if no other follows. One that is not good ends the one before it."""

    point: NDArray[np.int64]
    begin: NDArray[np.int64]
    told: NDArray[np.int64]
    end: NDArray[np.int64]
    value: NDArray[np.float64]
    good: NDArray[np.bool_]

    @staticmethod
    def of(asked: _Asked, numbers: NDArray[np.intp], rows: Rows) -> _Runs:
        point = numbers[rows.point]
        end = rows.ts + asked.age[point]
        same = point[1:] == point[:-1]
        goes_on = same & (end[:-1] >= rows.ts[1:])
        good = is_good(rows.quality) & np.isfinite(rows.value)
        kind = np.where(good, asked.kind(point, rows.value), np.nan)
        first = np.flatnonzero(np.append(True, ~(goes_on & (kind[1:] == kind[:-1]))))
        last = np.append(first[1:], len(point)) - 1
        return _Runs(point[first], rows.ts[first], rows.ts[last], end[last], rows.value[first], good[first])

    @staticmethod
    def joining(parts: Sequence[_Runs]) -> _Runs:
        """All of them, in order."""
        none: list[NDArray[Any]] = [np.empty(0, kind) for kind in (np.intp, int, int, int, float, bool)]
        columns = [
            np.concatenate([empty, *(getattr(part, each.name) for part in parts)])
            for each, empty in zip(fields(_Runs), none, strict=True)
        ]
        order = _order(columns[0], columns[1])
        return _Runs(*(column[order] for column in columns))

    def crossed(self) -> bool:
        """Whether one begins before the last sample of another of its point."""
        return bool(((self.point[1:] == self.point[:-1]) & (self.begin[1:] <= self.told[:-1])).any())

    def spans(self) -> Spans:
        """The time of which the value is known."""
        same = np.append(self.point[1:] == self.point[:-1], False)[: len(self.point)]
        after = np.append(self.begin[1:], 0)[: len(self.point)]
        end = np.where(same, np.minimum(self.end, after), self.end)
        quality = np.full(len(end), GOOD, np.uint8)
        return Spans(self.point, self.begin, end, self.value, quality).take(self.good)


def _together(blocks: Sequence[Rows]) -> Rows:
    """Rows of several blocks in order."""
    columns = [np.concatenate([getattr(block, name.name) for block in blocks]) for name in fields(Rows)]
    order = np.lexsort((columns[1], columns[0]))
    return Rows(*(column[order] for column in columns))


def _without(kept: Spans, out: NDArray[np.bool_], low: int, from_samples: Mapping[int, set[int]]) -> Spans:
    """The stays of other hours than `out`, which begin at the hour `low`, and of other points in those days."""
    left = ~out[kept.begin // HOUR - low]
    if from_samples and len(kept):
        days, points = kept.begin // DAY, kept.point
        first, count = int(days.min()), int(points.max()) + 1
        taken = np.zeros((int(days.max()) - first + 1) * count, bool)
        for day, numbers in from_samples.items():
            if 0 <= (day - first) * count < len(taken):
                taken[[(day - first) * count + number for number in numbers if number < count]] = True
        left &= ~taken[(days - first) * count + points]
    return kept.take(left)


def _within(spans: Spans, start: int, end: int) -> Spans:
    spans = spans.take((spans.begin < end) & (spans.end > start))
    spans.begin, spans.end = np.maximum(spans.begin, start), np.minimum(spans.end, end)
    return spans


def _days(of: Mapping[int, set[int]], start: int, end: int) -> Iterator[tuple[int, int, list[int]]]:
    """[start, end) cut at the days before and after which other points are to be read."""
    begin, held = start, of.get(start // DAY, set())
    for day in range(start // DAY + 1, (end - 1) // DAY + 1):
        if (now := of.get(day, set())) != held:
            yield begin, day * DAY, sorted(held)
            begin, held = day * DAY, now
    yield begin, end, sorted(held)


def _order(point: NDArray[np.int64], begin: NDArray[np.int64]) -> NDArray[np.intp]:
    """By point and time; what is in order already costs next to nothing."""
    order = np.argsort(point.astype(np.uint16), kind="stable")  # of 16 bits it sorts by radix
    ordered, at = point[order], begin[order]
    if bool(((ordered[1:] > ordered[:-1]) | (at[1:] > at[:-1])).all()):
        return order
    return np.lexsort((begin, point))


def handlers(turns: Turns, settle: Callable[[], bool]) -> dict[str, Handler]:
    """As the door serves it; it covers all that had come off the bus when it was asked."""

    def answer(asked: Mapping[str, Any]) -> pa.Table:
        named = points(asked, MAX_POINTS)
        start, end, levels, holds = (
            whole_number(asked, "start"),
            whole_number(asked, "end"),
            _levels(asked),
            _holds(asked),
        )
        whole = settle()
        return said(turns.turns(named, start, end, levels, holds), whole)

    return {"turns": answer}


def _levels(asked: Mapping[str, Any]) -> list[Levels]:
    given = asked.get("levels")
    if not isinstance(given, list) or len(given) > MAX_POINTS or not all(_possible(each) for each in given):
        raise StoreError(f"'levels' must be a list with null or at most {MAX_LEVELS} numbers for each point")
    return given


def _holds(asked: Mapping[str, Any]) -> list[int] | None:
    given = asked.get("holds")
    if given is None:
        return None
    if (
        not isinstance(given, list)
        or len(given) > MAX_POINTS
        or not all(type(each) is int and 0 < each <= MAX_HOLD for each in given)
    ):
        raise StoreError(f"'holds' must be a list of whole numbers from 1 to {MAX_HOLD} µs, one for each point")
    return given


def _possible(levels: Any) -> bool:
    if levels is None:
        return True
    return (
        isinstance(levels, list)
        and len(levels) <= MAX_LEVELS
        and all(isinstance(level, float | int) and not isinstance(level, bool) for level in levels)
    )
