"""When points are read, and what the gateway makes of it: the gateway's own guards, normalisation and exception
report, in columns.

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
from collections.abc import Iterator, Mapping, Sequence

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
        ways: dict[type[_Way], list[tuple[Point, Turn]]] = {_Free: [], _Listed: [], _Watched: []}
        for point, turn in members:
            watched = _remembers(point) or point.path in beats
            way = _Watched if watched else _Listed if point.states or point.guards != UNGUARDED else _Free
            ways[way].append((point, turn))
        ordered = [member for some in ways.values() for member in some]
        self.points = tuple(point for point, _ in ordered)
        self.period = ordered[0][1].period
        self.first = np.array([turn.first for _, turn in ordered], np.int64) % self.period
        self.table = table_of(self.points, connections)
        self._report = Report(self.table)
        self._ways: list[_Way] = []
        for kind, some in ways.items():
            if some:
                begin = self._ways[-1].end if self._ways else 0
                self._ways.append(kind(table_of([point for point, _ in some], connections), begin))

    def take(self, first_us: int, step_us: int, raw: NDArray[np.float64]) -> Samples:
        """Of raw numbers [steps, points] from `first_us` on: what is worth reporting."""
        begin = first_us + (self.first - first_us) % self.period
        # A block of whole periods has as many polls of each point.
        count = -((begin - first_us - len(raw) * step_us) // self.period)
        polls = Polls(begin, count, self.period)
        if not polls.most:
            return Samples.empty()
        if self.period != step_us or (begin - first_us >= step_us).any():
            step = (begin + self.period * np.arange(polls.most)[:, None] - first_us) // step_us
            raw = raw[np.minimum(step, len(raw) - 1), np.arange(raw.shape[1])]
        kept: list[Kept] = []
        moving = []
        for way in self._ways:
            still, moved = way.judge(raw[:, way.begin : way.end], polls)
            if still is not None:
                kept.append(self._report.standing(*still, polls.of(still[0])))
            if moved is not None:
                moving.append(moved)
        if moving:
            rows = np.concatenate([ours for ours, _, _ in moving])
            value = np.concatenate([value for _, value, _ in moving], axis=1)
            quality = np.concatenate([quality for _, _, quality in moving], axis=1)
            kept.append(self._report.moving(rows, value, quality, polls.of(rows)))
        rows, when, value, quality = (np.concatenate(column) for column in zip(*kept, strict=True))
        return Samples(self.table.ids[rows], when, value, quality)


Judged = tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.uint8]]
"""Rows of the lane; their values and qualities: [rows], or [polls, rows]."""


class _Way(ABC):
    """Points that are judged alike, from row `begin` to `end` of their lane."""

    def __init__(self, table: PointTable, begin: int) -> None:
        self.table = table
        self.begin = begin
        self.end = begin + len(table)

    def judge(self, raw: NDArray[np.float64], polls: Polls) -> tuple[Judged | None, Judged | None]:
        """Of its points' raw numbers [polls, points]: those that stay the same all the while, judged once; and
        the others."""
        same = (raw == raw[0]).all(axis=0)
        still, moved = np.flatnonzero(same), np.flatnonzero(~same)
        found: list[Judged | None] = [None, None]
        if len(still):
            value, quality = self._values(still, raw[:1, still], polls)
            found[0] = (still + self.begin, value[0], quality[0])
        if len(moved):
            found[1] = (moved + self.begin, *self._values(moved, raw[:, moved], polls))
        return found[0], found[1]

    @abstractmethod
    def _values(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Values and qualities [polls, rows] of some of its points."""


class _Free(_Way):
    """Points that no guard watches: scaled and held against their range, all at once."""

    def _values(
        self, rows: NDArray[np.intp], raw: NDArray[np.float64], polls: Polls
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        return normalise(self.table, rows, raw, np.full(raw.shape, GOOD, np.uint8))


class _Listed(_Way):
    """Points whose guards look at one sample alone (states, "no value", calibration): judged once for each
    stretch over which the raw number stays the same."""

    def __init__(self, table: PointTable, begin: int) -> None:
        super().__init__(table, begin)
        self._guards = Guards(table)

    def _values(
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
    """Points whose guards remember earlier samples: judged poll by poll."""

    def __init__(self, table: PointTable, begin: int) -> None:
        super().__init__(table, begin)
        self._guards = Guards(table)

    def judge(self, raw: NDArray[np.float64], polls: Polls) -> tuple[Judged | None, Judged | None]:
        rows = np.arange(len(self.table))
        return None, (rows + self.begin, *self._values(rows, raw, polls))

    def _values(
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


def _remembers(point: Point) -> bool:
    guards = point.guards
    return bool(guards.rollover or guards.frozen_s or guards.heartbeat or guards.jump or guards.debounce_s)


class Schedule:
    """All lanes of a site's read points. `points`: in the order in which their raw numbers are to come."""

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

    def take(self, first_us: int, raw: NDArray[np.float64]) -> Iterator[Samples]:
        """What is worth reporting of a block [steps, points] whose first step is at `first_us`."""
        begin = 0
        for lane in self._lanes:
            end = begin + len(lane.points)
            yield lane.take(first_us, self.step_us, raw[:, begin:end])
            begin = end
