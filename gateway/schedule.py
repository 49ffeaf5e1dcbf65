"""When to poll: a fixed-rate schedule on the monotonic clock.

Instant k of a group is base + k * period, computed and never summed up, so that nothing drifts; base
lies on the wall clock's grid of the period plus the phase. A connection reads one group at a time:
of those that are due the one that has waited longest comes first, so that none starves. An instant
that passed unread is skipped and counted, never made up for by a burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.site.model import Connection


@dataclass(slots=True)
class PollGroup:
    """One poll group and its counts. Times are seconds of the monotonic clock."""

    name: str
    period: float
    base: float
    """The first instant."""
    number: int = 0
    """The instant that comes next."""
    answered: int = 0
    overruns: int = 0
    """Polls that ended only after the next instant had come."""
    skipped: int = 0
    """Instants that passed unread, because the device was too slow or not there."""

    @property
    def instant(self) -> float:
        return self.base + self.number * self.period

    def due(self, now: float) -> int:
        """How many polls were due until now, read or not."""
        return max(0, math.floor((now - self.base) / self.period) + 1)

    def skip_to(self, now: float) -> None:
        """Leave out the instants whose successor has come too."""
        passed = math.floor((now - self.instant) / self.period)
        if passed > 0:
            self.number += passed
            self.skipped += passed

    def resume(self, now: float) -> None:
        """After a time without a link: go on with the next instant that is still to come."""
        ahead = max(0, math.ceil((now - self.instant) / self.period))
        self.number += ahead
        self.skipped += ahead

    def ended(self, now: float, answered: bool) -> None:
        """The read for the present instant is over."""
        self.answered += answered
        self.overruns += now >= self.instant + self.period
        self.number += 1


class Lane:
    """The groups of one connection, which share one request at a time."""

    def __init__(self, groups: Iterable[PollGroup]) -> None:
        self.groups = tuple(groups)

    def resume(self, now: float) -> None:
        for group in self.groups:
            group.resume(now)

    def next(self, now: float) -> tuple[PollGroup | None, float]:
        """The group to read now; or None and the seconds until one is due (infinity without groups)."""
        due = [group for group in self.groups if group.instant <= now]
        if not due:
            return None, min((group.instant for group in self.groups), default=math.inf) - now
        first = min(due, key=lambda group: (group.instant, group.period))
        first.skip_to(now)
        return first, 0.0


def phases(connections: Sequence[Connection]) -> Mapping[tuple[str, str], float]:
    """The phase in seconds of each (connection, group). Groups without one are spread evenly over
    their period, in the order of their names: the same site gives the same phases."""
    found: dict[tuple[str, str], float] = {}
    open_by_period: dict[float, list[tuple[str, str]]] = {}
    for connection in sorted(connections, key=lambda one: one.name):
        for group in sorted(connection.groups.values(), key=lambda one: one.name):
            key = (connection.name, group.name)
            if group.phase_s is None:
                open_by_period.setdefault(group.period_s, []).append(key)
            else:
                found[key] = group.phase_s % group.period_s
    for period, keys in open_by_period.items():
        for place, key in enumerate(keys):
            # On a grid of 1 ms where the period allows: times are easier to read and to compress.
            phase = place / len(keys) * period
            found[key] = math.floor(phase * 1000) / 1000 if period >= 0.1 else phase
    return found


def first_instant(period: float, phase: float, now_us: int, offset_us: int) -> float:
    """The first instant from now on, on the wall clock's grid, as seconds of the monotonic clock.
    `now_us`: the monotonic clock; `offset_us`: what makes it UTC."""
    ahead = (round(phase * 1e6) - now_us - offset_us) % round(period * 1e6)
    return (now_us + ahead) / 1e6
