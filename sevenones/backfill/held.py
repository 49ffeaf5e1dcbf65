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
    """`points` that are read from devices, in the order of their columns: the faster the longer the runs of one
    `held_type`."""

    def __init__(self, points: Sequence[Point], connections: Sequence[Connection]) -> None:
        self.names = [f"{point.equipment}.{point.key}" for point in points]
        kinds = [held_type(*pair) for pair in zip(connections, points, strict=True)]
        self._factor = np.array([point.factor for point in points])
        self._offset = np.array([point.offset for point in points])
        self._scaled = bool((self._factor != 1).any() or self._offset.any())
        self._curves = [
            (row, *map(np.array, zip(*point.guards.curve, strict=True)))
            for row, point in enumerate(points)
            if point.guards.curve
        ]
        self._full = np.array([_full(*pair) for pair in zip(points, kinds, strict=True)], np.float64)
        none = [point.guards.no_value for point in points]
        self._none = np.array([numbers[0] if numbers else np.nan for numbers in none])
        self._whole = np.array([not kind.startswith("float") and kind != STRING for kind in kinds])
        pairs = list(zip(connections, points, strict=True))
        self.beats = np.array([point.path == connection.heartbeat for connection, point in pairs], bool)
        """Which of them go on whatever is simulated."""
        rounded = [connection.adapter != "modbus" for connection in connections]
        self._runs: list[tuple[bool, str]] = []
        self._cuts = [0]
        for (rounds, kind), run in itertools.groupby(zip(rounded, kinds, strict=True)):
            self._runs.append((rounds, kind))
            self._cuts.append(self._cuts[-1] + len(list(run)))

    def unknown(self, columns: Collection[str]) -> list[str]:
        """Names that nothing simulates: their devices show 0."""
        known = set(columns)
        return [name for name in self.names if name not in known]

    def of(self, block: Block) -> NDArray[np.float64]:
        """[steps, points] raw numbers; NaN where a device that can say so has no value."""
        everything = np.arange(len(self.names))
        return self.raw(everything, block.pick(self.names), block.ts[:, None], self.unknown(block.columns))

    def raw(
        self,
        rows: NDArray[np.intp],
        values: NDArray[np.float64],
        ts: NDArray[np.int64],
        unknown: Collection[str] = (),
    ) -> NDArray[np.float64]:
        """As `of`, of some points: `rows`, rising. `values` [instants, rows] in the points' units is overwritten;
        `ts` µs, [instants, rows or 1]. `unknown`: names that nothing simulates."""
        raw = values
        if self._scaled:
            raw -= self._offset[rows]
            raw /= self._factor[rows]
        for row, numbers, curve in self._curves:
            rises = 1 if curve[0] < curve[-1] else -1
            for column in np.flatnonzero(rows == row):
                raw[:, column] = np.interp(raw[:, column], curve[::rises], numbers[::rises])
        counters = np.flatnonzero(self._full[rows])
        if len(counters):
            # A counter begins again where its type ends, or where its point says.
            raw[:, counters] = np.mod(np.rint(raw[:, counters]), self._full[rows[counters]])
        empty = np.isnan(raw)
        if empty.any():
            self._fill(rows, raw, empty, unknown)
        beats = np.flatnonzero(self.beats[rows])
        if len(beats):
            raw[:, beats] = np.broadcast_to(ts // 1_000_000 % BEATS, raw.shape)[:, beats]
        cuts = np.searchsorted(rows, self._cuts).tolist()
        for (rounded, kind), begin, end in zip(self._runs, cuts, cuts[1:], strict=False):
            if begin < end:
                columns = raw[:, begin:end]
                if rounded:
                    np.round(columns, DECIMALS, out=columns)
                if kind not in (STRING, "float64"):
                    columns[:] = quantise(columns, kind)
        return raw

    def _fill(
        self,
        rows: NDArray[np.intp],
        raw: NDArray[np.float64],
        empty: NDArray[np.bool_],
        unknown: Collection[str],
    ) -> None:
        """What is not simulated, and what was never written, is 0; what has no value is said by the point's own
        number for that, or by a float that is none."""
        columns = np.flatnonzero(empty.any(axis=0))
        some = rows[columns]
        simulated = np.array([self.names[row] not in unknown for row in some])
        none = np.where(simulated, self._none[some], 0.0)
        none = np.where(np.isnan(none) & self._whole[some], 0.0, none)
        raw[:, columns] = np.where(empty[:, columns], none, raw[:, columns])


def _full(point: Point, kind: str) -> float:
    """Where a counter begins again at 0; 0 for never."""
    if point.guards.rollover:
        return point.guards.rollover
    whole = kind in SIZES and not kind.startswith("float")
    return bounds(kind)[1] + 1 if point.kind is Kind.COUNTER and whole and SIZES[kind] < 8 else 0.0
