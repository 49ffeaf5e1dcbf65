"""Scenario files: those that come with the program, and every mistake that one may have at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.site import SiteErrors
from simulators.faults.catalogue import catalogue
from simulators.faults.scenario import SCENARIOS, Scenario, form
from simulators.faults.scenario_check import load_scenario

ENVIRONMENT = {"SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x"}
FILES = sorted(SCENARIOS.glob("*.yaml"))
GOOD = """\
name: {zh: 打滑, en: Slip}
mine: demo
start: 2026-03-02T08:00:00+08:00
duration: 10 min
faults:
  - {at: 1 min, fault: belt_slip, target: belt_101, for: 1 min}
expect:
  - {at: 1 min, within: 20 s, point: belt_101/slip, value: 1}
"""


def plain(path: Path) -> Scenario:
    return form(path)[0]


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "case.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SiteErrors) as refused:
        load_scenario(path, ENVIRONMENT)
    return list(map(str, refused.value.problems))


def test_a_good_one_is_read(tmp_path: Path):
    path = tmp_path / "case.yaml"
    path.write_text(GOOD, "utf-8")
    found, site = load_scenario(path, ENVIRONMENT)
    scenario = found.scenario
    assert site.name.en == "Zezhou Demonstration Mine"
    assert scenario.end_us - scenario.start_us == 600_000_000
    assert scenario.faults[0].for_s == 60.0
    assert scenario.start_us == 1772409600 * 1_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_bundled_ones_fit_their_mines(path: Path):
    found, _ = load_scenario(path, ENVIRONMENT)
    assert found.scenario.expect, "what must be noticed is written by hand in each"


def test_the_bundled_ones_use_every_fault_of_the_catalogue():
    assert len(FILES) >= 10
    assert {entry.fault for path in FILES for entry in plain(path).faults} == set(catalogue())


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("belt_slip", "belt_slipp"), 6, "did you mean 'belt_slip'"),
        (("target: belt_101", "target: belt_199"), 6, "there is no equipment 'belt_199'; did you mean"),
        (("target: belt_101", "target: shearer_3205"), 6, "only belt_conveyor can have belt_slip"),
        (("for: 1 min", "amount: 7"), 6, "must be 0.05 … 1"),
        (("at: 1 min, fault", "at: 11 min, fault"), 6, "ends after 600 s"),
        (("at: 1 min, fault", "at: -1, fault"), 6, "at least 0"),
        (("for: 1 min", "for: 0"), 6, "above 0"),
        (("for: 1 min", "until: 3"), 6, "unknown key 'until'"),
        (("belt_101/slip", "belt_101/slop"), 8, "there is no point 'belt_101/slop'"),
        (("value: 1", "value: 5"), 8, "no state 5"),
        (("value: 1", "value: 1, alarm: hi"), 8, "exactly one of"),
        (("within: 20 s", "within: 20 min"), 8, "beyond the scenario's end"),
        (
            ("point: belt_101/slip, value: 1", "connection: nowhere, quality: bad"),
            8,
            "there is no connection 'nowhere'",
        ),
        (("mine: demo", "mine: demoo"), 2, "there is no mine 'demoo'"),
        (("mine: demo", "mine: .."), 2, "there is no mine '..'"),
        (("+08:00", ""), 3, "needs its offset from UTC"),
        (("2026-03-02T08:00:00+08:00", "tomorrow"), 3, "not an instant"),
        (("10 min", "900 days"), 4, "not a time span"),
        (("belt_slip, target: belt_101", "gas_rise, target: face_9"), 6, "'face_9' cannot have gas_rise"),
        (("belt_slip, target: belt_101", "device_hang, target: belt_plk"), 6, "did you mean 'belt_plc'"),
        (("belt_slip, target: belt_101", "word_order, target: shearer_opcua"), 6, "only modbus can have word_order"),
        (("belt_slip, target: belt_101", "freeze, target: belt_101/slip"), 6, "needs an analog point"),
        (("belt_slip, target: belt_101", "freeze, target: belt_101"), 6, "'belt_101' cannot have freeze"),
        (("expect:", "thresholds:\n  - {sensor: nobody, point: ch4, alarm: 1}\nexpect:"), 8, "no point 'nobody/ch4'"),
        (("expect:", "thresholds:\n  - {sensor: a, point: b, alarm: 1, restore: 2}\nexpect:"), 8, "wrong side"),
    ],
)
def test_each_mistake_is_named_at_its_line(tmp_path: Path, change: tuple[str, str], line: int, words: str):
    assert change[0] in GOOD
    found = mistakes(tmp_path, GOOD.replace(change[0], change[1], 1))
    assert any(each.startswith(f"case.yaml:{line}:") and words in each for each in found), found


def test_all_mistakes_are_named_at_once(tmp_path: Path):
    found = mistakes(tmp_path, GOOD.replace("target: belt_101", "target: belt_199").replace("/slip", "/slop"))
    assert len(found) == 2


def test_one_fault_twice_at_one_time_is_a_mistake(tmp_path: Path):
    twice = GOOD.replace("expect:", "  - {at: 90 s, fault: belt_slip, target: belt_101}\nexpect:")
    assert "still there from line 6" in mistakes(tmp_path, twice)[0]


def test_what_is_no_scenario_is_refused_in_plain_words(tmp_path: Path):
    assert "not YAML" in mistakes(tmp_path, "name: [")[0]
    assert "mapping" in mistakes(tmp_path, "- 1")[0]
    with pytest.raises(SiteErrors, match="is missing"):
        load_scenario(tmp_path / "nothing.yaml")
