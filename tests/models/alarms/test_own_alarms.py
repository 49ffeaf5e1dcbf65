"""A site's own alarms: read and refused with file and line, and judged."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from models.alarms import Engine, Rules
from models.site.loader import examine
from tests.models.alarms.mine import at, samples
from tests.models.sites import write

TODAY = datetime.date(2026, 11, 26)
POINTS = """\
equipment,point,connection,group,address,type,order,scale,offset,unit
belt,speed,plc,fast,hr:0,float32,cdab,,,
belt,flow,plc,slow,hr:2,uint16,,,,
belt,running,plc,slow,hr:3,uint16,,,,
belt,command,plc,slow,hr:4,uint16,,,,
belt,motor_temp_1,plc,slow,hr:5,uint16,,,,
belt,motor_temp_2,plc,slow,hr:6,uint16,,,,
belt,slip,plc,slow,hr:7,uint16,,,,
"""
RIGHT = """\
alarms:
  drags:
    name: {zh: 带速偏低, en: Belt runs slowly}
    when: "[belt/speed] < 0.5 and [belt/running] == 1"
    priority: 3
    on_s: 2
    source: 机电科
    effective_from: 2026-01-01
  surge:
    name: {zh: 煤量突增, en: Coal comes in a surge}
    rate: belt/flow
    above: 600
    ends: 60
    priority: 4
    source: 机电科
    effective_from: 2026-01-01
  uneven:
    name: {zh: 电机温差大, en: Motors unevenly warm}
    deviation: {between: [belt/motor_temp_1, belt/motor_temp_2]}
    above: 20
    ends: 15
    priority: 4
    source: 机电科
    effective_from: 2026-01-01
  deaf:
    name: {zh: 启动无应答, en: Does not start as told}
    discrepancy: {command: belt/command, is: 1, readback: belt/running, should: 1}
    priority: 2
    on_s: 5
    source: 机电科
    effective_from: 2026-01-01
  later:
    name: {zh: 未生效, en: Not yet}
    point: belt/flow
    above: 1
    priority: 4
    source: 机电科
    effective_from: 2027-01-01
changes:
  slip_first:
    rule: protection.slip
    points: [belt/slip]
    priority: 1
    on_s: 1
    reason: 主运输
    approved_by: 总工程师
"""


def own(root: Path, text: str = RIGHT) -> Engine:
    report = examine(write(root, points__all_csv=POINTS, alarms__own_yaml=text))
    assert report.site is not None, report.problems
    return Engine(Rules.of(report.site, TODAY), report.site)


def ids(engine: Engine, site: Path) -> dict[str, int]:
    found = examine(site).site
    assert found is not None
    return {f"{point.equipment}/{point.key}": point.id for point in found.points}


def test_each_form_is_judged(tmp_path: Path) -> None:
    judge = own(tmp_path)
    point = ids(judge, tmp_path)

    def now(second: float, **values: float) -> list[tuple[str, str, float]]:
        rows = [(point[f"belt/{key}"], second, value) for key, value in values.items()]
        found = judge.judge(samples(*rows), at(second)) + judge.tick(at(second))
        own = [each for each in found if each.rule.startswith("own.")]
        return sorted((each.rule, str(each.act), (each.ts - at(0)) / 1e6) for each in own)

    assert now(0, speed=0.2, running=0, flow=100, command=0, motor_temp_1=50, motor_temp_2=60) == []
    assert now(1, command=1) == []
    assert now(2, running=1, flow=105) == []
    assert now(4, flow=130, motor_temp_1=80) == [("own.drags", "raise", 4), ("own.surge", "raise", 4),
                                                ("own.uneven", "raise", 4)]  # fmt: skip
    assert now(5, speed=2.0) == [("own.drags", "return", 5)]
    assert now(6, flow=130, running=0, motor_temp_2=62) == [("own.surge", "return", 6)]
    assert now(7, motor_temp_2=70) == [("own.uneven", "return", 7)]
    assert now(12) == [("own.deaf", "raise", 11)]
    assert now(13, running=1) == [("own.deaf", "return", 13)]


def test_a_bad_input_holds(tmp_path: Path) -> None:
    judge = own(tmp_path)
    point = ids(judge, tmp_path)
    judge.judge(samples((point["belt/speed"], 0, 0.2), (point["belt/running"], 0, 1)), at(0))
    assert [each.rule for each in judge.tick(at(2))] == ["own.drags"]
    assert judge.judge(samples((point["belt/speed"], 3, 5.0, 0)), at(3)) == []
    assert ("own.drags", judge.rules.lanes.subject[0]) in judge.active()


def test_a_change_says_who_and_why(tmp_path: Path) -> None:
    judge = own(tmp_path)
    (path,) = [subject for rule, subject in judge.rules.alarms() if rule == "protection.slip"]
    rule = judge.rules.rule("protection.slip", path)
    assert (rule.priority, rule.on_s, rule.reason, rule.approved_by) == (1, 1.0, "主运输", "总工程师")
    assert ("own.later", path) not in set(judge.rules.alarms())


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("belt/speed] < 0.5", "belt/sped] < 0.5", 2, "there is no bound point 'belt/sped'"),
        ("[belt/speed] < 0.5 and", "[belt/speed] < and", 4, "is not an expression"),
        ('"[belt/speed] < 0.5 and [belt/running] == 1"', '"[belt/speed] + 1"', 4, "an alarm is a comparison"),
        ("    above: 600\n    ends: 60", "    above: 600\n    ends: 700", 9, "lies over above"),
        ("motor_temp_2]}", "flow]}", 19, "compares different units"),
        ("    rate: belt/flow\n", "    rate: belt/flow\n    point: belt/flow\n", 9, "give one of when"),
        ("    priority: 1\n    on_s: 1\n", "", 40, "changes nothing"),
        ("rule: protection.slip", "rule: protection.slipp", 40, "did you mean 'protection.slip'"),
        (
            "    rule: protection.slip\n    points: [belt/slip]\n    priority: 1\n    on_s: 1\n",
            "    rule: sensor.fault\n    off: true\n",
            40,
            "statutory: a mine may only make it stricter",
        ),
        (
            "changes:\n",
            "  never:\n    name: {zh: 矛盾, en: Never}\n    point: belt/flow\n    below: 50\n    priority: 4\n"
            "    source: x\n    effective_from: 2026-01-01\nchanges:\n",
            39,
            "contradicts 'later'",
        ),
    ],
)
def test_what_is_wrong_is_refused_at_its_line(tmp_path: Path, before: str, after: str, line: int, message: str) -> None:
    assert before in RIGHT
    report = examine(write(tmp_path, points__all_csv=POINTS, alarms__own_yaml=RIGHT.replace(before, after)))
    found = [(problem.file, problem.where, problem.message) for problem in report.problems]
    assert [file for file, *_ in found] == ["alarms/own.yaml"], found
    assert message in found[0][2]
    assert int(found[0][1]) == line


def test_an_own_and_a_changed_alarm_may_latch(tmp_path: Path) -> None:
    text = RIGHT.replace("    on_s: 2\n", "    on_s: 2\n    latching: true\n", 1)
    change = "  stays: {rule: protection.slip, latching: true, reason: 主运输, approved_by: 总工程师}\n"
    text = text.replace("changes:\n", "changes:\n" + change) if "changes:\n" in text else f"{text}changes:\n{change}"
    report = examine(write(tmp_path, points__all_csv=POINTS, alarms__own_yaml=text))
    assert report.site is not None, report.problems
    rules = Rules.of(report.site, TODAY)
    latching = {rule.name for rule in rules.facts if rule.latching}
    assert {"own.drags", "protection.slip"} <= latching and "own.surge" not in latching
