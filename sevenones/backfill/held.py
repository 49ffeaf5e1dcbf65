"""What the devices of a site hold of a block: each point's channel at each step, as the raw number that an adapter
would decode. The quantisation is the simulated devices' own (simulators.encode)."""

from __future__ import annotations

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
        self._factor = np.array([point.factor for point in points])
        self._offset = np.array([point.offset for point in points])
        self._scaled = bool((self._factor != 1).any() or self._offset.any())
        kinds = [held_type(connection, point) for point, connection in zip(points, connections, strict=True)]
        rounds = np.array([connection.adapter != "modbus" for connection in connections], bool)
        self._rounds = np.flatnonzero(rounds)
        self._of = {
            kind: np.flatnonzero([kind == other for other in kinds]) for kind in set(kinds) - {STRING, "float64"}
        }

    def unknown(self, columns: Sequence[str]) -> list[str]:
        """Names that nothing simulates: their devices show 0."""
        known = set(columns)
        return [name for name in self.names if name not in known]

    def of(self, block: Block) -> NDArray[np.float64]:
        """[steps, points] raw numbers."""
        raw = block.pick(self.names)
        np.nan_to_num(raw, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        if self._scaled:
            raw -= self._offset
            raw /= self._factor
        if len(self._rounds):
            raw[:, self._rounds] = np.round(raw[:, self._rounds], DECIMALS)
        for kind, columns in self._of.items():
            raw[:, columns] = quantise(raw[:, columns], kind)
        return raw
