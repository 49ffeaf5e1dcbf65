"""What a broken sensor makes of a value: any analog point, over many steps at once.

A loop of 4 to 20 mA shows low + (I - 4) / 16 of its span: a broken wire is 0 mA, a quarter of the span below
the range; a saturated transmitter gives 22 mA (NAMUR NE 43 counts 21 mA and more as failure), an eighth above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.site.model import Kind, Point
from simulators.faults.catalogue import FaultError

KINDS = ("broken_wire", "drift", "freeze", "over_range")
BROKEN, SATURATED = -0.25, 1.125
"""Where in its span a loop at 0 mA and at 22 mA shows."""


@dataclass(slots=True)
class _Distortion:
    point: Point
    kind: str
    amount: float
    since: int | None = None
    held: float = math.nan

    def apply(self, ts: NDArray[np.int64], shown: NDArray[np.float64]) -> None:
        """`shown` [steps] becomes what the broken sensor shows."""
        if self.since is None:
            self.since, self.held = int(ts[0]), float(shown[0])
        span = self.point.high - self.point.low
        if self.kind == "freeze":
            shown[:] = self.held
        elif self.kind == "drift":
            shown += self.amount * (ts - self.since) / 3.6e9
        elif self.kind == "broken_wire":
            shown[:] = self.point.low + BROKEN * span
        else:
            shown[:] = self.point.low + SATURATED * span


class Distortions:
    """The sensors of a mine that are broken now, at most one way each."""

    def __init__(self) -> None:
        self._by_path: dict[str, _Distortion] = {}

    def __len__(self) -> int:
        return len(self._by_path)

    def begin(self, point: Point, kind: str, amount: float) -> None:
        """From the next step that is shown. Raises FaultError where it cannot be."""
        if kind not in KINDS:
            raise FaultError(
                f"测点 {point.path} 不会发生 '{kind}' · a point cannot have '{kind}'; it can have {', '.join(KINDS)}"
            )
        if point.kind is not Kind.ANALOG:
            raise FaultError(f"测点 {point.path} 不是模拟量 · the point is no analog value: only those go wrong so")
        if kind in ("broken_wire", "over_range") and not (math.isfinite(point.low) and math.isfinite(point.high)):
            raise FaultError(f"测点 {point.path} 没有量程 · the point has no range, so nothing is outside it")
        self._by_path[point.path] = _Distortion(point, kind, amount)

    def end(self, point: Point) -> None:
        """The sensor is whole again; nothing happens when it was."""
        self._by_path.pop(point.path, None)

    def apply(self, ts: NDArray[np.int64], shown: NDArray[np.float64], columns: Mapping[str, int]) -> None:
        """`shown` [steps, points], in the points' units, becomes what is transmitted. `columns`: a point's path →
        its column. How steps are cut into calls changes nothing."""
        if not len(ts):
            return
        for path, distortion in self._by_path.items():
            if path in columns:
                distortion.apply(ts, shown[:, columns[path]])
