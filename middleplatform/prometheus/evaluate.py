"""A query's tree computed for all steps at once: vectors are matrices of series × steps, NaN-free where `there`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.prometheus import windows
from middleplatform.prometheus.metrics import HOLDS, MOST_SERIES, NAME, Metrics
from middleplatform.prometheus.parser import Aggregate, Binary, Call, Constant, Node, Number, PromError, Selector
from models.quality import is_good

MOST_SAMPLES = 2_000_000
"""Samples that one selector may read."""
MOST_CELLS = 500_000
"""Spans of time, of all series, that the store computes for one selector; more are computed here, from the
samples."""

Floats = NDArray[np.float64]


class Reads(Protocol):
    """What the store is asked: ids, then µs."""

    def raw(self, points: list[int], start: int, end: int, limit: int) -> pa.Table:
        """Samples of start ≤ ts < end, at most `limit`."""

    def newest(self, points: list[int], start: int, end: int, width: int, within: int) -> pa.Table:
        """The last sample of start < ts ≤ start + width, …: see `middleplatform.store.tally`."""

    def tally(self, points: list[int], start: int, end: int, width: int) -> pa.Table:
        """The good samples of start < ts ≤ start + width, …: see `middleplatform.store.tally`."""


@dataclass(frozen=True, slots=True)
class Vector:
    """`labels`: one mapping a series; `value` and `there`: series × steps."""

    labels: list[dict[str, str]]
    value: Floats
    there: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Query:
    """What a tree is computed over: `steps` int64 µs, rising by the same. `most_cells`: 0 computes all from the
    samples."""

    metrics: Metrics
    steps: NDArray[np.int64]
    store: Reads
    most_cells: int = MOST_CELLS

    def value(self, node: Node) -> Floats | Vector:
        """One number a step, or a vector. Raises PromError."""
        if isinstance(node, Number):
            return np.full(len(self.steps), node.value)
        if isinstance(node, Selector):
            return self._instant(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Constant):
            number = self.value(node.of)
            assert not isinstance(number, Vector)  # noqa: S101 the parser saw to it
            return Vector([{}], number[None, :], np.ones((1, len(self.steps)), bool))
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
        for series, (ts, sample, good) in enumerate(self._newest(rows, int(age.max(initial=0)))):
            last = np.searchsorted(ts, self.steps, "right") - 1
            held = np.flatnonzero(last >= 0)
            held = held[(self.steps[held] - ts[last[held]] < age[series]) & good[last[held]]]
            value[series, held] = sample[last[held]]
        return Vector(labels, value, ~np.isnan(value))

    def _call(self, node: Call) -> Vector:
        rows, labels = self._series(node.over)
        window = node.over.window or 0
        function = node.function.removesuffix("_over_time")
        width = math.gcd(window, self._step)
        spans = -(-(int(self.steps[-1] - self.steps[0]) + window) // width)
        if rows and function in windows.OF_TALLIES and len(rows) * spans <= self.most_cells:
            value = self._tallied(rows, function, window, width)
        else:
            value = np.full((len(rows), len(self.steps)), np.nan)
            for series, (ts, sample, _) in enumerate(self._samples(rows, window, good=True)):
                at = windows.Windows.of(ts, sample, self.steps, window)
                if function in {"rate", "increase"}:
                    grown = windows.increase(at)
                    value[series] = grown / (window / 1e6) if function == "rate" else grown
                else:
                    value[series] = windows.over_time(function, at, node.parameter)
        keeps = node.function == "last_over_time"
        return Vector(labels if keeps else _unnamed(labels), value, ~np.isnan(value))

    @property
    def _step(self) -> int:
        """µs between two steps; 0 where there is one, which divides by everything."""
        return int(self.steps[1] - self.steps[0]) if len(self.steps) > 1 else 0

    def _newest(self, rows: list[int], age: int) -> list[tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]]:
        """What may hold at a step for `age` µs: the last sample before each, found by the store; else all samples."""
        width = self._step or age
        before = -(-age // width) * width if width else 0
        spans = (int(self.steps[-1] - self.steps[0]) + before) // width if width else 0
        if not rows or len(rows) * spans > self.most_cells:
            return self._samples(rows, age, good=False)
        ids = [self.metrics.points[row].id for row in rows]
        start, end = int(self.steps[0]) - before, int(self.steps[-1])
        return _by_series(self.store.newest(ids, start, end, width, age), ids, good=False)

    def _tallied(self, rows: list[int], function: str, window: int, width: int) -> Floats:
        """A function of each window, put together from spans that the store counted."""
        ids = [self.metrics.points[row].id for row in rows]
        table = self.store.tally(ids, int(self.steps[0]) - window, int(self.steps[-1]), width)
        point, ts = table.column("point").to_numpy(), table.column("ts").to_numpy()
        columns = {name: table.column(name).to_numpy() for name in ("n", "sum", "min", "max", "last")}
        value = np.full((len(rows), len(self.steps)), np.nan)
        for series, each in enumerate(ids):
            part = slice(*(int(np.searchsorted(point, np.uint64(each), side)) for side in ("left", "right")))  # type: ignore[call-overload]
            of = {name: column[part].astype(np.float64) for name, column in columns.items()}
            value[series] = windows.of_tallies(function, windows.Windows.of(ts[part], of["n"], self.steps, window), of)
        return value

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
        table = self.store.raw(ids, start, end, MOST_SAMPLES + 1)
        if table.num_rows > MOST_SAMPLES:
            raise PromError(f"over {MOST_SAMPLES} samples would have to be read: take a shorter range or fewer series")
        return _by_series(table, ids, good)


def _by_series(
    table: pa.Table, ids: list[int], good: bool
) -> list[tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]]:
    """The samples of each id out of a table that is ordered by point and ts; only good ones where `good`."""
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
