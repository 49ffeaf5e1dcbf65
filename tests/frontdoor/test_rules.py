"""`sevenones rules`: what a site's linkages are, and what they would do in a scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import simulators
from gateway.linkage.trial import Trial
from models.site.model import Conditions
from sevenones.commands.rules import app
from tests.gateway.linkage.ranges import CUT, SPRAY, at_least

MIDDLE = Path(simulators.__file__).parent / "mines" / "middle"
S = 1_000_000
SCENARIO = """\
name: {zh: 停风, en: Air stops}
mine: middle
seed: 5
start: 2026-03-03T18:00:00+08:00
duration: 3 min
faults:
  - {at: 1 min, fault: heading_air_stop, target: heading_1, for: 1 min}
expect:
  - {at: 1 min, within: 30 s, point: aux_fan_1a/running, value: 0}
"""


def test_the_list_says_of_each_rule_who_when_what_and_how_restored() -> None:
    said = CliRunner().invoke(app, ["list", str(MIDDLE)]).output
    assert "edge_cut_roadheader_1" in said and "gateway edge2" in said and "roadheader_1/ch4 ≥ 1.5" in said
    assert "feeder_2_02/command = 2" in said and "roadheader_1/ch4 < 1" in said and "authorised person" in said


def test_a_scenario_shows_what_would_trip_when_and_why(tmp_path: Path) -> None:
    scenario = tmp_path / "air.yaml"
    scenario.write_text(SCENARIO)
    result = CliRunner().invoke(app, ["test", str(MIDDLE), str(scenario), "--settle", "120"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    [at] = [number for number, line in enumerate(lines) if "edge_wind_lock_heading_1" in line]
    minutes, seconds = lines[at].split()[0].split(":")[1:]
    assert 60 <= 60 * int(minutes) + float(seconds) <= 65, lines[at]
    assert "aux_fan_1a/running = 0; aux_fan_1b/running = 0" in lines[at + 1]
    assert "feeder_2_02/command = 2" in lines[at + 2] and "could be restored" in lines[at + 2]
    assert not any("edge_wind_lock_heading_2" in line for line in lines)


def test_a_site_with_mistakes_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("code: 1\n")
    assert CliRunner().invoke(app, ["list", str(tmp_path)]).exit_code == 1


def test_a_trial_trips_a_latched_rule_once_and_another_each_time() -> None:
    paths = [CUT.when.comparisons[0].point, CUT.then[0].point]
    spray = replace(SPRAY, when=Conditions((at_least("ch4", 0.8, lasting_s=2.0),), every=False))
    trial = Trial([CUT, spray], paths, 0)
    course = [0.2, 1.6, 1.2, 1.7, 0.9, 0.2, 1.0, 1.0, 1.0, 0.2, float("nan"), 2.0]
    for second, value in enumerate(course):
        trial.take(second * S, np.array([value, 1.0]))
    cut = [(found.at // S, found.well_again and found.well_again // S) for found in trial.tripped if found.rule is CUT]
    assert cut == [(1, 4), (11, None)]
    sprayed = [(one.at // S, one.well_again and one.well_again // S) for one in trial.tripped if one.rule is spray]
    assert sprayed == [(3, 5), (8, 9)]
    assert all(found.needed for found in trial.tripped)
    stop = replace(SPRAY, then=CUT.then)
    idle = Trial([CUT, stop], paths, 0)
    idle.take(0, np.array([0.2, 0.0]))
    idle.take(S, np.array([1.7, 0.0]))
    assert [(found.rule is CUT, found.needed) for found in idle.tripped] == [(True, True), (False, False)]
