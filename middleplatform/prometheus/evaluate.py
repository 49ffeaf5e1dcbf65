"""A query's tree computed for all steps at once: vectors are matrices of series × steps, NaN-free where `there`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.prometheus import windows
from middleplatform.prometheus.metrics import HOLDS, MOST_SERIES, NAME, Metrics
from middleplatform.prometheus.parser import Aggregate, Binary, Call, Node, Number, PromError, Selector
from models.quality import is_good

MOST_SAMPLES = 2_000_000
"""Samples that one selector may read."""

Floats = NDArray[np.float64]
Read = Callable[[list[int], int, int, int], pa.Table]
"""Reads raw samples: ids, start, end (not included), limit."""


@dataclass(frozen=True, slots=True)
class Vector:
    """`labels`: one mapping a series; `value` and `there`: series × steps."""

    labels: list[dict[str, str]]
    value: Floats
    there: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Query:
    """What a tree is computed over: `steps` int64 µs, rising."""

    metrics: Metrics
    steps: NDArray[np.int64]
    read: Read

    def value(self, node: Node) -> Floats | Vector:
        """One number a step, or a vector. Raises PromError."""
        if isinstance(node, Number):
            return np.full(len(self.steps), node.value)
        if isinstance(node, Selector):
            return self._instant(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Aggregate):
            of = self.value(node.of)
            assert isinstance(of, Vector)  # noqa: S101 the parser saw to it
            return aggregate(node.function, node.by, of)
        return self._binary(node)

    def _binary(self, node: Binary) -> Floats | Vector:
        left, right = self.value(node.left), self.value(node.right)
        operation = _OPERATIONS[node.op]
        with np.errstate(all="ignore"):
            if isinstance(left, Vector):
                assert not isinstance(right, Vector)  # noqa: S101 the parser saw to it
                return Vector(_unnamed(left.labels), operation(left.value, right), left.there)
            if isinstance(right, Vector):
                return Vector(_unnamed(right.labels), operation(left, right.value), right.there)
            found: Floats = operation(left, right)
            return found

    def _instant(self, node: Selector) -> Vector:
        """The value that holds at each step: that of the last sample, when it is good and not older than the point's
        hold age."""
        rows, labels = self._series(node)
        age = np.array([round(HOLDS * self.metrics.points[row].silence_s * 1e6) for row in rows], np.int64)
        value = np.full((len(rows), len(self.steps)), np.nan)
        for series, (ts, sample, good) in enumerate(self._samples(rows, int(age.max(initial=0)), good=False)):
            last = np.searchsorted(ts, self.steps, "right") - 1
            held = np.flatnonzero(last >= 0)
            held = held[(self.steps[held] - ts[last[held]] < age[series]) & good[last[held]]]
            value[series, held] = sample[last[held]]
        return Vector(labels, value, ~np.isnan(value))

    def _call(self, node: Call) -> Vector:
        rows, labels = self._series(node.over)
        window = node.over.window or 0
        value = np.full((len(rows), len(self.steps)), np.nan)
        for series, (ts, sample, _) in enumerate(self._samples(rows, window, good=True)):
            at = windows.Windows.of(ts, sample, self.steps, window)
            if node.function in {"rate", "increase"}:
                grown = windows.increase(at)
                value[series] = grown / (window / 1e6) if node.function == "rate" else grown
            else:
                value[series] = windows.over_time(node.function.removesuffix("_over_time"), at, node.parameter)
        keeps = node.function == "last_over_time"
        return Vector(labels if keeps else _unnamed(labels), value, ~np.isnan(value))

    def _series(self, node: Selector) -> tuple[list[int], list[dict[str, str]]]:
        rows = self.metrics.matching(node.matchers).tolist()
        if len(rows) > MOST_SERIES:
            raise PromError(f"{len(rows)} series match, at most {MOST_SERIES} are answered: add labels to the selector")
        return rows, [self.metrics.labels(row) for row in rows]

    def _samples(
        self, rows: list[int], before: int, good: bool
    ) -> list[tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]]:
        """ts, value and whether it is good, of each series; only good ones where `good`."""
        if not rows:
            return []
        ids = [self.metrics.points[row].id for row in rows]
        start, end = max(0, int(self.steps[0]) - before), int(self.steps[-1]) + 1
        table = self.read(ids, start, end, MOST_SAMPLES + 1)
        if table.num_rows > MOST_SAMPLES:
            raise PromError(f"over {MOST_SAMPLES} samples would have to be read: take a shorter range or fewer series")
        point, ts, value, quality = (table.column(n).to_numpy() for n in ("point", "ts", "value", "quality"))
        usable = is_good(quality) & np.isfinite(value)
        found = []
        for each in ids:
            begin, stop = (int(np.searchsorted(point, np.uint64(each), side)) for side in ("left", "right"))  # type: ignore[call-overload]
            part = slice(begin, stop)
            kept = usable[part] if good else np.ones(stop - begin, bool)
            found.append((ts[part][kept], value[part][kept], usable[part][kept]))
        return found


def aggregate(function: str, by: tuple[str, ...], of: Vector) -> Vector:
    """Over the series that agree in the labels of `by`, at each step over those that are there."""
    keys = [tuple(labels.get(label, "") for label in by) for labels in of.labels]
    groups = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    to = np.array([groups[key] for key in keys], np.intp)
    count = np.zeros((len(groups), of.value.shape[1]))
    np.add.at(count, to, of.there)
    value = count
    if function in {"sum", "avg"}:
        value = np.zeros_like(count)
        np.add.at(value, to, np.where(of.there, of.value, 0.0))
        if function == "avg":
            value = value / np.maximum(count, 1)
    elif function in {"min", "max"}:
        value = np.full_like(count, np.nan)
        extreme = np.fmin if function == "min" else np.fmax
        extreme.at(value, to, np.where(of.there, of.value, np.nan))
    labels = [{name: text for name, text in zip(by, key, strict=True) if text} for key in groups]
    return Vector(labels, value, count > 0)


_OPERATIONS: dict[str, Callable[..., Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
}


def _unnamed(labels: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{label: text for label, text in each.items() if label != NAME} for each in labels]
