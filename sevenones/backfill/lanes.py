"""When points are read, what their devices hold then, and what the gateway makes of it: the gateway's own guards,
normalisation and exception report, in columns.

A live connection polls its groups one by one. Here all points whose poll instants fall on the same steps share a
*lane*, whatever connection they belong to, so that one call judges them all: a sample depends on nothing but its own
point's earlier ones. What a device pushes (OPC UA, MQTT, Sparkplug) is read at the rate at which the simulated one
renews it. A group that is faster than the step is read once a step. A sample's time is its poll's scheduled
instant, as if each read had ended soon enough.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.acquire import SWEEP_S
from gateway.guards import Guards
from gateway.normalise import normalise
from gateway.points import PointTable
from gateway.schedule import phases
from models.quality import GOOD
from models.samples import Samples
from models.site.model import UNGUARDED, Connection, Point
from sevenones.backfill.held import Held, held_type
from sevenones.backfill.report import Kept, Polls, Report

PUSHED = {"opcua": 1.0, "mqtt": 1.0, "sparkplug": 1.0}
"""Adapters whose devices send by themselves, and how often the simulated ones renew their values, s."""


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """When a point is read: µs, `first` on the grid from 1970 on."""

    period: int
    first: int


def turn_of(point: Point, connection: Connection, phases: Mapping[tuple[str, str], float], step_us: int) -> Turn:
    """When a point is read, no faster than the steps."""
    group = connection.groups.get(point.group)
    if connection.adapter in PUSHED or group is None:
        seconds = max(PUSHED.get(connection.adapter, 1.0), 0.0 if group is None else group.period_s)
        period = max(step_us, math.ceil(seconds * 1e6 / step_us) * step_us)
        return Turn(period, 0)
    period = max(1, round(group.period_s * 1e6))
    first = round(phases.get((connection.name, point.group), 0.0) * 1e6)
    return Turn(period if period >= step_us else period * math.ceil(step_us / period), first)


def table_of(points: Sequence[Point], connections: Mapping[str, Connection]) -> PointTable:
    """The columns of points of many connections, each as its own connection's table would have them."""
    parts = []
    for point in points:
        groups = connections[point.connection].groups
        parts.append(PointTable.build([point], {name: group.period_s for name, group in groups.items()}, SWEEP_S))
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(PointTable)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    return dataclasses.replace(
        parts[0],
        points=tuple(points),
        tags=tuple(tag for part in parts for tag in part.tags),
        scaled=any(part.scaled for part in parts),
        bounded=any(part.bounded for part in parts),
        textual=False,
        **joined,
    )


class Lane:
    """Points of one period, in an order of its own. `first`: each one's own place on the grid, µs."""

    def __init__(self, members: Sequence[tuple[Point, Turn]], connections: Mapping[str, Connection]) -> None:
        beats = {point.guards.heartbeat for point, _ in members}
        ways: dict[type[_Way], list[tuple[Point, Turn]]] = {_Free: [], _Listed: [], _Counted: [], _Watched: []}
        for point, turn in members:
            if point.path in beats:
                way: type[_Way] = _Watched
            elif _remembers(point):
                way = _Counted if _only_counts(point) else _Watched
            else:
                way = _Listed if point.states or point.guards != UNGUARDED else _Free
            ways[way].append((point, turn))
        for some in ways.values():
            some.sort(key=lambda member: _neighbours(connections[member[0].connection], member[0]))
        ordered = [member for some in ways.values() for member in some]
        self.points = tuple(point for point, _ in ordered)
        self.period = ordered[0][1].period
        self.first = np.array([turn.first for _, turn in ordered], np.int64) % self.period
        self.table = table_of(self.points, connections)
        self._held = Held(self.points, [connections[point.connection] for point in self.points])
        self._report = Report(self.table)
        self._ways: list[_Way] = []
        for kind, some in ways.items():
            if some:
                begin = self._ways[-1].end if self._ways else 0
                self._ways.append(kind(table_of([point for point, _ in some], connections), begin))
        self._may_stand = ~self._held.beats
        for each in self._ways:
            self._may_stand[each.begin : each.end] &= not isinstance(each, _Watched)

    def take(
        self, first_us: int, step_us: int, values: NDArray[np.float64], unknown: Collection[str]
    ) -> tuple[NDArray[np.intp], Samples]:
        """Of what was simulated [steps, points], in their units, from `first_us` on: what is worth reporting, and
        which of `points` each sample is of."""
        begin = first_us + (self.first - first_us) % self.period
        # A block of whole periods has as many polls of each point.
        count = -((begin - first_us - len(values) * step_us) // self.period)
        polls = Polls(begin, count, self.period)
        if not polls.most:
            return np.empty(0, np.intp), Samples.empty()
        # Most of a mine stands still over a block. Compared as bits, for a NaN is not equal to itself.
        bits = values.view(np.int64)
        stands = (bits == bits[0]).all(axis=0) & self._may_stand
        kept: list[Kept] = []
        still, moved = np.flatnonzero(stands), np.flatnonzero(~stands)
        if len(still):
            raw = self._held.raw(still, values[:1, still], np.array([[first_us]]), unknown)
            value, quality = self._judge(still, raw, polls)
            kept.append(self._report.standing(still, value[0], quality[0], polls.of(still)))
        if len(moved):
            # All that are read in each step: whole rows are taken, not each number for itself.
            together = self.period == step_us
            first = begin[moved[:1]] if together else begin[moved]
            step = (first + self.period * np.arange(polls.most)[:, None] - first_us) // step_us
            step = np.minimum(step, len(values) - 1)
            read = values[step[:, 0]].take(moved, axis=1) if together else values[step, moved]
            raw = self._held.raw(moved, read, first_us + step * step_us, unknown)
            kept.append(self._report.moving(moved, *self._judge(moved, raw, polls), polls.of(moved)))
        rows, when, value, quality = (np.concatenate(column) for column in zip(*kept, strict=True))
        return rows, Samples(self.table.ids[rows], when, value, quality)

    def _judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Values and qualities of raw numbers [polls, rows]."""
        value, quality = np.empty(raw.shape), np.empty(raw.shape, np.uint8)
        for way in self._ways:
            some = slice(*np.searchsorted(rows, (way.begin, way.end)))
            if some.start < some.stop:
                value[:, some], quality[:, some] = way.judge(rows[some] - way.begin, raw[:, some], polls)
        return value, quality


def _neighbours(connection: Connection, point: Point) -> tuple[bool, str]:
    """The same for points that lie side by side, so that those of one type make one run."""
    return connection.adapter != "modbus", held_type(connection, point)


class _Way(ABC):
    """Points that are judged alike, from row `begin` to `end` of their lane."""

    def __init__(self, table: PointTable, begin: int) -> None:
        self.table = table
        self.begin = begin
        self.end = begin + len(table)

    @abstractmethod
    def judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Values and qualities [polls, rows] of some of its points."""


class _Free(_Way):
    """Points that no guard watches: scaled and held against their range, all at once."""

    def judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return normalise(self.table, rows, raw, np.full(raw.shape, GOOD, np.uint8))


class _Listed(_Way):
    """Points whose guards look at one sample alone (states, "no value", calibration): judged once for each
    stretch over which the raw number stays the same."""

    def __init__(self, table: PointTable, begin: int) -> None:
        super().__init__(table, begin)
        self._guards = Guards(table)

    def judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        by_point = np.ascontiguousarray(raw.T)
        begins = np.ones(by_point.shape, np.bool_)
        np.not_equal(by_point[:, 1:], by_point[:, :-1], out=begins[:, 1:])
        which = rows[np.nonzero(begins)[0]]
        given, when = by_point[begins], np.zeros(len(which), np.int64)
        number, quality = self._guards.on_raw(which, given, np.full(len(which), GOOD, np.uint8), when, None)
        value, quality = normalise(self.table, which, number, quality)
        self._guards.on_value(which, given, value, quality, when, None, 0)
        stretch = (np.cumsum(begins) - 1).reshape(by_point.shape).T
        return value[stretch], quality[stretch]


class _Watched(_Way):
    """Points whose guards remember earlier samples: judged poll by poll, all of them at each."""

    def __init__(self, table: PointTable, begin: int) -> None:
        super().__init__(table, begin)
        self._guards = Guards(table)

    def judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        begin, count = (column[self.begin : self.end] for column in (polls.begin, polls.count))
        value, quality = np.full(raw.shape, np.nan), np.zeros(raw.shape, np.uint8)
        for at in range(len(raw)):
            some = rows[count > at]
            given, when = raw[at, some], begin[some] + polls.period * at
            number, said = self._guards.on_raw(some, given, np.full(len(some), GOOD, np.uint8), when, None)
            found, said = normalise(self.table, some, number, said)
            self._guards.on_value(some, given, found, said, when, None, int(when[0]))
            value[at, some], quality[at, some] = found, said
        return value, quality


class _Counted(_Watched):
    """Points that are counters and nothing else: judged for many polls at once as long as all of them rise."""

    def judge(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        begin, count = (column[self.begin : self.end][rows] for column in (polls.begin, polls.count))
        most = int(count.min(initial=0))
        when = begin + polls.period * np.arange(most)[:, None]
        total = self._guards.counters.rising(rows, raw[:most], when) if most else None
        if total is None:
            return super().judge(rows, raw, polls)
        value, quality = normalise(self.table, rows, total, np.full(total.shape, GOOD, np.uint8))
        if most == len(raw):
            return value, quality
        rest = super().judge(rows, raw[most:], polls.later(most))
        return np.concatenate([value, rest[0]]), np.concatenate([quality, rest[1]])


def _only_counts(point: Point) -> bool:
    return not point.states and dataclasses.replace(point.guards, rollover=0) == UNGUARDED


def _remembers(point: Point) -> bool:
    guards = point.guards
    return bool(guards.rollover or guards.frozen_s or guards.heartbeat or guards.jump or guards.debounce_s)


class Schedule:
    """All lanes of a site's read points. `points`: in the order in which their columns are to come."""

    def __init__(self, points: Sequence[Point], connections: Mapping[str, Connection], step_us: int) -> None:
        self.step_us = step_us
        by_gateway: dict[str, list[Connection]] = {}
        for connection in connections.values():
            by_gateway.setdefault(connection.gateway, []).append(connection)
        staggered = {key: phase for some in by_gateway.values() for key, phase in phases(some).items()}
        members: dict[int, list[tuple[Point, Turn]]] = {}
        for point in points:
            turn = turn_of(point, connections[point.connection], staggered, step_us)
            members.setdefault(turn.period, []).append((point, turn))
        self._lanes = [Lane(some, connections) for _, some in sorted(members.items())]
        self.points = tuple(point for lane in self._lanes for point in lane.points)

    def take(
        self, first_us: int, values: NDArray[np.float64], unknown: Collection[str] = ()
    ) -> Iterator[tuple[NDArray[np.intp], Samples]]:
        """What is worth reporting of what was simulated [steps, points], in the points' units, the first step at
        `first_us`, and which of `points` each sample is of. `unknown`: names that nothing simulates."""
        begin = 0
        for lane in self._lanes:
            end = begin + len(lane.points)
            rows, samples = lane.take(first_us, self.step_us, values[:, begin:end], unknown)
            yield rows + begin, samples
            begin = end
