"""Points as Prometheus has metrics: a name from the role, labels from what the point is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from middleplatform.prometheus.parser import Matcher, PromError
from models.site.model import Kind, Point, Site

NAME = "__name__"
LABELS = (NAME, "point", "mine", "equipment", "area", "key", "unit", "kind", "name")
MOST_SERIES = 500
"""Series that one selector gives."""
HOLDS = 2.0
"""A value holds for at most this many times its point's longest silence."""
_LONGEST_PATTERN = 1_000


def metric_name(point: Point) -> str:
    """`belt.speed` → `belt_speed`; the point's key where it has no role."""
    name = re.sub(r"[^A-Za-z0-9_:]", "_", point.role or point.key)
    return name if re.match(r"[A-Za-z_:]", name) else f"_{name}"


@dataclass(frozen=True)
class Metrics:
    """The points of a site that have numbers: `points`, and under each label one text a point."""

    points: tuple[Point, ...]
    columns: dict[str, pa.Array]

    @staticmethod
    def of(site: Site) -> Metrics:
        points = tuple(point for point in site.points if point.kind != Kind.TEXT)
        areas = {name: each.area for name, each in site.equipment.items()}
        rows = [_labels(point, site.code, areas) for point in points]
        return Metrics(points, {label: pa.array([row[label] for row in rows], pa.string()) for label in LABELS})

    def matching(self, matchers: Iterable[Matcher]) -> NDArray[np.intp]:
        """Indices of the points for which all matchers hold. Raises PromError for a pattern that cannot be read."""
        held = np.ones(len(self.points), bool)
        for matcher in matchers:
            held &= self._holds(matcher)
        return np.flatnonzero(held)

    def labels(self, index: int) -> dict[str, str]:
        """A point's labels but those that are empty."""
        found = {label: str(column[index].as_py()) for label, column in self.columns.items()}
        return {label: text for label, text in found.items() if text}

    def values(self, label: str, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
        column = self.columns.get(label)
        if column is None:
            return []
        return sorted(text for text in column.take(pa.array(rows, pa.int64())).unique().to_pylist() if text)

    def _holds(self, matcher: Matcher) -> NDArray[np.bool_]:
        column = self.columns.get(matcher.label)
        if column is None:
            column = pa.array([""] * len(self.points), pa.string())
        if matcher.op in {"=", "!="}:
            same = pc.equal(column, matcher.value)
        else:
            if len(matcher.value) > _LONGEST_PATTERN:
                raise PromError(f"a pattern has at most {_LONGEST_PATTERN} characters")
            try:
                same = pc.match_substring_regex(column, f"^(?:{matcher.value})$")  # RE2: linear whatever the pattern is
            except pa.ArrowException:
                raise PromError(f"the pattern '{matcher.value[:60]}' cannot be read") from None
        found: NDArray[np.bool_] = same.to_numpy(zero_copy_only=False).astype(bool)
        return found if matcher.op in {"=", "=~"} else ~found


def _labels(point: Point, mine: str, areas: dict[str, str]) -> dict[str, str]:
    equipment = point.equipment.rpartition("/")[2]
    return {
        NAME: metric_name(point),
        "point": point.path,
        "mine": mine,
        "equipment": equipment,
        "area": areas.get(equipment, ""),
        "key": point.key,
        "unit": point.unit,
        "kind": str(point.kind),
        "name": point.name.zh,
    }
