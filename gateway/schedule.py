"""When to poll: a fixed-rate schedule on the monotonic clock, in whole microseconds.

Instant k of a group is base + k * period, computed and never summed up, so that nothing drifts; base
lies on the wall clock's grid of the period plus the phase. Times are integers, so that an instant is
either reached or not, and no rounding lies between. A connection reads one group at a time: of
those that are due the one of the highest priority comes first, among equals the one that has waited
longest. A group that others were preferred to PATIENCE times in a row comes before all of them, so
that none starves. An instant that passed unread is skipped and counted, never made up for by a burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.site.model import DEFAULT_PRIORITY, Connection

PATIENCE = 5
"""Reads of higher groups that a due group lets pass before it comes first itself."""
FAR_US = 3_600_000_000
"""How long to wait when there is nothing to wait for."""


@dataclass(slots=True)
class PollGroup:
    """One poll group and its counts. Times are µs of the monotonic clock."""

    name: str
    period_us: int
    base_us: int
    """The first instant."""
    priority: int = DEFAULT_PRIORITY
    """1 … 9: the higher is read first."""
    number: int = 0
    """The instant that comes next."""
    answered: int = 0
    overruns: int = 0
    """Polls that ended only after the next instant had come."""
    skipped: int = 0
    """Instants that passed unread, because the device was too slow or not there."""
    passed_over: int = 0
    """Reads of other groups since this one has been due."""

    @property
    def instant_us(self) -> int:
        return self.base_us + self.number * self.period_us

    @property
    def period_s(self) -> float:
        return self.period_us / 1e6

    def due(self, now_us: int) -> int:
        """How many polls were due until now, read or not."""
        return max(0, (now_us - self.base_us) // self.period_us + 1)

    def skip_to(self, now_us: int) -> None:
        """Leave out the instants whose successor has come too."""
        passed = (now_us - self.instant_us) // self.period_us
        if passed > 0:
            self.number += passed
            self.skipped += passed

    def resume(self, now_us: int) -> None:
        """After a time without a link: go on with the next instant that is still to come."""
        ahead = max(0, -((self.instant_us - now_us) // self.period_us))
        self.number += ahead
        self.skipped += ahead
        self.passed_over = 0

    def ended(self, now_us: int, answered: bool) -> None:
        """The read for the present instant is over."""
        self.answered += answered
        self.overruns += now_us >= self.instant_us + self.period_us
        self.number += 1


class Lane:
    """The groups of one connection, which share one request at a time."""

    def __init__(self, groups: Iterable[PollGroup]) -> None:
        self.groups = tuple(groups)

    def resume(self, now_us: int) -> None:
        for group in self.groups:
            group.resume(now_us)

    def next(self, now_us: int) -> tuple[PollGroup | None, int]:
        """The group to read now; or None and the µs until one is due."""
        due = [group for group in self.groups if group.instant_us <= now_us]
        if not due:
            return None, min((group.instant_us - now_us for group in self.groups), default=FAR_US)
        first = min(due, key=_turn)
        for group in due:
            group.passed_over += 1
        first.passed_over = 0
        first.skip_to(now_us)
        return first, 0


def _turn(group: PollGroup) -> tuple[bool, int, int, int]:
    """Sorts the groups that are due: who has lost patience, the higher priority, the longest wait."""
    impatient = group.passed_over >= PATIENCE
    return not impatient, 0 if impatient else -group.priority, group.instant_us, group.period_us


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


def first_instant(period_us: int, phase_us: int, now_us: int, offset_us: int) -> int:
    """The first instant from now on, on the wall clock's grid, µs of the monotonic clock.
    `now_us`: the monotonic clock; `offset_us`: what makes it UTC."""
    return now_us + (phase_us - now_us - offset_us) % period_us
