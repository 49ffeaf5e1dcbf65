"""Points and connections from which nothing comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.alarms.finding import Act, Finding
from models.alarms.lanes import Silence
from models.alarms.rows import UNHEARD, Rows
from models.alarms.track import NEVER

if TYPE_CHECKING:
    from models.alarms.rules import Rules


class Silences:
    """A silence of one point is judged between any two of its samples; one of many from batch to batch. What a gateway
    says in the place of a connection that it does not hear (`UNHEARD`) is no word of the connection."""

    def __init__(self, silences: Sequence[Silence], count: int) -> None:
        self.limit = np.array([each.limit for each in silences], np.int64)
        self.rule = [each.rule for each in silences]
        self.subject = [each.subject for each in silences]
        self.seen = np.full(len(silences), NEVER, np.int64)
        self.active = np.zeros(len(silences), np.bool_)
        self._own, self._common = np.full(count, -1, np.intp), np.full(count, -1, np.intp)
        for number, each in enumerate(silences):
            (self._common if each.common else self._own)[list(each.points)] = number

    def columns(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        yield "seen", self.seen
        yield "active", self.active

    def begin(self, now: int) -> None:
        """What was never seen is silent from when it was first looked for."""
        if len(self.seen) and self.seen.min() == NEVER:
            self.seen[self.seen == NEVER] = now

    def judge(self, rows: Rows, rules: Rules) -> list[Finding]:
        return [*self._points(rows, rules), *self._together(rows, rules)]

    def late(self, rows: Rows, now: int) -> None:
        """What came too late to be judged was not silent all the same."""
        for place in (self._own, self._common):
            number = place[rows.point]
            kept = (number >= 0) & (rows.ts <= now)
            if place is self._common:
                kept &= ~UNHEARD[rows.quality]
            np.maximum.at(self.seen, number[kept], rows.ts[kept])

    def pardon(self, now: int) -> None:
        """Nothing was heard of anybody up to `now`: silence counts from here."""
        self.seen = np.where(self.active, self.seen, np.maximum(self.seen, now))

    def set_back(self, now: int) -> None:
        """The clock was: nothing was seen after `now`."""
        self.seen = np.minimum(self.seen, now)

    def tick(self, now: int, rules: Rules) -> list[Finding]:
        over = np.flatnonzero(~self.active & (self.seen + self.limit <= now))
        self.active[over] = True
        return [
            self._finding(number, Act.RAISE, int(self.seen[number] + self.limit[number]), rules)
            for number in over.tolist()
        ]

    def next_due(self) -> int | None:
        due = (self.seen + self.limit)[~self.active & (self.seen > NEVER)]
        return int(due.min()) if len(due) else None

    def active_of(self, rules: Rules) -> list[tuple[str, str]]:
        return [name for name, active in zip(self.names(rules), self.active.tolist(), strict=True) if active]

    def names(self, rules: Rules) -> list[tuple[str, str]]:
        """Rule and subject of each."""
        return [(rules.facts[rule].name, subject) for rule, subject in zip(self.rule, self.subject, strict=True)]

    def _points(self, rows: Rows, rules: Rules) -> list[Finding]:
        number = self._own[rows.point]
        kept = number >= 0
        number, ts = number[kept], rows.ts[kept]
        if not len(number):
            return []
        first = np.append(True, number[1:] != number[:-1])
        was = np.where(first, NEVER, np.append(NEVER, ts[:-1]))
        was = np.maximum(was, self.seen[number])
        ended = ts - was > self.limit[number]
        ended[first] |= self.active[number[first]]
        found: list[Finding] = []
        for at in np.flatnonzero(ended).tolist():
            if not (first[at] and self.active[number[at]]):
                found.append(self._finding(number[at], Act.RAISE, int(was[at] + self.limit[number[at]]), rules))
            found.append(self._finding(number[at], Act.RETURN, int(ts[at]), rules))
        last = np.append(np.flatnonzero(first)[1:], len(number)) - 1
        self.seen[number[last]] = np.maximum(self.seen[number[last]], ts[last])
        self.active[number[last]] = False
        return found

    def _together(self, rows: Rows, rules: Rules) -> list[Finding]:
        number = self._common[rows.point]
        kept = (number >= 0) & ~UNHEARD[rows.quality]
        number, ts = number[kept], rows.ts[kept]
        if not len(number):
            return []
        earliest = np.full(len(self.seen), np.iinfo(np.int64).max)
        latest = np.full(len(self.seen), NEVER)
        np.minimum.at(earliest, number, ts)
        np.maximum.at(latest, number, ts)
        there = np.flatnonzero(latest > NEVER)
        silent = earliest[there] - self.seen[there] > self.limit[there]
        found: list[Finding] = []
        for at in there[silent | self.active[there]].tolist():
            if not self.active[at]:
                found.append(self._finding(at, Act.RAISE, int(self.seen[at] + self.limit[at]), rules))
            found.append(self._finding(at, Act.RETURN, max(int(earliest[at]), int(self.seen[at])), rules))
        self.seen[there] = np.maximum(self.seen[there], latest[there])
        self.active[there] = False
        return found

    def _finding(self, number: int, act: Act, ts: int, rules: Rules) -> Finding:
        began = ts - int(self.limit[number]) if act is Act.RAISE else None
        return Finding(rules.facts[self.rule[number]].name, self.subject[number], act, ts, began=began)
