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
from gateway.exception import ExceptionReport
from gateway.guards import Guards
from gateway.normalise import normalise
from gateway.points import PointTable
from gateway.schedule import phases
from models.quality import GOOD
from models.samples import Samples
from models.site.model import UNGUARDED, Connection, Point

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
    """Points that are read at the same steps; `points` in an order of its own."""

    def __init__(self, points: Sequence[Point], connections: Mapping[str, Connection]) -> None:
        beats = {point.guards.heartbeat for point in points}
        ways: dict[type[_Way], list[Point]] = {_Free: [], _Listed: [], _Watched: []}
        for point in points:
            watched = _remembers(point) or point.path in beats
            ways[_Watched if watched else _Listed if point.states or point.guards != UNGUARDED else _Free].append(point)
        self.points = tuple(point for some in ways.values() for point in some)
        self.table = table_of(self.points, connections)
        self._report = ExceptionReport(self.table)
        self._ways = [way(table_of(some, connections)) for way, some in ways.items() if some]

    def take(self, raw: NDArray[np.float64], ts: NDArray[np.int64]) -> Samples:
        """`raw` [instants, points], `ts` the same shape, µs: what is worth reporting, by time."""
        value, quality = np.empty(raw.shape), np.empty(raw.shape, np.uint8)
        begin = 0
        for way in self._ways:
            part = (slice(None), slice(begin, begin + len(way.table)))
            value[part], quality[part] = way.judge(raw[part], ts[part])
            begin += len(way.table)
        keep = np.empty(raw.shape, np.bool_)
        everything, judge = slice(0, begin), self._report.judge
        for at, moments in enumerate(ts):
            # Our own time counts differences only, and those are the same for all: any one will do.
            keep[at] = judge(everything, moments, value[at], quality[at], None, int(moments[0]))
        at, rows = np.nonzero(keep)
        return Samples(self.table.ids[rows], ts[at, rows], value[at, rows], quality[at, rows])


class _Way(ABC):
    """From raw numbers to values and their qualities."""

    def __init__(self, table: PointTable) -> None:
        self.table = table

    @abstractmethod
    def judge(
        self, raw: NDArray[np.float64], ts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]: ...


class _Free(_Way):
    """Points that no guard watches: scaled and held against their range, all at once."""

    def judge(self, raw: NDArray[np.float64], ts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        good = np.full(raw.shape, GOOD, np.uint8)
        return normalise(self.table, slice(0, len(self.table)), raw, good)


class _Listed(_Way):
    """Points whose guards look at one sample alone (states, "no value", calibration): judged once for each
    stretch over which the raw number stays the same."""

    def __init__(self, table: PointTable) -> None:
        super().__init__(table)
        self._guards = Guards(table)

    def judge(self, raw: NDArray[np.float64], ts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        by_point = np.ascontiguousarray(raw.T)
        begins = np.ones(by_point.shape, np.bool_)
        np.not_equal(by_point[:, 1:], by_point[:, :-1], out=begins[:, 1:])
        rows, _ = np.nonzero(begins)
        given, when = by_point[begins], ts.T[begins]
        number, quality = self._guards.on_raw(rows, given, np.full(len(rows), GOOD, np.uint8), when, None)
        value, quality = normalise(self.table, rows, number, quality)
        self._guards.on_value(rows, given, value, quality, when, None, 0)
        stretch = np.cumsum(begins) - 1
        return value[stretch].reshape(by_point.shape).T, quality[stretch].reshape(by_point.shape).T


class _Watched(_Way):
    """Points whose guards remember earlier samples: judged instant by instant."""

    def __init__(self, table: PointTable) -> None:
        super().__init__(table)
        self._guards = Guards(table)

    def judge(self, raw: NDArray[np.float64], ts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        value, quality = np.empty(raw.shape), np.empty(raw.shape, np.uint8)
        rows, good = slice(0, len(self.table)), np.full(len(self.table), GOOD, np.uint8)
        for at, (given, when) in enumerate(zip(raw, ts, strict=True)):
            number, said = self._guards.on_raw(rows, given, good, when, None)
            value[at], quality[at] = normalise(self.table, rows, number, said)
            self._guards.on_value(rows, given, value[at], quality[at], when, None, int(when[0]))
        return value, quality


def _remembers(point: Point) -> bool:
    guards = point.guards
    return bool(guards.rollover or guards.frozen_s or guards.heartbeat or guards.jump or guards.debounce_s)


class Schedule:
    """All lanes of a site's read points. `columns` of the raw block: `points` in order."""

    def __init__(self, points: Sequence[Point], connections: Mapping[str, Connection], step_us: int) -> None:
        self.step_us = step_us
        by_gateway: dict[str, list[Connection]] = {}
        for connection in connections.values():
            by_gateway.setdefault(connection.gateway, []).append(connection)
        staggered = {key: phase for some in by_gateway.values() for key, phase in phases(some).items()}
        members: dict[tuple[int, int], list[tuple[int, Turn]]] = {}
        for column, point in enumerate(points):
            turn = turn_of(point, connections[point.connection], staggered, step_us)
            # Which step of the period it is read at; within the step each keeps its own phase.
            members.setdefault((turn.period, turn.first % turn.period // step_us), []).append((column, turn))
        self._lanes = []
        for (period, step), some in sorted(members.items()):
            lane = Lane([points[column] for column, _ in some], connections)
            place = {points[column].path: (column, turn) for column, turn in some}
            order = [place[point.path] for point in lane.points]
            columns = np.array([column for column, _ in order], np.intp)
            within = np.array([turn.first % period - step * step_us for _, turn in order], np.int64)
            self._lanes.append((period, step * step_us, columns, within, lane))

    def take(self, first_us: int, raw: NDArray[np.float64]) -> Iterator[Samples]:
        """What is worth reporting of a block whose first step is at `first_us`."""
        step_us, end = self.step_us, first_us + len(raw) * self.step_us
        for period, phase, columns, within, lane in self._lanes:
            due = np.arange(first_us + (phase - first_us) % period, end, period)
            if len(due):
                steps = (due - first_us) // step_us
                yield lane.take(raw[steps[:, None], columns], due[:, None] + within)
