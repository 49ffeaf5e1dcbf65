"""Derived points: expressions over other points of the connection, each shape evaluated once for all
of its points by numexpr, from code that models.site wrote, never from what somebody typed.

Quality is the worst of the inputs', and with a bad input there is no value; the time is that of the
newest input. A late sample of an input changes nothing: derived points speak of the present.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.places import Index
from gateway.points import PointTable
from models.quality import RANK, UNCERTAIN


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Derived points of one code, none of which needs another. `inputs`: a row an input, a column a point."""

    run: Any
    rows: Index
    inputs: NDArray[np.intp]


class Derived:
    """The derived points of a table, in an order in which each comes after those that it needs."""

    def __init__(self, table: PointTable) -> None:
        import numexpr  # only a site with derived points waits for it

        row_of = {point.path: row for row, point in enumerate(table.points)}
        level: dict[str, int] = {}
        groups: dict[tuple[int, str, int], list[int]] = {}
        waiting = [point for point in table.points if point.formula is not None]
        derived = {point.path for point in waiting}
        while waiting:
            left = []
            for point in waiting:
                inputs = point.formula.inputs
                if any(path in derived and path not in level for path in inputs):
                    left.append(point)
                    continue
                level[point.path] = 1 + max((level.get(path, 0) for path in inputs), default=0)
                key = (level[point.path], point.formula.code, len(inputs))
                groups.setdefault(key, []).append(row_of[point.path])
            if len(left) == len(waiting):
                raise ValueError("derived points in a circle")  # a loaded site has none
            waiting = left
        self._count = len(table)
        self.unusable: dict[int, str] = {}
        """Rows whose expression the library does not take, and why. None is known."""
        shapes = []
        for (_, code, count), rows in sorted(groups.items()):
            try:
                run = numexpr.NumExpr(code, [(f"x{i}", np.double) for i in range(count)])
            except Exception as error:  # one point's expression shall not keep the others from being read
                self.unusable.update(dict.fromkeys(rows, f"the expression cannot be evaluated: {error}"))
                continue
            inputs = [[row_of[path] for path in table.points[row].formula.inputs] for row in rows]
            shapes.append(Shape(run, np.array(rows, np.intp), np.array(inputs, np.intp).T))
        self.shapes = tuple(shapes)

    @staticmethod
    def build(table: PointTable) -> Derived | None:
        """The derived points of a table; None where it has none."""
        return Derived(table) if table.derived.any() else None

    def touched(self, rows: Index) -> Iterator[tuple[Shape, Index]]:
        """The shapes that these rows concern, and which of their points, those that follow from others
        that follow from them included."""
        seen = np.zeros(self._count, np.bool_)
        seen[rows] = True
        for shape in self.shapes:
            which = np.flatnonzero(seen[shape.inputs].any(axis=0))
            if len(which):
                seen[shape.rows[which]] = True
                yield shape, which

    def dependents(self, rows: Index) -> Index:
        """The rows that follow from these."""
        found = [shape.rows[which] for shape, which in self.touched(rows)]
        return np.concatenate(found) if found else np.empty(0, np.intp)


def evaluate(
    shape: Shape, which: Index, value: NDArray[np.float64], quality: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Values and qualities of these points of a shape. `value`, `quality`: the whole table's."""
    inputs = shape.inputs[:, which]
    codes = quality[inputs]
    worst = np.take_along_axis(codes, np.argmin(RANK[codes], axis=0)[np.newaxis], axis=0)[0]
    result = np.asarray(shape.run(*(np.ascontiguousarray(value[row]) for row in inputs)), np.float64)
    result = np.where(worst < UNCERTAIN, np.nan, result)
    return result, worst
