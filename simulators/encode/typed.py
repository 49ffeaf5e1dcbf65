"""Values of a device whose protocol says their types itself: rounded, held within the type, kept by kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.site.model import Kind, Point
from simulators.encode.number import TYPES, EncodeError, Floats, quantise
from simulators.encode.scale import Scale

STRING = "string"
DECIMALS = 6
"""Digits after the point that such a device tells."""

_ALIASES = {
    "boolean": "bool",
    "sbyte": "int8",
    "byte": "uint8",
    "float": "float32",
    "double": "float64",
    "text": STRING,
    "number": "",
    "number_text": "",
}


def type_of(point: Point) -> str:
    """The type in which such a protocol holds a point: the one that it names, else one that suits it."""
    named = point.type.lower()
    named = _ALIASES.get(named, named)
    if named:
        return named
    if point.kind is Kind.TEXT:
        return STRING
    if point.kind is Kind.STATE:
        return "bool" if point.role == "run.state" else "int32"
    if not point.unit:
        return "uint32" if point.kind is Kind.COUNTER else "int32"
    return "float64"


class Typed:
    """The present values of points of these types. Raises EncodeError for a type that there is not."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.kinds = tuple(type_of(point) for point in points)
        for point, kind in zip(points, self.kinds, strict=True):
            if kind != STRING and kind not in TYPES:
                raise EncodeError(f"{point.path}: no such device holds the type '{kind}'")
        self.scale = Scale(points, self.kinds)
        self._rows: dict[str, NDArray[np.intp]] = {
            kind: np.array([row for row, each in enumerate(self.kinds) if each == kind], np.intp)
            for kind in dict.fromkeys(self.kinds)
            if kind != STRING
        }
        self._held: list[float | int | bool | str | None] = [None] * len(self.kinds)
        self._texts = [row for row, kind in enumerate(self.kinds) if kind == STRING]

    def hold(self, values: Floats, texts: Sequence[str]) -> Floats:
        """Take new values in the points' units; give back what is shown of them. NaN is no value."""
        raw = np.round(self.scale.raw(values), DECIMALS)
        held = np.full(len(raw), np.nan)
        for kind, rows in self._rows.items():
            wanted = raw[rows]
            none = ~np.isfinite(wanted)
            numbers = quantise(np.where(none, 0.0, wanted), kind)
            held[rows] = np.where(none, np.nan, numbers.astype(np.float64))
            plain = (numbers != 0).tolist() if kind == "bool" else numbers.tolist()
            for row, number in zip(rows.tolist(), plain, strict=True):
                self._held[row] = number
            for row in rows[none].tolist():
                self._held[row] = None
        for row in self._texts:
            self._held[row] = texts[row]
        return self.scale.shown(held)

    def __getitem__(self, row: int) -> float | int | bool | str | None:
        """What the device now says of a point; None for no value."""
        return self._held[row]

    def meaning(self, row: int, number: float | str) -> float | str:
        """What a value that was written to a point means, in its unit."""
        return number if isinstance(number, str) else self.scale.meaning(row, float(number))
