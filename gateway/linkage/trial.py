"""A site's rules on values that are given, on a simulated clock: what would trip when and why. Nothing is written, and
the values go on as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.linkage.judge import Judge, Of, Seen
from gateway.linkage.telling import why
from models.quality import GOOD
from models.site.model import Act, Linkage, Name


@dataclass(slots=True)
class Tripped:
    """A rule that would have tripped: when, why, on which samples, and when it could first have been restored or (not
    latched) was ready again. Times µs UTC."""

    rule: Linkage
    at: int
    why: Name
    inputs: list[Seen]
    needed: bool = True
    """False: all that must follow was so already, and nothing would be written."""
    well_again: int | None = None


@dataclass
class Trial:
    """Rules over points by path, in the order of `paths`. `states`: see Judge."""

    rules: Sequence[Linkage]
    paths: Sequence[str]
    start: int
    states: Mapping[str, str] = field(default_factory=dict)
    tripped: list[Tripped] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._judge = Judge(self.rules, {"all": self.paths}, self.start, self.states)
        part = self._judge.parts["all"]
        self._columns = np.array([self.paths.index(path) for path in self._judge.paths[part.points]], np.intp)
        self._good = np.full(len(self._columns), GOOD, np.uint8)
        self._so = np.zeros(len(self.rules), np.bool_)
        self._open: dict[int, Tripped] = {}
        self._quiet = False
        """Nothing follows from time alone."""

    def take(self, ts: int, values: NDArray[np.float64], quality: NDArray[np.uint8] | None = None) -> None:
        """All points' values at one time, later than the one before. NaN: not there, which no comparison fulfils.
        `quality`: good where it is not given."""
        judge = self._judge
        part = judge.parts["all"]
        due = judge.due(ts)
        good = self._good if quality is None else quality[self._columns]
        news = judge.take(part, values[self._columns], good, np.full(len(self._columns), ts), ts)
        if not news and not self._open and (due is None or due > ts) and self._quiet:
            return
        so, _ = judge.standing(ts)
        self._quiet = judge.due(ts) is None
        rising: list[int] = np.flatnonzero(so & ~self._so).tolist()
        for number in rising:
            if number not in self._open:
                seen = judge.seen(number, Of.WHEN, ts)
                self._open[number] = Tripped(self.rules[number], ts, why(seen), seen, self._needed(number, ts))
                self.tripped.append(self._open[number])
        for number, found in list(self._open.items()):
            rule = self.rules[number]
            back = judge.holds(number, Of.RESTORE, ts) if rule.latched else True
            if not so[number] and back:
                found.well_again = ts
                del self._open[number]
        self._so = so

    def standing(self, number: int, ts: int) -> tuple[bool, list[Seen]]:
        """Whether a rule's `when` holds, and what it is judged by."""
        return self._judge.holds(number, Of.WHEN, ts), self._judge.seen(number, Of.WHEN, ts)

    def _needed(self, number: int, ts: int) -> bool:
        rule = self.rules[number]
        return rule.act is Act.POWER_OFF or not rule.then or not self._judge.holds(number, Of.THEN, ts)


def ours(linkages: Sequence[Linkage], day: str) -> list[Linkage]:
    """The rules that gateways would carry out on this day (ISO)."""
    return [one for one in linkages if one.enabled and not one.mine and one.effective_from <= day]


def looked_at(rules: Sequence[Linkage], states: Mapping[str, str]) -> list[str]:
    """The paths of all points that these rules look at, and of their sensors' states, in order."""
    paths = dict.fromkeys(path for one in rules for path in one.points())
    return list(dict.fromkeys((*paths, *(states[path] for path in paths if path in states))))
