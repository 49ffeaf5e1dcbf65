"""Between a point's unit and the device's raw numbers: scale, curve, counters that begin again, and the
numbers by which a device says that it has no value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.site.model import Kind, Point
from simulators.encode.number import SIZES, EncodeError, Floats, bounds


class Scale:
    """For points that are held as these kinds, all at once. A counter that its point says to roll over does so,
    and what it shows is its total nonetheless, from the turn that it was in when it was first shown; one that
    is not said to, does so where its type ends, and shows what is left."""

    def __init__(self, points: Sequence[Point], kinds: Sequence[str]) -> None:
        self.factor = np.array([p.factor for p in points], np.float64)
        self.offset = np.array([p.offset for p in points], np.float64)
        self._full = np.array([_full(p, kind) for p, kind in zip(points, kinds, strict=True)], np.float64)
        self._said = np.array([p.guards.rollover > 0 for p in points], np.bool_)
        self._counters = np.flatnonzero(self._full > 0)
        self._turns: Floats | None = None
        self._first: Floats | None = None
        self._none = [p.guards.no_value for p in points]
        self._nullable = np.array([row for row, none in enumerate(self._none) if none], np.intp)
        self._null = np.array([self._none[row][0] for row in self._nullable], np.float64)
        self._curves: dict[int, tuple[Floats, Floats]] = {}
        for row, point in enumerate(points):
            if point.guards.curve:
                raw, value = (np.array(side, np.float64) for side in zip(*point.guards.curve, strict=True))
                if not ((np.diff(value) > 0).all() or (np.diff(value) < 0).all()):
                    raise EncodeError(f"{point.path}: a curve that rises and falls cannot be followed backwards")
                self._curves[row] = raw, value

    def raw(self, values: Floats) -> Floats:
        """The raw numbers, not yet rounded, that stand for values in the points' units."""
        raw = (values - self.offset) / self.factor
        for row, (numbers, curve) in self._curves.items():
            rising = curve[0] < curve[-1]
            raw[row] = np.interp(raw[row], curve if rising else curve[::-1], numbers if rising else numbers[::-1])
        if len(self._counters):
            full = self._full[self._counters]
            whole = np.rint(raw[self._counters])
            turns = np.nan_to_num(np.floor(whole / full))
            if self._first is None:
                self._first = turns
            self._turns = np.where(self._said[self._counters], turns - self._first, 0.0)
            raw[self._counters] = whole - turns * full
        if len(self._nullable):
            raw[self._nullable] = np.where(np.isnan(raw[self._nullable]), self._null, raw[self._nullable])
        return raw

    def shown(self, held: Floats) -> Floats:
        """What the numbers that a device now holds mean, NaN for no value."""
        for row in self._nullable.tolist():
            # A device that holds 32 bits says -0.01 as -0.009999999776….
            if any(held[row] == none or held[row] == np.float64(np.float32(none)) for none in self._none[row]):
                held[row] = np.nan
        if self._turns is not None:
            held[self._counters] += self._turns * self._full[self._counters]
        for row, (numbers, curve) in self._curves.items():
            held[row] = np.interp(held[row], numbers, curve)
        return held * self.factor + self.offset

    def meaning(self, row: int, number: float) -> float:
        """What a raw number of one point means, NaN for no value; a counter's is what is left."""
        if any(number == none or number == float(np.float32(none)) for none in self._none[row]):
            return float("nan")
        if row in self._curves:
            number = float(np.interp(number, *self._curves[row]))
        return float(number * self.factor[row] + self.offset[row])


def _full(point: Point, kind: str) -> float:
    """Where a counter begins again at 0; 0 for never."""
    if point.guards.rollover:
        return point.guards.rollover
    whole = kind in SIZES and not kind.startswith("float")
    return bounds(kind)[1] + 1 if point.kind is Kind.COUNTER and whole and SIZES[kind] < 8 else 0.0
