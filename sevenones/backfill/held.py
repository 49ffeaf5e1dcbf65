"""What the devices of a site hold of a block: each point's channel at each step, as the raw number that an adapter
would decode. The quantisation is the simulated devices' own (simulators.encode)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Kind, Point
from simulators.devices.device import STRING, type_of
from simulators.encode import TYPES, quantise
from simulators.engine.block import Block

DECIMALS = 6
"""Digits after the point that a self-describing protocol shows."""
_SHORT = {"boolean": "bool", "float": "float32", "double": "float64", "number": "float64", "text": STRING}
_WORDS = ("bool", *TYPES)


def held_type(connection: Connection, point: Point) -> str:
    """The type that the device of this connection holds the point in; a type of the site that holds any number
    (BCD, a bit field, the number of a metric) counts as float64."""
    if point.kind is Kind.TEXT:
        return STRING
    if connection.adapter == "modbus":
        bit = point.address.rpartition("/")[2]
        single = bit.startswith(("co:", "di:")) or "." in bit
        kind = point.type or ("bool" if single else "uint16")
    else:
        kind = type_of(point).lower()
    kind = _SHORT.get(kind, kind)
    return kind if kind in _WORDS or kind == STRING else "float64"


class Held:
    """`points` that are read from devices, in the order of their columns."""

    def __init__(self, points: Sequence[Point], connections: Sequence[Connection]) -> None:
        self.names = [f"{point.equipment}.{point.key}" for point in points]
        pushed = np.array([connection.adapter != "modbus" for connection in connections], bool)
        kinds = np.array([held_type(*pair) for pair in zip(connections, points, strict=True)])
        # Worked on in an order in which those of one type are neighbours.
        order = np.lexsort((kinds, pushed))
        self._back = np.argsort(order)
        self._sorted = [self.names[row] for row in order]
        self._factor = np.array([points[row].factor for row in order])
        self._offset = np.array([points[row].offset for row in order])
        self._scaled = bool((self._factor != 1).any() or self._offset.any())
        self._rounded = slice(int(np.count_nonzero(~pushed)), len(points))
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

    def of(self, block: Block) -> NDArray[np.float64]:
        """[steps, points] raw numbers."""
        raw = block.pick(self._sorted)
        unknown = ~np.isfinite(raw)
        if unknown.any():
            raw[unknown] = 0.0
        if self._scaled:
            raw -= self._offset
            raw /= self._factor
        raw[:, self._rounded] = np.round(raw[:, self._rounded], DECIMALS)
        for kind, columns in self._types:
            raw[:, columns] = quantise(raw[:, columns], kind)
        return raw[:, self._back]
