"""rules/*.yaml as linkages: what they resolve to, and every kind of rule that check refuses at its line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.site.difference import difference
from models.site.linkage_checks import _boxes, _meet
from models.site.loader import examine
from models.site.model import Act, Comparison, Conditions, OnLost
from tests.models.sites import write

CONNECTIONS = """\
connections:
  near: {gateway: edge1, adapter: modbus, settings: {host: 127.0.0.1}, groups: {fast: {period: 1 s}}}
  slow: {gateway: edge1, adapter: modbus, settings: {host: 127.0.0.1}, groups: {fast: {period: 10 s}}}
  far: {gateway: edge2, adapter: modbus, settings: {host: 127.0.0.1}, groups: {fast: {period: 1 s}}}
"""
EQUIPMENT = """\
equipment:
  gas: {template: methane_sensor, name: {zh: 甲烷, en: Methane}, area: face, limit_set: T1}
  gas_far: {template: methane_sensor, name: {zh: 甲烷, en: Methane}, area: face, limit_set: T1}
  gas_slow: {template: methane_sensor, name: {zh: 甲烷, en: Methane}, area: face, limit_set: T1}
  gas_2: {template: methane_sensor, name: {zh: 甲烷, en: Methane}, area: face, limit_set: T1}
  feeder: {template: substation_feeder, name: {zh: 馈出, en: Feeder}, area: face}
  belt: {template: belt_conveyor, name: {zh: 皮带, en: Belt}, area: face}
"""
POINTS = """\
equipment,point,connection,group,address,type
gas,ch4,near,fast,hr:0,uint16
gas_2,ch4,near,fast,hr:3,uint16
gas_far,ch4,far,fast,hr:0,uint16
gas_slow,ch4,slow,fast,hr:0,uint16
feeder,command,near,fast,hr:1,uint16
feeder,breaker,near,fast,di:1,
belt,command,near,fast,hr:2,uint16
belt,running,near,fast,di:2,
"""
CUT = """\
  cut:
    name: {zh: 断, en: cut}
    when: {any: [{point: gas/ch4, at_least: 1.5}]}
    then: [{point: feeder/breaker, equals: 0}]
    command: {feeder/command: 2}
    within: 2 s
    by: platform
    restore: {when: {all: [{point: gas/ch4, below: 1.0}]}}
    source: test
"""
TWO = CUT.replace("at_least: 1.5}", "at_least: 1.5}, {point: gas_2/ch4, at_least: 1.5}").replace(
    "all: [{point: gas/ch4, below: 1.0}]", "RESTORE"
)
BOTH = "{point: gas/ch4, below: 1.0}, {point: gas_2/ch4, below: 1.0}"
STOP = """\
  stop:
    name: {zh: 停, en: stop}
    when: {any: [{point: gas/ch4, at_least: 1.0}]}
    command: {belt/command: 2}
    within: 2 s
    by: platform
    source: test
"""
AUTOMATIC = STOP.replace(
    "    source",
    "    latched: true\n    restore: {when: {all: [{point: gas/ch4, below: 0.5}]}, by: automatic, command: {BACK}}\n"
    "    source",
)
START = STOP.replace("stop:", "start:").replace("command: 2", "command: 1").replace("at_least: 1.0", "at_least: 0.5")


def examined(folder: Path, *rules: str):
    site = write(folder, connections_yaml=CONNECTIONS, equipment__all_yaml=EQUIPMENT, points__all_csv=POINTS,
                 rules__all_yaml="rules:\n" + "".join(rules))  # fmt: skip
    return examine(site)


def test_rules_become_linkages_with_what_follows_from_what_they_command(tmp_path: Path) -> None:
    report = examined(tmp_path, CUT, STOP)
    assert report.problems == []
    cut, stop = report.site.linkages
    assert (cut.act, cut.on_lost, cut.latched, cut.priority) == (Act.POWER_OFF, OnLost.TRIP, True, 1)
    assert (stop.act, stop.on_lost, stop.latched, stop.priority) == (Act.STOP, OnLost.HOLD, False, 2)
    code = report.site.code
    assert cut.gateways == ("edge1",) and cut.command == {f"{code}/feeder/command": 2.0}
    assert cut.when.comparisons[0].holds(1.5) and not cut.when.comparisons[0].holds(math.nextafter(1.5, 0))
    restore = cut.restore.when.comparisons[0]
    assert not restore.holds(1.0) and restore.holds(math.nextafter(1.0, 0)) and not cut.restore.automatic


@pytest.mark.parametrize(
    ("rules", "line", "said"),
    [
        (CUT.replace("    restore: {when: {all: [{point: gas/ch4, below: 1.0}]}}\n", ""), 6, "has no restore"),
        (CUT.replace("below: 1.0}]}}", "below: 1.0}]}, by: automatic}"), 9, "never automatic"),
        (CUT.replace("below: 1.0", "below: 1.6"), 9, "restored at a value at which it trips"),
        (CUT.replace("    source", "    latched: false\n    source"), 10, "must stay tripped"),
        (CUT.replace("within: 2 s", "within: 3 s"), 7, "power is cut within 2 s by one gateway"),
        (CUT.replace("gas/ch4", "gas_slow/ch4"), 7, "gas_slow/ch4: 10 s between two polls + 0.5 s for the write"),
        (CUT.replace("at_least: 1.5", "at_least: 1.5, lasting: 1 s"), 7, "1 s lasting"),
        (CUT.replace("gas/ch4", "gas_far/ch4").replace("2 s", "41 s"), 7, "within 40 s across gateways"),
        (CUT.replace("feeder/command", "feeder/breaker"), 6, "feeder/breaker is not writable"),
        (CUT.replace("command: 2", "command: 7"), 6, "has no state 7"),
        (CUT.replace("    within", "    act: stop\n    within"), 7, "what opens a breaker is power_off"),
        (AUTOMATIC.replace("BACK", "feeder/command: 1"), 9, "would switch on feeder/command by itself"),
        (AUTOMATIC.replace("BACK", "belt/command: 1"), 9, "would start belt/command by itself"),
        (STOP.replace("    source", "    latched: true\n    source"), 8, "has no restore"),
        (AUTOMATIC.replace("BACK", "belt/command: 3").replace("    latched: true\n", ""), 8, "restore is never asked"),
        (
            CUT.replace("command: 2", "command: 2, belt/command: 1"),
            6,
            "would start belt/command in a rule that is power_",
        ),
        (STOP.replace("command: 2", "command: 1").replace("within", "act: stop\n    within"), 5, "is stop: give it a"),
        (TWO.replace("RESTORE", "all: [{point: gas/ch4, below: 1.0}]"), 9, "whatever gas_2/ch4 shows"),
        (TWO.replace("RESTORE", f"any: [{BOTH}]"), 9, "whatever gas/ch4, gas_2/ch4 shows"),
        (
            TWO.replace("any: [{point: gas/", "all: [{point: gas/").replace(
                "RESTORE", "all: [{point: gas/ch4, below: 1.0}]"
            ),
            9,
            "whatever gas_2/ch4 shows",
        ),
        (STOP + START, 12, "contradicts 'stop': belt/command is to be 2 there and 1 here"),
        (CUT + CUT, 11, "the key 'cut' is here twice"),
        (STOP.replace("within", "act: notice\n    within"), 2, "a notice commands nothing"),
        (STOP.replace("    command: {belt/command: 2}\n", ""), 2, "what follows"),
    ],
)
def test_a_rule_that_cannot_stand_is_refused_at_its_line(tmp_path: Path, rules: str, line: int, said: str) -> None:
    found = [str(problem) for problem in examined(tmp_path, rules).problems]
    assert found and found[0].startswith(f"rules/all.yaml:{line}:") and said in found[0], found


def test_a_restore_that_looks_at_all_that_trips_stands(tmp_path: Path) -> None:
    assert examined(tmp_path, TWO.replace("RESTORE", f"all: [{BOTH}]")).problems == []
    stand = "{point: belt/running, equals: 0}, {point: feeder/breaker, equals: 1}"
    turn = "{point: belt/running, equals: 1}, {point: feeder/breaker, equals: 0}"
    lock = TWO.replace("{point: gas/ch4, at_least: 1.5}, {point: gas_2/ch4, at_least: 1.5}", stand)
    lock = lock.replace("any:", "all:").replace("    then: [{point: feeder/breaker, equals: 0}]\n", "")
    assert examined(tmp_path, lock.replace("RESTORE", f"any: [{turn}]")).problems == []


def test_across_gateways_the_way_of_the_value_counts(tmp_path: Path) -> None:
    ten = CUT.replace("gas/ch4", "gas_far/ch4")
    assert examined(tmp_path, ten).problems == []  # 1 s + 0.5 s + 0.5 s
    site = examined(tmp_path, ten.replace("within: 2 s", "within: 40 s")).site
    assert site.linkages[0].gateways == ("edge1",)
    assert "from the other gateway" in str(examined(tmp_path, ten.replace("2 s", "1900 ms")).problems[0])


def test_rules_that_exclude_each_other_or_have_an_order_do_not_contradict(tmp_path: Path) -> None:
    apart = START.replace("at_least: 0.5", "below: 1.0")
    assert examined(tmp_path, STOP, apart).problems == []
    assert "contradicts" in str(examined(tmp_path, STOP, START.replace("at_least: 0.5", "at_most: 1.0")).problems[0])
    assert examined(tmp_path, STOP, START.replace("    source", "    priority: 3\n    source")).problems == []
    assert examined(tmp_path, STOP, START.replace("    source", "    enabled: false\n    source")).problems == []


def test_a_rule_that_leads_to_its_own_undoing_is_refused(tmp_path: Path) -> None:
    starts = START.replace("    within", "    then: [{point: belt/running, equals: 1}]\n    within")
    undone = STOP.replace("{point: gas/ch4, at_least: 1.0}", "{point: belt/running, equals: 1}")
    undone = undone.replace("    source", "    priority: 3\n    source")
    found = [str(problem) for problem in examined(tmp_path, starts, undone).problems]
    assert len(found) == 1 and "goes in a circle" in found[0] and "start → stop" in found[0], found


def test_a_difference_of_sites_names_the_rules_that_changed(tmp_path: Path) -> None:
    old = examined(tmp_path / "old", CUT, STOP).site
    new = examined(tmp_path / "new", CUT.replace("at_least: 1.5", "at_least: 1.2"), START).site
    found = difference(old, new)
    assert found and found.linkages.added == ("start",) and found.linkages.removed == ("stop",)
    assert found.linkages.changed == {"cut": ("when",)}
    assert any("联动修改 · linkages changed: 1" in line for line in found.lines())


bounds = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: (min(pair), max(pair)))
comparisons = st.builds(
    lambda point, span: Comparison(point, float(span[0]), float(span[1])), st.sampled_from("abc"), bounds
)
conditions = st.builds(Conditions, st.lists(comparisons, min_size=1, max_size=3).map(tuple), st.booleans())


@given(conditions, conditions)
def test_two_conditions_meet_when_some_values_fulfil_both(one: Conditions, other: Conditions) -> None:
    def so(held: Conditions, values: dict[str, float]) -> bool:
        each = [comparison.holds(values[comparison.point]) for comparison in held.comparisons]
        return all(each) if held.every else any(each)

    grid = [{"a": a, "b": b, "c": c} for a in range(7) for b in range(7) for c in range(7)]
    plain = any(so(one, values) and so(other, values) for values in grid)
    assert any(_meet(a, b) for a in _boxes(one) for b in _boxes(other)) == plain
