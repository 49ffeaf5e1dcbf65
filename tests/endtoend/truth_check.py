"""The simulators' truth against what the store holds, point by point. All times are µs UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.site.model import Point

MAX_READ_US = 600_000
"""A polled sample may carry its scheduled instant when the read ended within 500 ms of it."""
TIMEOUT_US = 2_000_000
"""Of a Modbus connection: a read that ended later than that carries the time of its end, and is at most so old."""


@dataclass(frozen=True)
class Column:
    """Rows of one point in order of time."""

    ts: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8] | None = None

    def at(self, when: NDArray[np.int64]) -> NDArray[np.float64]:
        """The value in effect at each instant; NaN before the first."""
        row = np.searchsorted(self.ts, when, side="right") - 1
        return np.where(row >= 0, self.value[np.maximum(row, 0)], np.nan)


def close(a: NDArray[np.float64], b: NDArray[np.float64], slack: float = 0.0) -> NDArray[np.bool_]:
    return np.abs(a - b) <= slack + 1e-6 * np.maximum(1.0, np.abs(b))


def instants(stored: Column, step: int) -> NDArray[np.bool_]:
    """Which rows carry an instant of their poll group's grid, `step` µs apart."""
    phases, counts = np.unique(stored.ts % step, return_counts=True)
    on_grid: NDArray[np.bool_] = stored.ts % step == phases[counts.argmax()]
    return on_grid


def untrue_polled(stored: Column, truth: Column, step: int) -> NDArray[np.intp]:
    """Good stored rows whose value the truth did not have at any instant of their read: it began at the
    instant that a row carries, or ended at the time off the grid of `step` µs that it carries."""
    assert stored.quality is not None
    ok = close(stored.value, truth.at(stored.ts))
    on_grid = instants(stored, step)
    for row in np.flatnonzero(~ok):
        when = stored.ts[row]
        read = [when, when + MAX_READ_US] if on_grid[row] else [when - TIMEOUT_US, when]
        first, last = np.searchsorted(truth.ts, read, side="right")
        first = max(first - (not on_grid[row]), 0)  # the value that held as the read began
        ok[row] = bool(close(truth.value[first:last], np.full(last - first, stored.value[row])).any())
    return np.flatnonzero(~ok & (stored.quality >= 64) & np.isfinite(stored.value))


def untrue_stamped(stored: Column, truth: Column, dead_band: float) -> NDArray[np.intp]:
    """Good stored rows that say what the source did not hold at that time. A row with an instant of the source's
    has its value; one between them repeats, for a later time, what still holds, as all reports do, within the
    point's dead-band."""
    assert stored.quality is not None
    told = np.isin(stored.ts, truth.ts)
    held = truth.at(stored.ts)
    ok = close(stored.value, held) | (~told & close(stored.value, held, dead_band))
    return np.flatnonzero(~ok & (stored.quality >= 192))


def missing(
    stored: Column, truth: Column, point: Point, start: int, end: int, outages: list[tuple[int, int]]
) -> NDArray[np.int64]:
    """Instants at which the truth had moved beyond the dead-band and the store does not know it,
    outside the outages. `stored` must hold good rows only."""
    inside = (truth.ts >= start) & (truth.ts < end)
    for begin, finish in outages:
        inside &= (truth.ts < begin) | (truth.ts >= finish)
    when = truth.ts[inside]
    known = stored.at(when)
    return when[~close(known, truth.value[inside], point.dead_band)]


def missing_polled(
    stored: Column, truth: Column, point: Point, grid: NDArray[np.int64], outages: list[tuple[int, int]]
) -> NDArray[np.int64]:
    """Poll instants at which the store's value differs from every value that the truth took during the read."""
    outside = np.ones(len(grid), bool)
    for begin, finish in outages:
        outside &= (grid < begin) | (grid >= finish)
    when = grid[outside]
    known = stored.at(when)
    ok = close(known, truth.at(when), point.dead_band)
    for row in np.flatnonzero(~ok):
        first, last = np.searchsorted(truth.ts, [when[row], when[row] + MAX_READ_US], side="right")
        ok[row] = bool(close(truth.value[first:last], np.full(last - first, known[row]), point.dead_band).any())
    return when[~ok]
