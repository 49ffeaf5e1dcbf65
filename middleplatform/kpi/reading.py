"""What the store knows of points, as figures need it: signals, counters, and when events lasted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.client import StoreClient
from middleplatform.store.history import MAX_POINTS
from models.counters import Counter
from models.site.model import Point
from models.spans import Spans
from models.utilisation.asked import Levels
from models.utilisation.signal import Signal, hold

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]

Event = tuple[str, int, int | None]
"""The equipment, start and end, µs UTC; None: nobody has ended it."""

MOST_ROWS = 5_000_000
"""More than the store gives at once: it refuses then, where it would cut at a limit of its own size or less."""
MOST_EVENTS = 100_000


class Reader:
    """Reads one store. Raises what its client does."""

    def __init__(self, store: StoreClient) -> None:
        self._store = store

    def signals(
        self, points: Sequence[Point], start: int, end: int, asked: Mapping[int, Levels] | None = None
    ) -> dict[int, Signal]:
        """By point id, of what held in [start, end), µs UTC, each value for as long as the point given says: that of a
        day that is over may say another than the store's does now. One of which nothing is known has an empty signal.
        `asked`: point id → the levels of which alone it matters whether its magnitude is over them, or None; of points
        that it does not name each value matters (`models.utilisation.asked`)."""
        found: dict[int, Signal] = {}
        for some in _batches(points):
            levels = [asked.get(point.id) if asked is not None else None for point in some]
            table = self._store.turns([point.id for point in some], start, end, levels, [hold(point) for point in some])
            columns = [table.column(name).to_numpy() for name in ("ts", "end", "value")]
            for point, (first, past) in zip(some, _places(table, some), strict=True):
                found[point.id] = Signal.of_runs(*(column[first:past] for column in columns))
        return found

    def samples(self, points: Sequence[Point], start: int, end: int) -> dict[int, Signal]:
        """By point id, of what was told in [start, end), µs UTC, each value at the time it was told again too: to show
        which sample decided. `signals` says the same of every instant, with far fewer rows."""
        told = self._columns(points, start, end)
        return {point.id: Signal.of(*told[point.id], point.silence_s) for point in points}

    def counters(self, points: Sequence[Point], start: int, end: int) -> dict[int, Counter]:
        """By point id, of what was told in [start, end), µs UTC."""
        samples = self._columns(points, start, end)
        return {point.id: Counter.of(*samples[point.id], hold(point)) for point in points}

    def records(
        self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int, longest: int
    ) -> dict[str, Spans]:
        """By equipment id: when events of that kind lasted, within [start, end) µs UTC; each until its end, or for
        `longest` µs where it has none or a later one: what nobody ended is not going on for ever."""
        if not equipment:
            return {}
        named = [f"{mine}/{each}" for each in equipment]
        return self._lasted(self._events(named, kind, start, end), start, end, longest)

    def events(self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int) -> list[Event]:
        """Those that touch [start, end) µs UTC, as they were recorded."""
        rows = self._events([f"{mine}/{each}" for each in equipment], kind, start, end) if equipment else []
        return [(whose.rpartition("/")[2], begin, until) for whose, begin, until in rows]

    def _events(self, equipment: Sequence[str] | None, kind: str, start: int, end: int) -> list[Event]:
        """Whose, start, end, of those that touch the range."""
        rows = self._store.events(equipment, kind, start, end, MOST_EVENTS).to_pylist()
        return [(row["equipment"], row["start"], row["end"]) for row in rows]

    def _lasted(self, rows: Sequence[Event], start: int, end: int, longest: int) -> dict[str, Spans]:
        lasted: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for whose, begin, until in rows:
            lasted[whose.rpartition("/")[2]].append(
                (begin, begin + longest if until is None else min(until, begin + longest))
            )
        return {name: Spans.of(pairs).within(start, end) for name, pairs in lasted.items()}

    def _columns(self, points: Sequence[Point], start: int, end: int) -> dict[int, Columns]:
        """By point id: the times, values and qualities of its samples, by time."""
        found: dict[int, Columns] = {}
        for some in _batches(points):
            table = self._store.raw([point.id for point in some], start, end, MOST_ROWS)
            ts, value, quality = (table.column(name).to_numpy() for name in ("ts", "value", "quality"))
            for point, (a, b) in zip(some, _places(table, some), strict=True):
                found[point.id] = ts[a:b], value[a:b], quality[a:b]
        return found


def _batches(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """As many as the store answers at once."""
    for first in range(0, len(points), MAX_POINTS):
        yield points[first : first + MAX_POINTS]


def _places(table: pa.Table, points: Sequence[Point]) -> list[tuple[int, int]]:
    """Where the rows of each point begin and end in a table that is ordered by point."""
    ids = table.column("point").to_numpy()
    wanted = np.array([point.id for point in points], np.uint64)
    first, past = np.searchsorted(ids, wanted), np.searchsorted(ids, wanted, "right")
    return list(zip(first.tolist(), past.tolist(), strict=True))
