"""The utilisation that a mine really had, and its tonnes and kWh, by plain arithmetic over the truth.

U = Σ P·I / Σ P over the equipment of a category, in time (domain facts 3.3): P is the time in which it
produced, I of that the time in which nobody worked it by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Spans = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Starts and ends, rising, that do not overlap; µs UTC."""


@dataclass(frozen=True, slots=True)
class Share:
    """Seconds of producing, and of these the intelligent ones."""

    producing_s: float
    intelligent_s: float

    @property
    def share(self) -> float:
        """NaN when nothing was produced."""
        return self.intelligent_s / self.producing_s if self.producing_s else float("nan")

    def __add__(self, other: Share) -> Share:
        return Share(self.producing_s + other.producing_s, self.intelligent_s + other.intelligent_s)


NOTHING = Share(0.0, 0.0)


def of_equipment(intervals: pa.Table, equipment: str, start_us: int | None = None, end_us: int | None = None) -> Share:
    """One equipment's share in [start_us, end_us), by default in all of `intervals` (as `read_intervals`)."""
    producing = _spans(intervals, equipment, "producing", start_us, end_us)
    intelligent = _spans(intervals, equipment, "intelligent", start_us, end_us)
    return Share(length_s(producing), common_s(producing, intelligent))


def by_category(
    intervals: pa.Table, members: Mapping[str, Sequence[str]], start_us: int | None = None, end_us: int | None = None
) -> dict[str, Share]:
    """Category → its equipment's seconds added up; a category of which nothing is told has none."""
    return {
        name: sum((of_equipment(intervals, one, start_us, end_us) for one in owners), NOTHING)
        for name, owners in members.items()
    }


def totals(intervals: pa.Table) -> dict[str, tuple[float, float]]:
    """Equipment → its tonnes and kWh (NaN: it has no such total). Any one kind of interval covers all time."""
    found: dict[str, tuple[float, float]] = {}
    grouped = intervals.group_by(["equipment", "kind"]).aggregate([("tonnes", "sum"), ("kwh", "sum")])
    for row in grouped.to_pylist():
        tonnes, kwh = (np.nan if row[name] is None else row[name] for name in ("tonnes_sum", "kwh_sum"))
        was = found.get(row["equipment"], (np.nan, np.nan))
        # A kind that was unknown for a while covers less: the most is all.
        found[row["equipment"]] = (float(np.fmax(was[0], tonnes)), float(np.fmax(was[1], kwh)))
    return dict(sorted(found.items()))


def length_s(spans: Spans) -> float:
    """How long they are together."""
    return float((spans[1] - spans[0]).sum()) / 1e6


def common_s(one: Spans, other: Spans) -> float:
    """How long both last at the same time."""
    if not len(one[0]) or not len(other[0]):
        return 0.0
    edges = np.stack(one, axis=1).ravel()
    passed = np.concatenate([[0], np.cumsum(one[1] - one[0])])
    # How much of `one` lies before an instant: linear between its edges.
    counted = np.stack([passed[:-1], passed[1:]], axis=1).ravel()
    origin = int(edges[0])
    before = [np.interp(side - origin, edges - origin, counted) for side in other]
    return float((before[1] - before[0]).sum()) / 1e6


def _spans(intervals: pa.Table, equipment: str, kind: str, start_us: int | None, end_us: int | None) -> Spans:
    rows = intervals.filter(
        pc.and_(
            pc.and_(pc.equal(intervals["equipment"], equipment), pc.equal(intervals["kind"], kind)),
            pc.greater(intervals["value"], 0.5),
        )
    )
    start, end = rows["start"].to_numpy(), rows["end"].to_numpy()
    if start_us is not None:
        start, end = np.maximum(start, start_us), np.maximum(end, start_us)
    if end_us is not None:
        start, end = np.minimum(start, end_us), np.minimum(end, end_us)
    order = np.argsort(start, kind="stable")
    return start[order], end[order]
