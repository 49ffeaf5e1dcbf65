"""Coal on belts: it lies still on a belt that moves, so what passes a place is what was laid on one length ago.

Each belt keeps what was laid on it in all against how far it has travelled, as support points between which the
coal lies evenly. What has passed a place is that curve, read at the travel less the place: nothing spreads, nothing
is lost to rounding, and the delay is exactly length over speed, also while the speed changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

GRAIN_M = 0.25
"""Support points lie at least so far apart."""


class Coal:
    """`places` [kinds, belts] m from the tail, each at least 15 m: where passing coal is counted, the head last.
    `most`: kg/m that the cross-section holds."""

    def __init__(self, places: Vector, most: Vector) -> None:
        kinds, count = places.shape
        self.chute = np.zeros(count)
        """What lies at the tails and waits for a free place on the belt, kg."""
        self.laid = np.zeros(count)
        """What was laid on since the start, kg."""
        self.passed = np.zeros((kinds, count))
        """What has passed each place since the start, kg."""
        self.passing = np.zeros((kinds, count))
        """What has passed in the last step, kg."""
        self.on_belt = np.zeros(count)
        self._places, self._most = places, most
        self._travel = np.zeros(count)
        slots = 1 << int(np.ceil(np.log2(places.max() / GRAIN_M + 8.0)))
        self._mask = slots - 1
        self._base = slots * np.arange(count)
        # Point 0 lies so far back that every place has it behind; point 1 is the tail now.
        self._at = np.full(count * slots, -1e6)
        self._sum = np.zeros(count * slots)
        self._newest = np.ones(count, np.int64)
        self._at[self._base + 1] = 0.0
        self._before = np.full(count, -1e6)
        self._oldest = np.zeros((kinds, count), np.int64)

    def move(self, by: Vector) -> None:
        """Let the belts travel (m, ≥ 0, at most 10), laying on what waits in the chutes."""
        put = np.minimum(self.chute, self._most * by)
        self.chute -= put
        self.laid += put
        grown = self._travel - self._before >= GRAIN_M
        np.copyto(self._before, self._travel, where=grown)
        self._newest += grown
        self._travel += by
        tail = self._base + (self._newest & self._mask)
        self._at[tail] = self._travel
        self._sum[tail] = self.laid
        self._pass()

    def _pass(self) -> None:
        seen = self._travel - self._places
        after = self._base + ((self._oldest + 1) & self._mask)
        end = self._at[after]
        while np.count_nonzero(late := end < seen):
            self._oldest += late
            after = self._base + ((self._oldest + 1) & self._mask)
            end = self._at[after]
        before = self._base + (self._oldest & self._mask)
        begin, low = self._at[before], self._sum[before]
        seen -= begin
        end -= begin
        seen /= end
        seen *= self._sum[after] - low
        seen += low
        np.subtract(seen, self.passed, out=self.passing)
        self.passed[:] = seen
        np.subtract(self.laid, seen[-1], out=self.on_belt)
