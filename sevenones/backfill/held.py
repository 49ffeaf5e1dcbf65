"""What the devices of a site hold of a block: each point's channel at each step, as the raw number that an adapter
would decode. The quantisation is the simulated devices' own (simulators.encode)."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Kind, Point
from simulators.encode import STRING, quantise, type_of
from simulators.encode.number import SIZES, bounds
from simulators.encode.place import spot
from simulators.encode.typed import DECIMALS
from simulators.engine.block import Block

BEATS = 32_768
"""Where a simulated device's heartbeat begins again."""


def held_type(connection: Connection, point: Point) -> str:
    """The type in which the simulated device of this connection holds the point. Raises EncodeError."""
    if connection.adapter != "modbus":
        return type_of(point)
    each = spot(point, 1)
    if each.kind in ("bits", "coils"):
        return "bool" if (each.at.span if each.kind == "bits" else each.width) == 1 else "uint16"
    return each.kind


class Held:
    """`points` that are read from devices, in the order of their columns."""

    def __init__(self, points: Sequence[Point], connections: Sequence[Connection]) -> None:
        self.names = [f"{point.equipment}.{point.key}" for point in points]
        pushed = np.array([connection.adapter != "modbus" for connection in connections], bool)
        kinds = np.array([held_type(*pair) for pair in zip(connections, points, strict=True)], object)
        # Worked on in an order in which those of one type are neighbours.
        order = np.lexsort((kinds.astype(str), pushed))
        self._back = np.argsort(order)
        self._sorted = [self.names[row] for row in order]
        self._factor = np.array([points[row].factor for row in order])
        self._offset = np.array([points[row].offset for row in order])
        self._scaled = bool((self._factor != 1).any() or self._offset.any())
        self._rounded = slice(int(np.count_nonzero(~pushed)), len(points))
        self._curves = [
            (column, *map(np.array, zip(*points[row].guards.curve, strict=True)))
            for column, row in enumerate(order)
            if points[row].guards.curve
        ]
        full = np.array([_full(points[row], kinds[row]) for row in order], np.float64)
        self._counters = np.flatnonzero(full)
        self._full = full[self._counters]
        none = [points[row].guards.no_value for row in order]
        self._none = np.array([numbers[0] if numbers else np.nan for numbers in none])
        self._whole = np.array([not kinds[row].startswith("float") and kinds[row] != STRING for row in order])
        self._beats = np.flatnonzero([points[row].path == connections[row].heartbeat for row in order])
        self._types: list[tuple[str, slice]] = []
        cuts = np.flatnonzero((kinds[order][1:] != kinds[order][:-1]) | (pushed[order][1:] != pushed[order][:-1])) + 1
        for begin, end in itertools.pairwise([0, *cuts.tolist(), len(points)]):
            kind = str(kinds[order][begin]) if end else "float64"
            if kind not in (STRING, "float64"):
                self._types.append((kind, slice(begin, end)))

    def unknown(self, columns: Sequence[str]) -> list[str]:
        """Names that nothing simulates: their devices show 0."""
        known = set(columns)
        return [name for name in self.names if name not in known]

    def pick(self, block: Block) -> NDArray[np.float64]:
        """[steps, points] of a block in the points' units, in an order of its own, for `raw`; NaN where there is
        none."""
        return block.pick(self._sorted)

    def of(self, block: Block) -> NDArray[np.float64]:
        """[steps, points] raw numbers; NaN where a device that can say so has no value."""
        return self.raw(self.pick(block), block.ts, self.unknown(list(block.columns)))

    def raw(
        self, raw: NDArray[np.float64], ts: NDArray[np.int64], unknown: Collection[str] = ()
    ) -> NDArray[np.float64]:
        """As `of`, from what `pick` gave, which is overwritten. `unknown`: names that nothing simulates."""
        if self._scaled:
            raw -= self._offset
            raw /= self._factor
        for column, numbers, curve in self._curves:
            rises = curve[0] < curve[-1]
            raw[:, column] = np.interp(raw[:, column], curve[:: 1 if rises else -1], numbers[:: 1 if rises else -1])
        if len(self._counters):
            # A counter begins again where its type ends, or where its point says.
            raw[:, self._counters] = np.mod(np.rint(raw[:, self._counters]), self._full)
        empty = np.isnan(raw)
        if empty.any():
            self._fill(raw, empty, np.array([name not in unknown for name in self._sorted]))
        if len(self._beats):
            raw[:, self._beats] = (ts // 1_000_000 % BEATS)[:, None]
        raw[:, self._rounded] = np.round(raw[:, self._rounded], DECIMALS)
        for kind, columns in self._types:
            raw[:, columns] = quantise(raw[:, columns], kind)
        return raw[:, self._back]

    def _fill(self, raw: NDArray[np.float64], empty: NDArray[np.bool_], simulated: NDArray[np.bool_]) -> None:
        """What is not simulated, and what was never written, is 0; what has no value is said by the point's own
        number for that, or by a float that is none."""
        columns = np.flatnonzero(empty.any(axis=0))
        none = np.where(simulated, self._none, 0.0)
        none = np.where(np.isnan(none) & self._whole, 0.0, none)
        raw[:, columns] = np.where(empty[:, columns], none[columns], raw[:, columns])


def _full(point: Point, kind: str) -> float:
    """Where a counter begins again at 0; 0 for never."""
    if point.guards.rollover:
        return point.guards.rollover
    whole = kind in SIZES and not kind.startswith("float")
    return bounds(kind)[1] + 1 if point.kind is Kind.COUNTER and whole and SIZES[kind] < 8 else 0.0
