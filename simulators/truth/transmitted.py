"""The alarms that must follow from a live run: from the log of what each device showed, sensor by sensor."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from models.site.model import Site
from simulators.design.thresholds import Threshold
from simulators.truth.expected import Expected, Sample, expected
from simulators.truth.log import read_truth


def from_log(home: Path, site: Site, thresholds: Iterable[Threshold]) -> list[Expected]:
    """What must follow from `<home>/truth/`, in the order in which it begins. A threshold whose point was never
    shown gives nothing."""
    ids = {f"{point.equipment}/{point.key}": point.id for point in site.points}
    found: list[Expected] = []
    for threshold in thresholds:
        point = ids.get(f"{threshold.sensor}/{threshold.point}")
        if point is not None:
            state = ids.get(f"{threshold.sensor}/{threshold.state}")
            found += expected(threshold, _samples(home, threshold, point, state))
    return sorted(found, key=lambda each: (each.start, each.sensor, each.point, each.kind))


def _samples(home: Path, threshold: Threshold, point: int, state: int | None) -> list[Sample]:
    """Value and state word at each instant at which one of them was shown anew: the other holds."""
    table = read_truth(home, threshold.sensor)
    rows = zip(*(table[name].to_pylist() for name in ("ts", "point", "value")), strict=True)
    samples: list[Sample] = []
    value, word = float("nan"), 0
    for ts, id_, shown in sorted(row for row in rows if row[1] in (point, state)):
        if id_ == point:
            value = shown
        else:
            word = int(shown)
        if samples and samples[-1][0] == ts:
            samples[-1] = (ts, value, word)
        else:
            samples.append((ts, value, word))
    return samples
