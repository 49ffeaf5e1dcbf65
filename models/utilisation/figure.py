"""The figures of a stretch of time: whole µs that add up, and the rates that follow from them.

Times are kept as integers and only added, so that a month is its days whatever the order, and a figure is the same to
the last digit however often it is made again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.spans import NOTHING, Spans
from models.utilisation.judge import Judged

UNKNOWN = "unknown"
"""In `reasons`: nobody knows whether it was intelligent."""


@dataclass(frozen=True, slots=True)
class Figure:
    """µs, all outside exclusions but those that say so. Where it is known that the unit produced: `intelligent` when
    it was, `by_hand` when it was not, `open` when nobody knows. Where nobody knows whether it produced: `blind` when it
    may have been intelligent, `blind_by_hand` when it was not. `unsure`, `unsure_by_hand`, `unsure_idle`: so much of
    `intelligent`, of `by_hand`, and of the time in which it did not produce, lies so near to a change that it may have
    been otherwise. `excluded`: of the calendar; `excluded_intelligent`, `excluded_by_hand`: so much of it in which the
    unit produced all the same, and was or is not known to have been intelligent, which speaks against the exclusion.
    `calendar`: all of it; `reasons`: by clause, the part of `by_hand` and `open` that it is the first to keep from
    counting."""

    intelligent: int = 0
    by_hand: int = 0
    open: int = 0
    blind: int = 0
    blind_by_hand: int = 0
    excluded: int = 0
    calendar: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    unsure: int = 0
    unsure_by_hand: int = 0
    unsure_idle: int = 0
    excluded_intelligent: int = 0
    excluded_by_hand: int = 0

    def __add__(self, other: Figure) -> Figure:
        times = {name: getattr(self, name) + getattr(other, name) for name in TIMES}
        return Figure(**times, reasons=dict(sorted((Counter(self.reasons) + Counter(other.reasons)).items())))

    @property
    def producing(self) -> int:
        """In which it is known to have produced, µs."""
        return self.intelligent + self.by_hand + self.open

    @property
    def idle(self) -> int:
        """In which it is known not to have produced, µs: with the other times it makes the calendar."""
        return self.calendar - self.excluded - self.producing - self.blind - self.blind_by_hand

    @property
    def rate(self) -> float | None:
        """Utilisation: of the time in which it produced and it is known how, the part that was intelligent. None where
        it did not produce."""
        return _part(self.intelligent, self.intelligent + self.by_hand)

    @property
    def least(self) -> float | None:
        """The conservative rate: all that is unknown was production by hand, and what was so though it is excluded."""
        most = self.producing + self.blind + self.blind_by_hand + self.unsure_idle + self.excluded_by_hand
        return _part(self.intelligent - self.unsure, most)

    @property
    def most(self) -> float | None:
        """The optimistic rate: all that is unknown was as good as it can have been."""
        best = self.intelligent + self.open + self.blind + self.unsure_by_hand + self.unsure_idle
        return _part(best, best + self.by_hand - self.unsure_by_hand)

    @property
    def coverage(self) -> float | None:
        """Of the time in which it produced or may have, the part of which is known how."""
        return _part(self.intelligent + self.by_hand, self.producing + self.blind + self.blind_by_hand)

    def assessable(self, coverage: float) -> bool:
        """Whether enough is known for the rate to be published."""
        return self.coverage is not None and self.coverage >= coverage


TIMES = ("intelligent", "by_hand", "open", "blind", "blind_by_hand", "unsure", "unsure_by_hand", "unsure_idle",
         "excluded", "excluded_intelligent", "excluded_by_hand", "calendar")  # fmt: skip


def _part(some: int, whole: int) -> float | None:
    return some / whole if whole else None


def figure(judged: Judged, start: int, end: int, excluded: Spans = NOTHING) -> Figure:
    """Of one unit over [start, end), without what is `excluded`."""
    (only,) = figures(judged, [(start, end)], excluded)
    return only


def figures(judged: Judged, stretches: Sequence[tuple[int, int]], excluded: Spans = NOTHING) -> list[Figure]:
    """Of one unit over each of some stretches [start, end), at least one, in order: what is said of all of them is
    reckoned once."""
    counted = excluded.gaps(stretches[0][0], stretches[-1][1])
    edges = np.array(stretches, np.int64)

    def us(spans: Spans) -> list[int]:
        before: NDArray[np.int64] = spans.before(edges)
        lasts: list[int] = (before[:, 1] - before[:, 0]).tolist()
        return lasts

    produced, by_itself = judged.produced, judged.by_itself
    known = produced.yes & counted
    blind = (counted - produced.known) - judged.stood
    against = produced.yes - counted
    doubt = (produced.doubt | by_itself.doubt) & counted
    certain_by_hand = by_itself.no - by_itself.doubt
    reasons: dict[str, list[int]] = {}
    rest = known - by_itself.yes
    for clause, verdict in judged.intelligent:
        if len(first := rest & verdict.no):
            reasons[clause.key] = us(first)
            rest = rest - verdict.no
    reasons[UNKNOWN] = us(rest)
    times = {
        "intelligent": us(known & by_itself.yes),
        "by_hand": us(known & by_itself.no),
        "open": us(known - by_itself.known),
        "blind": us(blind - certain_by_hand),
        "blind_by_hand": us(blind & certain_by_hand),
        "unsure": us(known & by_itself.yes & doubt),
        "unsure_by_hand": us(known & by_itself.no & doubt),
        "unsure_idle": us(produced.no & produced.doubt & counted),
        "excluded_intelligent": us(against & by_itself.yes),
        "excluded_by_hand": us(against - by_itself.yes),
        "calendar": (edges[:, 1] - edges[:, 0]).tolist(),
    }
    times["excluded"] = [whole - inside for whole, inside in zip(times["calendar"], us(counted), strict=True)]
    return [
        Figure(
            **{name: lasts[number] for name, lasts in times.items()},
            reasons={key: lasts[number] for key, lasts in sorted(reasons.items()) if lasts[number]},
        )
        for number in range(len(stretches))
    ]
