"""Several days judged in one pass: laid on one axis of time, so far apart that no rule looks from one to another.

What judging costs follows from how many steps it takes, hardly from how much each of them is given. A day that lies
among others is told, and therefore says, to the microsecond what it would by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.spans import NOTHING, Spans, Times

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """`start`, `end` [n] µs UTC: of each day, rising, none over another; `moved` [n] µs: how far each is laid behind
    its own time."""

    start: Times
    end: Times
    moved: Times

    @staticmethod
    def of(days: Sequence[tuple[int, int]], reach: int) -> Axis:
        """`days`: [start, end) µs UTC; `reach`: how far around a day anything is looked at, with all that a rule
        reckons with on its way, µs."""
        start, end = np.array(days, np.int64).reshape(-1, 2).T
        return Axis(start, end, np.arange(len(start), dtype=np.int64) * (4 * reach + DAY))

    def __len__(self) -> int:
        return len(self.start)

    @property
    def breaks(self) -> Times:
        """Instants on the axis, between two days each, at which all that came before is another day's."""
        apart = int(self.moved[1]) if len(self) > 1 else 0
        between: Times = (self.start + self.moved)[1:] - apart // 2
        return between

    def lay(self, each: Sequence[Spans]) -> Spans:
        """What is said in the times of each day and around it, in its own time → on the axis."""
        return Spans(
            np.concatenate([spans.start + by for spans, by in zip(each, self.moved, strict=True)]),
            np.concatenate([spans.end + by for spans, by in zip(each, self.moved, strict=True)]),
        )

    def cut(self, spans: Spans) -> list[Spans]:
        """What is said on the axis → of each day, in its own time, and of nothing around it."""
        first = np.searchsorted(spans.end, self.start + self.moved, "right").tolist()
        past = np.searchsorted(spans.start, self.end + self.moved, "left").tolist()
        found = []
        days = zip(first, past, self.start.tolist(), self.end.tolist(), self.moved.tolist(), strict=True)
        for a, b, start, end, moved in days:
            if a >= b:
                found.append(NOTHING)
                continue
            begins, ends = spans.start[a:b] - moved, spans.end[a:b] - moved
            begins[0], ends[-1] = max(int(begins[0]), start), min(int(ends[-1]), end)
            found.append(Spans(begins, ends))
        return found
