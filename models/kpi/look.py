"""Looking at one machine by one check: what is found, with the numbers and points that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.counters import Counter
from models.kpi.checks import Check, Contradiction, Frozen, ModeChanges, OwnCounter, ZeroLoad
from models.site.model import Point
from models.spans import NOTHING, Spans, joined
from models.units import compile_unit
from models.utilisation.conditions import Facts
from models.utilisation.follow import changes
from models.utilisation.signal import Signal

Times = NDArray[np.int64]
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Machine(Facts):
    """One equipment of a unit. `points`: of each role; `read`, `count`: a point's signal and its counter; `ratings`: of
    roles."""

    category: str
    unit: str
    equipment: str
    points: Mapping[str, tuple[Point, ...]]
    ratings: Mapping[str, float]
    read: Callable[[Point], Signal]
    count: Callable[[Point], Counter]

    def signals(self, role: str, of: str) -> Sequence[Signal]:
        return [self.read(point) for point in self.points.get(role, ())]

    def rated(self, role: str, of: str) -> float:
        return self.ratings.get(role, float("nan"))

    def records(self, kind: str) -> Spans:
        return NOTHING


@dataclass(frozen=True, slots=True)
class Seen:
    """[start, end) µs UTC in which a check found something: `numbers` by name, seconds unless named otherwise."""

    start: int
    end: int
    numbers: Mapping[str, float]
    points: tuple[str, ...]


def look(check: Check, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    """What a check finds of a machine in [start, end) µs UTC; nothing of one that lacks a point it reads."""
    if not all(machine.points.get(role) for role in check.roles()):
        return
    found: Iterator[Seen]
    match check:
        case Contradiction():
            found = _contradiction(check, machine, start, end)
        case ZeroLoad():
            found = _zero_load(check, machine, start, end)
        case OwnCounter():
            found = _own_counter(check, machine, start, end)
        case ModeChanges():
            found = _mode_changes(check, machine, start, end)
        case Frozen():
            found = _frozen(check, machine, start, end)
    yield from found


def _contradiction(check: Contradiction, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    held = check.when.judge(machine).yes.within(start, end)
    near = round(check.near_s * 1e6)
    for begin, finish in held.grown(after=near).pairs():
        own = held.within(begin, finish)
        if own.us() >= check.least_s * 1e6:
            numbers = {"held_s": own.us() / 1e6, "times": float(len(own))}
            yield Seen(begin, finish - near, numbers, _paths(check, machine))


def _zero_load(check: ZeroLoad, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    point = machine.points[check.counter][0]
    counter = machine.count(point)
    work = check.during.judge(machine).yes.within(start, end) & _heard(counter)
    moved = counter.ts[1:][np.diff(counter.total) > 0]
    edges = np.concatenate([[start], moved[(moved > start) & (moved < end)], [end]])
    lasted = np.diff(covered_until(work, edges))
    for at in np.flatnonzero(lasted >= check.longest_s * 1e6).tolist():
        own = work.within(int(edges[at]), int(edges[at + 1]))
        numbers = {"worked_s": int(lasted[at]) / 1e6, "counted": 0.0}
        yield Seen(int(own.start[0]), int(own.end[-1]), numbers, _paths(check, machine))


def _own_counter(check: OwnCounter, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    point = machine.points[check.counter][0]
    counter = machine.count(point)
    heard = _heard(counter).within(start, end)
    held = check.during.judge(machine)
    counts = counter.over(np.array([start, end], np.int64))
    hours = float(counts.amount[0] - counts.spread[0]) * compile_unit(point.unit, "h").factor
    least, open_ = (heard & held.yes).us() / HOUR_US, (heard - held.known).us() / HOUR_US
    low, high = least * (1 - check.share) - check.within_h, (least + open_) * (1 + check.share) + check.within_h
    if len(heard) and not low <= hours <= high:
        numbers = {"counted_h": hours, "held_h": least, "unknown_h": open_, "resets": float(counts.resets)}
        yield Seen(int(heard.start[0]), int(heard.end[-1]), numbers, _paths(check, machine))


def _mode_changes(check: ModeChanges, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    for point in machine.points[check.role]:
        turned = changes(machine.read(point))
        turned = turned[turned < end]
        first, last = turned[: -check.most], turned[check.most :]
        often = (last - first < HOUR_US) & (last >= start)
        # The change itself belongs to it.
        for begin, finish in joined(first[often], last[often] + 1).pairs():
            count = int(((turned >= begin) & (turned < finish)).sum())
            yield Seen(
                max(begin, start), finish, {"changes": float(count), "most_in_1h": float(check.most)}, (point.path,)
            )


def _frozen(check: Frozen, machine: Machine, start: int, end: int) -> Iterator[Seen]:
    working = check.during.judge(machine).yes.within(start, end)
    for point in machine.points[check.role]:
        signal = machine.read(point)
        begin, finish, value = _unchanged(signal)
        lasted = covered_until(working, finish) - covered_until(working, begin)
        for at in np.flatnonzero(lasted >= check.longest_s * 1e6).tolist():
            own = working.within(int(begin[at]), int(finish[at]))
            numbers = {"same_s": int(lasted[at]) / 1e6, "value": float(value[at])}
            yield Seen(int(own.start[0]), int(own.end[-1]), numbers, (point.path,))


def _unchanged(signal: Signal) -> tuple[Times, Times, NDArray[np.float64]]:
    """[n] from when, to when: stretches in which one good value held without a break, however often it was told again,
    and which value. They may touch."""
    ts, end, value = signal.ts[signal.good], signal.end[signal.good], signal.value[signal.good]
    begins = np.ones(len(ts), bool)
    begins[1:] = (value[1:] != value[:-1]) | (end[:-1] != ts[1:])
    ends = np.append(begins[1:], True)[: len(end)]
    return ts[begins], end[ends], value[begins]


def covered_until(spans: Spans, at: Times) -> Times:
    """[m] instants → how long the spans had lasted by then, µs."""
    if not len(spans):
        return np.zeros(len(at), np.int64)
    lasted = np.append(0, np.cumsum(spans.end - spans.start))
    begun = np.searchsorted(spans.start, at, "right")
    open_: Times = np.maximum(spans.end[np.maximum(begun - 1, 0)] - at, 0)
    total: Times = lasted[begun] - np.where(begun > 0, open_, 0)
    return total


def _heard(counter: Counter) -> Spans:
    """When a counter told values without a gap."""
    close = np.diff(counter.ts) <= counter.hold_us
    return joined(counter.ts[:-1][close], counter.ts[1:][close])


def _paths(check: Check, machine: Machine) -> tuple[str, ...]:
    return tuple(sorted(point.path for role in check.roles() for point in machine.points[role]))
