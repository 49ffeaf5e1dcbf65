"""Interlocks of a site: read with it, and every slip in them named with its line."""

from __future__ import annotations

import pytest

from models.control.effects import Effect
from models.site.difference import difference
from models.site.loader import examine
from tests.models.sites import CONNECTIONS, EQUIPMENT, POINTS, write

MACHINES = EQUIPMENT + (
    "  belt_2: {template: belt_conveyor, name: {zh: 二, en: two}, area: mine}\n"
    "  belt_3: {template: belt_conveyor, name: {zh: 三, en: three}, area: mine}\n"
)
BOUND = POINTS + "".join(
    f"{belt},running,plc,fast,hr:{10 * n},uint16,,,,\n{belt},command,plc,fast,hr:{10 * n + 1},uint16,,,,\n"
    for n, belt in enumerate(("belt", "belt_2", "belt_3"), 1)
)
GOOD = """\
interlocks:
  onto:
    name: {zh: 前级运行, en: outby runs}
    equipment: belt
    unless:
      - {point: belt_2/running, equals: 1}
      - {point: gas/ch4, below: 0.8}
    source: 规程
  speed:
    name: {zh: 速度, en: speed}
    point: belt_2/command
    refuses: [start, reset]
    unless: [{point: belt/speed, at_most: 0.1}]
    source: 规程
"""
CONDITION = "    unless: [{point: %s}]\n    source: s\n"


def examined(tmp_path, text, **more):
    files = {"equipment__all_yaml": MACHINES, "points__all_csv": BOUND, "interlocks__belts_yaml": text, **more}
    return examine(write(tmp_path, **files), environment={})


def entry(name, target, condition, more=""):
    return f"  {name}:\n    name: {{zh: n, en: n}}\n    {target}\n{more}{CONDITION % condition}"


def test_interlocks_are_read_with_the_site(tmp_path):
    report = examined(tmp_path, GOOD)
    assert report.site is not None, report.problems
    onto, speed = report.site.interlocks
    code = report.site.code
    assert (onto.equipment, onto.point, onto.refuses) == ("belt", "", (Effect.POWER_ON, Effect.START))
    assert [(each.point, each.compare, each.value) for each in onto.unless] == [
        (f"{code}/belt_2/running", "equals", 1.0),
        (f"{code}/gas/ch4", "below", 0.8),
    ]
    assert (speed.equipment, speed.point) == ("belt_2", f"{code}/belt_2/command")
    assert onto.unless[1].holds(0.79) and not onto.unless[1].holds(0.8)


def test_whoever_publishes_a_site_is_told_what_becomes_of_its_interlocks(tmp_path):
    old = examined(tmp_path / "old", GOOD).site
    new = examined(tmp_path / "new", GOOD.replace("below: 0.8", "below: 1.0").replace("speed:\n", "slow:\n")).site
    assert not difference(old, old)
    assert difference(old, new).lines() == [
        "联锁新增 · interlocks added: 1", "  + slow",
        "联锁修改 · interlocks changed: 1", "  ~ onto  (unless)",
        "联锁删除 · interlocks removed: 1", "  - speed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (entry("a", "equipment: nobody", "belt/speed, above: 1"), "no equipment 'nobody'"),
        (entry("a", "point: belt/nothing", "belt/speed, above: 1"), "no bound point 'belt/nothing'"),
        (entry("a", "equipment: belt", "belt/nothing, above: 1"), "no bound point 'belt/nothing'"),
        (entry("a", "equipment: gas", "belt/speed, above: 1"), "gas has no writable point"),
        (entry("a", "point: belt/running", "belt/speed, above: 1"), "belt/running has no writable point"),
        (entry("a", "equipment: belt", "belt/speed"), "give one of at_least"),
        (entry("a", "equipment: belt", "belt/speed, above: 1, below: 2"), "give one of at_least"),
        (entry("a", "equipment: belt\n    point: belt/command", "belt/speed, above: 1"), "equipment: and point:"),
        (entry("a", "equipment: belt", "belt/speed, above: 1", "    refuses: [stop]\n"), "in the way of a stop"),
        (entry("a", "equipment: belt", "belt/speed, above: 1", "    refuses: [power_off]\n"), "in the way of a stop"),
        (
            entry("a", "equipment: belt", "belt/speed, above: 1")
            + entry("b", "equipment: belt", "belt/speed, at_most: 1"),
            "can never hold",
        ),
        (
            "".join(
                entry(one, f"equipment: {one}", f"{two}/running, equals: 1")
                for one, two in (("belt", "belt_2"), ("belt_2", "belt_3"), ("belt_3", "belt"))
            ),
            "goes round: belt → belt_2 → belt_3 → belt wait",
        ),
        (entry("a", "equipment: belt", "belt/running, equals: 1"), "goes round: belt → belt wait"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_interlock_is_named_once(tmp_path, entries, words):
    report = examined(tmp_path, f"interlocks:\n{entries}")
    assert report.site is None
    (problem,) = report.problems
    assert words in problem.message and problem.file == "interlocks/belts.yaml" and int(problem.where) >= 2


def test_belts_that_only_must_not_run_may_stand_in_a_ring(tmp_path):
    ring = (("belt", "belt_2"), ("belt_2", "belt"))
    entries = "".join(entry(one, f"equipment: {one}", f"{two}/running, equals: 0") for one, two in ring)
    assert examined(tmp_path, f"interlocks:\n{entries}").site is not None


def test_a_point_of_another_gateway_may_be_asked_about(tmp_path):
    connections = CONNECTIONS.replace("broker:\n    gateway: edge1", "broker:\n    gateway: edge2")
    assert connections != CONNECTIONS
    report = examined(tmp_path, GOOD, connections_yaml=connections)
    assert report.site is not None, report.problems
    assert {report.site.connections[point.connection].gateway for point in report.site.points} == {"edge1", "edge2"}


def test_the_same_name_in_two_files_is_a_mistake(tmp_path):
    report = examined(tmp_path, GOOD, interlocks__more_yaml=GOOD)
    assert report.site is None and "is here twice" in report.problems[0].message
