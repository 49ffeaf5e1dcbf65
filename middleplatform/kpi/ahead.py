"""Many days read at once: a month is one question to the store, not thirty, and each day is judged by what was read.

What a day is told is what the store would have told it: a stretch is cut where the day's question begins and ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from middleplatform.kpi.reading import Reader
from middleplatform.store.client import StoreClient
from models.counters import Counter
from models.site.model import Point
from models.spans import Spans, Times
from models.utilisation.asked import Levels
from models.utilisation.signal import Signal, hold


class Ahead(Reader):
    """Reads `signals` of points and the samples of `counters` in [start, end), µs UTC, when it is made, and answers out
    of them; asks the store for what was not read. `asked`: as of `Reader.signals`; `earlier`: point id → by how much it
    is read from before `start`, µs. Raises what the client does."""

    def __init__(
        self,
        store: StoreClient,
        start: int,
        end: int,
        signals: Sequence[Point] = (),
        asked: Mapping[int, Levels] | None = None,
        counters: Sequence[Point] = (),
        earlier: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(store)
        self._start, self._end = start, end
        self._signals: dict[int, Signal] = {}
        self._from: dict[tuple[int, int], int] = {}
        groups: dict[int, list[Point]] = defaultdict(list)
        for point in signals:
            groups[start - (earlier or {}).get(point.id, 0)].append(point)
        for begin, points in sorted(groups.items()):
            self._signals |= super().signals(points, begin, end, asked)
            self._from |= dict.fromkeys(((point.id, hold(point)) for point in points), begin)
        self._samples = self._columns(counters, start, end) if counters else {}
        self._records: dict[str, list[tuple[str, int, int | None]]] = {}

    def signals(
        self, points: Sequence[Point], start: int, end: int, asked: Mapping[int, Levels] | None = None
    ) -> dict[int, Signal]:
        missing = [point for point in points if not self._has(point, start, end)]
        found = super().signals(missing, start, end, asked) if missing else {}
        return found | {point.id: cut(self._signals[point.id], start, end) for point in points if point.id not in found}

    def _has(self, point: Point, start: int, end: int) -> bool:
        begin = self._from.get((point.id, hold(point)))
        return begin is not None and begin <= start and end <= self._end

    def abreast(
        self,
        points: Sequence[Point],
        starts: Times,
        ends: Times,
        moved: Times,
        asked: Mapping[int, Levels] | None = None,
    ) -> dict[int, Signal]:
        """By point id: what held in each [start, end), µs UTC, of some stretches of time, later by as much as each is
        moved, so that they lie one after the other (`models.utilisation.abreast`)."""
        low, high = int(starts.min()), int(ends.max())
        missing = [point for point in points if not self._has(point, low, high)]
        read = super().signals(missing, low, high, asked) if missing else {}
        found = {point.id: read[point.id] if point.id in read else self._signals[point.id] for point in points}
        return laid(found, starts, ends, moved)

    def counters(self, points: Sequence[Point], start: int, end: int) -> dict[int, Counter]:
        inside = self._start <= start and end <= self._end
        missing = [point for point in points if not inside or point.id not in self._samples]
        found = super().counters(missing, start, end) if missing else {}
        for point in points:
            if point.id not in found:
                ts, value, quality = self._samples[point.id]
                rows = slice(*np.searchsorted(ts, [start, end]).tolist())
                found[point.id] = Counter.of(ts[rows], value[rows], quality[rows], hold(point))
        return found

    def records(
        self, kind: str, mine: str, equipment: Sequence[str], start: int, end: int, longest: int
    ) -> dict[str, Spans]:
        if not (self._start <= start and end <= self._end):
            return super().records(kind, mine, equipment, start, end, longest)
        if kind not in self._records:
            self._records[kind] = self._events(None, kind, self._start, self._end)
        named = {f"{mine}/{each}" for each in equipment}
        touching = [row for row in self._records[kind] if row[0] in named and row[1] < end]
        return self._lasted(
            [row for row in touching if row[2] is None or row[2] > start or row[1] >= start], start, end, longest
        )


def cut(signal: Signal, start: int, end: int) -> Signal:
    """What a question for [start, end), µs UTC, would have been told, out of what one for more was."""
    first = int(np.searchsorted(signal.end, start, "right"))
    past = int(np.searchsorted(signal.ts, end, "left"))
    rows = slice(first, max(first, past))
    ts, ends = np.maximum(signal.ts[rows], start), np.minimum(signal.end[rows], end)
    return Signal(ts, ends, signal.value[rows], signal.good[rows])


def laid(signals: Mapping[int, Signal], starts: Times, ends: Times, moved: Times) -> dict[int, Signal]:
    """Point id → what held in each [start, end), later by as much as that is moved. All in one go: a month of hundreds
    of points would be cut tens of thousands of times."""
    if not signals:
        return {}
    ts, end, value, good = (
        np.concatenate([getattr(signal, name) for signal in signals.values()])
        for name in ("ts", "end", "value", "good")
    )
    lengths = [len(signal.ts) for signal in signals.values()]
    if not len(ts):
        return dict(signals)
    # One axis for all points: each has a stretch of it, as long as all time that anything is told of.
    low, high = int(ts.min()), int(end.max())
    width = high - low + 2
    of_rows = np.repeat(np.arange(len(lengths)) * width - low, lengths)
    of_points = np.arange(len(lengths))[:, None] * width - low
    first = np.searchsorted(end + of_rows, of_points + np.clip(starts, low - 1, high), "right")
    past = np.searchsorted(ts + of_rows, of_points + np.clip(ends, low - 1, high), "left")
    count = np.maximum(past - first, 0)
    rows = np.repeat(first.ravel() - np.cumsum(count) + count.ravel(), count.ravel()) + np.arange(count.sum())
    which = np.repeat(np.tile(np.arange(len(starts)), len(lengths)), count.ravel())
    ts = np.maximum(ts[rows], starts[which]) + moved[which]
    end = np.minimum(end[rows], ends[which]) + moved[which]
    value, good = value[rows], good[rows]
    edges = np.append(0, np.cumsum(count.sum(axis=1))).tolist()
    return {
        number: Signal(ts[a:b], end[a:b], value[a:b], good[a:b])
        for number, a, b in zip(signals, edges[:-1], edges[1:], strict=True)
    }
