"""Alarms that must follow, from the log of what devices showed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import simulators
from models.site.loader import examine
from simulators.design.mine import load_design
from simulators.design.thresholds import Threshold
from simulators.truth import TruthLog
from simulators.truth.transmitted import from_log

MIDDLE = Path(simulators.__file__).parent / "mines" / "middle"


def test_value_and_state_word_are_put_together_as_they_were_shown(tmp_path: Path):
    site = examine(MIDDLE, environment={}, require_environment=False).site
    assert site is not None
    ids = {point.key: point.id for point in site.points if point.equipment == "ch4_face_t1"}
    log = TruthLog(tmp_path)
    shown = [
        (10, {"ch4": 0.4, "state": 0.0}),
        (20, {"ch4": 1.2, "state": 1.0}),
        (30, {"ch4": 1.6, "state": 2.0}),
        (40, {"ch4": 0.8, "state": 0.0}),
        (50, {"ch4": 2.0, "state": 4.0}),  # calibration gas, marked
        (60, {"ch4": 0.4}),
        (70, {"state": 0.0}),
        (80, {"state": 128.0}),
    ]
    for ts, values in shown:
        log.append(
            "ch4_face_t1", np.array([ids[key] for key in values], np.uint64), ts, np.array(list(values.values()))
        )
    log.close()
    t1 = Threshold(sensor="ch4_face_t1", point="ch4", alarm=1.0, cut=1.5, restore=1.0)
    never = Threshold(sensor="ch4_nowhere", point="ch4", alarm=1.0)
    assert [(each.kind, each.start, each.end, each.peak) for each in from_log(tmp_path, site, [t1, never])] == [
        ("alarm", 20, 40, 1.6),
        ("cut", 30, 40, 1.6),
        ("calibration", 50, 70, None),
        ("fault", 80, None, None),
    ]


def test_the_mines_have_thresholds_of_their_own_for_points_that_exist():
    for name in ("low", "middle", "high"):
        folder = MIDDLE.parent / name
        design, site = load_design(folder), examine(folder, environment={}, require_environment=False).site
        assert design is not None and site is not None
        points = {f"{point.equipment}/{point.key}" for point in site.points}
        assert design.thresholds
        for each in design.thresholds:
            assert f"{each.sensor}/{each.point}" in points
            assert each.state is None or f"{each.sensor}/{each.state}" in points
