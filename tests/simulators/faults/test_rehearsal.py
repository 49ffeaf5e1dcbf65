"""Scenarios played on the simulated mine alone: what is expected by hand shows, and what is not is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.faults.rehearsal import rehearse
from simulators.faults.scenario import SCENARIOS
from simulators.faults.scenario_check import load_scenario
from simulators.truth import expected
from simulators.truth.records import read_events, read_intervals

CASE = """\
name: {zh: 打滑, en: Slip}
mine: demo
start: 2026-03-02T17:00:00+08:00
duration: 12 min
faults:
  - {at: 2 min, fault: belt_pull_cord, target: belt_101, amount: 7, for: 1 min}
  - {at: 5 min, fault: over_range, target: belt_101/tension, for: 1 min}
  - {at: 6 min, fault: link_cut, target: belt_plc, for: 1 min}
expect:
  - {at: 0, within: 2 min, point: belt_101/pull_cord, value: 1, absent: true}
  - {at: 2 min, within: 10 s, point: belt_101/pull_cord, value: 1}
  - {at: 5 min, within: 10 s, point: belt_101/tension, alarm: hi}
  - {at: 6 min, within: 20 s, connection: belt_plc, quality: bad}
  - {at: 9 min, within: 1 min, point: belt_101/tear, value: 1}
thresholds:
  - {sensor: belt_101, point: tension, alarm: 900, restore: 500, state: null}
"""


def test_what_shows_is_met_and_what_does_not_is_not(tmp_path: Path):
    path = tmp_path / "case.yaml"
    path.write_text(CASE, "utf-8")
    found, site = load_scenario(path, {})
    home = tmp_path / "home"
    done: list[float] = []
    verdicts = rehearse(found, site, home, done.append)
    assert [verdict.met for verdict in verdicts] == [True, True, True, None, False]
    assert verdicts[1].after_s is not None and verdicts[1].after_s <= 3.0
    (alarm,) = expected.read(home).to_pylist()
    start = found.scenario.start_us
    assert (alarm["sensor"], alarm["kind"], alarm["start"]) == ("belt_101", "alarm", start + 301_000_000)
    assert alarm["end"] == start + 361_000_000
    belt = [row for row in read_intervals(home).to_pylist() if row["equipment"] == "belt_101"]
    assert belt, "the truth is written beside it"
    kinds = set(read_events(home)["kind"].to_pylist())
    assert {"action", "web"} & kinds, "the face was at work"
    assert done == sorted(done) and done[-1] == 1.0


def test_twice_the_same(tmp_path: Path):
    path = tmp_path / "case.yaml"
    path.write_text(CASE, "utf-8")
    found, site = load_scenario(path, {})
    assert rehearse(found, site, settle_s=20.0) == rehearse(found, site, settle_s=20.0)


@pytest.mark.proof
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_bundled_ones_show_what_they_expect(path: Path):
    found, site = load_scenario(path, {})
    failed = [verdict for verdict in rehearse(found, site) if verdict.met is False]
    assert failed == []
