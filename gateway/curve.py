"""Piecewise calibration: straight lines between the points of a curve, a curve a point.

Outside its curve a value is that of the nearer end, and uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index, Places
from models.site.model import Point


class Curves:
    """The curves of the points that have one, padded to the longest by repeating their last point."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.places = Places(np.array([bool(p.guards.curve) for p in points], np.bool_))
        curves = [points[row].guards.curve for row in self.places.rows]
        longest = max(map(len, curves), default=0)
        shape = (longest, len(curves))
        self._raw, self._value = np.empty(shape), np.empty(shape)
        self._last = np.array([len(curve) - 1 for curve in curves], np.intp)
        for place, curve in enumerate(curves):
            padded = [*curve, *[curve[-1]] * (longest - len(curve))]
            self._raw[:, place], self._value[:, place] = zip(*padded, strict=True)

    def apply(self, places: Index, raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The values (NaN for NaN), and which of them lie outside their curve."""
        x, y = self._raw[:, places], self._value[:, places]
        columns = np.arange(len(places))
        first, last = x[0], x[-1]
        right = np.clip((x <= raw).sum(axis=0), 1, self._last[places])
        left = right - 1
        x0, x1, y0, y1 = x[left, columns], x[right, columns], y[left, columns], y[right, columns]
        held = np.clip(raw, first, last)
        value = y0 + (y1 - y0) * ((held - x0) / (x1 - x0))
        outside: NDArray[np.bool_] = (raw < first) | (raw > last)
        return value, outside
