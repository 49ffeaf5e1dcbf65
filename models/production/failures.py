"""Failures of machines: alarms that say that a machine itself failed, with the standstill that came with them.

A failure begins with its first alarm. It ends when all of its alarms have returned and the machine runs again; so the
time to restoration holds waiting and repair, and what passes until somebody needs the machine. Down is what of it the
machine stood. A fault alarm with which the machine did not stop is no failure, whether it ran on or stood anyway; one
of which nobody knows is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.production.data import faults
from models.spans import Spans
from models.utilisation.verdict import Verdict

AFTER_US = 60_000_000
"""A machine that a fault stops begins to stand within so long of its alarm, before or after."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm at an equipment from `begin` to `end` (µs UTC; None: it lasts), by the source's times. `role`: of its
    point, "" where it is of none; `first`: the first of its group."""

    rule: str
    equipment: str
    role: str
    begin: int
    end: int | None
    first: bool = False


class Stood(StrEnum):
    """Whether a machine stopped with a fault."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """`rule`: of the alarm that began it; `end`: None while it lasts."""

    rule: str
    group: str
    begin: int
    end: int | None
    stood: Stood


def failures(raised: Iterable[Raised], ran: Verdict, until: int) -> list[Failure]:
    """Of one equipment, by time; `ran`: when it did; `until`: up to when all that is known, µs UTC."""
    found: list[Failure] = []
    group: list[Raised] = []
    for each in sorted(raised, key=lambda one: (one.begin, not one.first, one.rule)):
        known = faults().of(each.rule, each.role)
        if known is None or not known.fault:
            continue
        stops = _stood(each, ran) is Stood.YES
        if group and (each.begin > _over(group, ran, until) or (stops and _stood(group[0], ran) is not Stood.YES)):
            found.append(_failure(group, ran, until))
            group = []
        group.append(each)
    if group:
        found.append(_failure(group, ran, until))
    return found


def down(several: Sequence[Failure], ran: Verdict, until: int) -> Spans:
    """When the machine stood in failures with which it stopped."""
    lasted = Spans.of(
        (each.begin, until if each.end is None else each.end) for each in several if each.stood is Stood.YES
    )
    return lasted & ran.no


def _over(group: Sequence[Raised], ran: Verdict, until: int) -> int:
    """When the failure that these alarms tell of is over; `until` while it lasts."""
    returned = max(until if each.end is None else each.end for each in group)
    if returned >= until:
        return until
    if _stood(group[0], ran) is not Stood.YES:
        return returned
    runs = ran.yes
    again = runs.start[runs.end > returned]
    return min(until, max(returned, int(again[0]))) if len(again) else until


def _failure(group: Sequence[Raised], ran: Verdict, until: int) -> Failure:
    begin, over = group[0].begin, _over(group, ran, until)
    known = faults().rules[group[0].rule]
    return Failure(group[0].rule, known.group, begin, over if over < until else None, _stood(group[0], ran))


def _stood(of: Raised, ran: Verdict) -> Stood:
    known, begin, end = ran.known, of.begin - AFTER_US, of.begin + AFTER_US
    if len(known) and end <= known.start[0]:
        # It came before anything that is looked at: of another day, whose stop lasts into this one.
        lasts = len(ran.no) and ran.no.start[0] == known.start[0] and (of.end is None or of.end > known.start[0])
        return Stood.YES if lasts else Stood.UNKNOWN
    for stop in ran.no.start[(ran.no.start >= begin) & (ran.no.start <= end)].tolist():
        if len(ran.yes.within(stop - AFTER_US, stop)):
            return Stood.YES
    return Stood.UNKNOWN if len(Spans.whole(begin, end) - known) else Stood.NO
