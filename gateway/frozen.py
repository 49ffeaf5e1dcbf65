"""Values that stand still: a sensor that froze, a gateway that repeats what it once read, a program
that stopped while its registers go on answering.

A heartbeat is a point that must change; what names it as its heartbeat is only as fresh as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from gateway.points import NEVER, Rows
from models.site.guarding import HEARTBEAT_S
from models.site.model import Point

LOOKS = 3
"""Nothing stands still that was not looked at so many times."""


class Frozen:
    """Since when each watched point has been exactly the same, by our clock."""

    def __init__(self, points: Sequence[Point], cadence_us: NDArray[np.int64] | int = 0) -> None:
        beats = {point.guards.heartbeat for point in points} - {""}
        is_beat = np.array([point.path in beats for point in points], np.bool_)
        watched = is_beat | np.array([point.guards.frozen_s > 0 for point in points], np.bool_)
        self.places = Places(watched)
        own = [points[row] for row in self.places.rows]
        self._is_beat = is_beat[self.places.rows]
        longest = np.array([(point.guards.frozen_s or HEARTBEAT_S) * 1e6 for point in own], np.int64)
        cadence = np.broadcast_to(cadence_us, len(points))[self.places.rows]
        self._longest = np.maximum(longest, LOOKS * cadence)
        self._last = np.full(len(own), np.nan)
        self.since = np.full(len(own), NEVER, np.int64)
        place_of = {point.path: place for place, point in enumerate(own)}
        followed = np.array([place_of.get(point.guards.heartbeat, -1) for point in points], np.intp)
        self.followers = Places(followed >= 0)
        self._followed = followed[self.followers.rows]

    def see(self, places: Index, raw: NDArray[np.float64], now: int) -> NDArray[np.bool_]:
        """Take what was read; which of it has been the same for too long."""
        self.since[places[raw != self._last[places]]] = now
        self._last[places] = raw
        return self.standing(now)[places]

    def standing(self, now: int) -> NDArray[np.bool_]:
        """Which watched points have been the same for too long, those not read for a while among them."""
        still: NDArray[np.bool_] = (self.since != NEVER) & (now - self.since >= self._longest)
        return still

    def without_beat(self, rows: Rows, now: int) -> Index:
        """The positions of a reading's rows whose heartbeat stands still."""
        at, followers = self.followers.among(rows)
        return at[self.standing(now)[self._followed[followers]]]

    def beat_since(self, row: int) -> int:
        """Since when the heartbeat of a row that has one has stood still, µs."""
        return int(self.since[self._followed[self.followers.of(row)]])

    def forget(self, rows: Index) -> None:
        """These rows were away: a heartbeat is given its time anew. What is merely frozen is not: the
        same number to the last digit before an outage and after it is frozen still."""
        _, places = self.places.among(rows)
        beats = places[self._is_beat[places]]
        self.since[beats] = NEVER
        self._last[beats] = np.nan

    def clock_jumped(self, moved_us: int) -> None:
        self.since[self.since != NEVER] += moved_us
