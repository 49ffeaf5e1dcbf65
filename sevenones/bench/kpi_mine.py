"""A month of a mine to measure figures with: the points of the simulated middle mine, and samples as its gateways tell
them, in number and kind as an hour of its simulation gave them. What they say is drawn at random: a rate means nothing.

States are told every 30 s and when they change; sizes by exception, as they move; counters each minute; what no figure
reads, each quarter of an hour. That is 1.1 million samples a day that utilisation reads, 0.8 million of them
states told again, and half a million of all else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import simulators
from models.site.model import Kind, Point, Site
from sevenones.backfill.mine import site_of
from sevenones.bench.month import DAY, Columns

STATES = {
    "control.mode": (30, 2.0, 4), "run.state": (30, 2.0, 2), "afc.state": (30, 4.0, 3), "drill.cycle": (30, 1.0, 5),
    "shearer.direction": (30, 4.0, 3), "personnel.count": (10, 2.0, 3), "support.action": (30, 3.8, 90),
    "support.action_source": (30, 2.8, 4),
}  # fmt: skip
"""Role → every how many seconds it is told, how often an hour it changes, and of how many states it is one."""
SIZES = {
    "belt.speed": (240, 3.0), "drive.power": (213, 80.0), "cutting.current": (1100, 80.0), "shearer.speed": (153, 5.0),
    "shearer.support": (136, 60.0),
}  # fmt: skip
"""Role → samples an hour, and about which size it moves while the machine works."""
WORKS = 3.0
"""How often an hour a machine begins or ends to work."""
HOUR = DAY // 24


def site() -> Site:
    return site_of(Path(simulators.__file__).parent / "mines" / "middle", {})


def day(points: Sequence[Point], start: int, random: np.random.Generator) -> Iterator[Columns]:
    """What these points tell in a day, by parts; each part by point and time."""
    for (kind, role), some in groupby(sorted(points, key=_sort), key=_sort):
        ids = np.array(sorted(point.id for point in some), np.uint64)
        if role in STATES:
            yield _states(ids, start, random, *STATES[role])
        elif role in SIZES:
            yield _sizes(ids, start, random, *SIZES[role])
        elif kind == Kind.COUNTER.value:
            ts = start + np.arange(0, DAY, 60_000_000)
            yield _told(ids, ts, np.floor((ts - start) / 60e6) + start // 60_000_000 - 25_000_000)
        elif kind != Kind.TEXT.value:
            ts = start + np.arange(0, DAY, 900_000_000)
            yield _told(ids, ts, np.round(50 + np.cumsum(random.normal(0, 0.05, len(ts))), 2))


def _sort(point: Point) -> tuple[str, str]:
    known = point.role in STATES or point.role in SIZES
    return point.kind.value, point.role if known else ""


def _told(ids: NDArray[np.uint64], ts: NDArray[np.int64], value: NDArray[np.float64]) -> Columns:
    return np.repeat(ids, len(ts)), np.tile(ts, len(ids)), np.tile(value, len(ids))


def _states(
    ids: NDArray[np.uint64], start: int, random: np.random.Generator, every_s: int, changes: float, of: int
) -> Columns:
    told, turned = 86_400 // every_s, round(changes * 24)
    phase = random.integers(0, every_s * 1_000_000, len(ids))
    ts = (phase[:, None] + np.arange(told) * every_s * 1_000_000).ravel()
    ts = np.append(ts, random.integers(0, DAY, len(ids) * turned))
    point = np.append(np.repeat(np.arange(len(ids)), told), np.repeat(np.arange(len(ids)), turned))
    order = np.lexsort((ts, point))
    number = np.cumsum((order >= len(ids) * told).astype(np.int64))
    return ids[point[order]], start + ts[order], (number * 7919 % of).astype(np.float64)


def _sizes(ids: NDArray[np.uint64], start: int, random: np.random.Generator, rate: int, size: float) -> Columns:
    count = rate * 24
    ts = np.sort(random.integers(0, DAY, (len(ids), count)), axis=1)
    works = np.cumsum(random.random(ts.shape) < WORKS / rate, axis=1) % 2
    value = np.round(works * size * random.normal(1, 0.15, ts.shape) + random.random(ts.shape) * size / 50, 2)
    return np.repeat(ids, count), start + ts.ravel(), value.ravel()
