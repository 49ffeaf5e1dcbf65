"""Alarms over several points, or over how fast one changes: their value at every sample of their points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alarms.rows import Latest, Rows
from models.alarms.tables import PASS, SIZE, place
from models.quality import GOOD, UNCERTAIN
from models.site.expressions import Node

_MINUTE_US = 60e6
_BINARY = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power, "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal, "&": np.logical_and,
    "|": np.logical_or, "min": np.minimum, "max": np.maximum, "arctan2": np.arctan2,
}  # fmt: skip
_UNARY = {
    "neg": np.negative, "not": np.logical_not, "abs": np.abs, "sqrt": np.sqrt, "exp": np.exp, "log": np.log,
    "log10": np.log10, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arctan": np.arctan, "floor": np.floor,
    "ceil": np.ceil,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """That only what is known counts: in place of an input that is bad, or was not heard of for its `oldest` µs, stands
    `other`, as long as any is known."""

    other: float
    oldest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """`tree` over `inputs` (places in Site.points); None: the change a minute of the one input. `gates`: of each input
    the point and the row of the tables by which its value counts for nothing, and how old (µs) the point may be to be
    known; -1 for none."""

    inputs: tuple[int, ...]
    tree: Node | None
    gates: tuple[tuple[int, int, int], ...]
    known: Known | None = None

    def at(
        self, rows: Rows, there: NDArray[np.bool_], before: Latest, tables: NDArray[np.int8]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
        """Times of these rows' samples of the inputs, each once, rising; the value then; and the worst quality: bad
        where an input is, or was not seen yet. `there`: points that have a sample in these rows."""
        if self.tree is None:
            ts, rate, quality = self._rate(rows, before)
            quality[self._void(0, ts, rows, before, tables)] = 0
            return ts, rate, quality
        parts = [rows.ts[slice(*rows.span(point))] for point in self.inputs if there[point]]
        # Never before what was judged already: points of several devices do not come in the order of their times.
        ts = np.unique(np.maximum(np.concatenate(parts), before.ts[list(self.inputs)].max()))
        values, unknown, quality = [], [], np.full(len(ts), GOOD, np.uint8)
        for number, point in enumerate(self.inputs):
            row = rows.row_at(np.full(len(ts), point), ts)
            value = np.where(row >= 0, rows.value[row], before.value[point])
            said = np.where(row >= 0, rows.quality[row], before.quality[point])
            bad = np.isnan(value) | (said < UNCERTAIN) | ((said >= 128) & (said < 192))
            bad |= self._void(number, ts, rows, before, tables)
            if self.known is not None:
                bad |= ts - np.where(row >= 0, rows.ts[row], before.ts[point]) > self.known.oldest[number]
                value = np.where(bad, self.known.other, value)
            unknown.append(bad)
            values.append(value)
        quality[np.all(unknown, axis=0) if self.known is not None else np.any(unknown, axis=0)] = 0
        with np.errstate(all="ignore"):
            found = np.asarray(_value(self.tree, values), np.float64)
        quality[~np.isfinite(found)] = 0
        return ts, found, quality

    def _void(
        self, number: int, ts: NDArray[np.int64], rows: Rows, before: Latest, tables: NDArray[np.int8]
    ) -> NDArray[np.bool_]:
        """When an input's sensor says that its value counts for nothing."""
        gate, table, oldest = self.gates[number]
        if gate < 0:
            return np.zeros(len(ts), np.bool_)
        state = rows.state_at(np.full(len(ts), gate), ts, before, oldest)
        shut: NDArray[np.bool_] = tables[table * SIZE + place(state)] != PASS
        return shut

    def _rate(self, rows: Rows, before: Latest) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
        (point,) = self.inputs
        begin, end = rows.span(point)
        ts, value, quality = rows.ts[begin:end], rows.value[begin:end], rows.quality[begin:end]
        passed = np.diff(np.append(before.ts[point], ts))
        was, said = np.append(before.value[point], value[:-1]), np.append(before.quality[point], quality[:-1])
        with np.errstate(all="ignore"):
            rate = (value - was) / (passed / _MINUTE_US)
        void = ~np.isfinite(rate) | (quality < GOOD) | (said < GOOD) | (passed <= 0)
        return ts, rate, np.where(void, 0, GOOD).astype(np.uint8)


def _value(node: Node, inputs: Sequence[NDArray[np.float64]]) -> NDArray[np.generic] | float:
    if node.kind == "number":
        return node.number
    if node.kind == "input":
        return inputs[int(node.number)]
    parts = [_value(part, inputs) for part in node.parts]
    if node.kind == "where":
        return np.where(*parts)
    if node.kind in _UNARY:
        found: NDArray[np.generic] = _UNARY[node.kind](parts[0])
        return found
    first = parts[0]
    for part in parts[1:]:
        first = _BINARY[node.kind](first, part)
    return first
