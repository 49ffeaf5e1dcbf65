"""A site's sequences are read as data; one that could not be gone back from, or never ends, is refused at its line."""

from __future__ import annotations

import json

import pytest

from models.sequence import Condition, Direction, Emptying, OnFailure, Sequence
from models.site.loader import examine
from tests.models.sites import EQUIPMENT, POINTS, write

CODE = "140525000099"
TWO = EQUIPMENT + "  belt_2: {template: belt_conveyor, name: {zh: 皮带2, en: Belt 2}, area: mine}\n"
KEYS = ("running", "command", "speed_set", "mode")
BOUND = POINTS + "belt_2,speed,plc,fast,hr:20,float32,cdab,,,\n" + "".join(
    f"{belt},{key},plc,slow,hr:{base + n},uint16,,,,\n"
    for base, belt in ((40, "belt"), (60, "belt_2"))
    for n, key in enumerate(KEYS)
)  # fmt: skip
TEXT = """\
sequences:
  start_line:
    name: {zh: 启动, en: Start}
    direction: start
    warning: 10 s
    needs: [{point: belt/mode, one_of: [2, 3]}]
    steps:
      first:
        name: {zh: 一, en: first}
        command: {belt/command: start}
        until: {all: [{point: belt/speed, of: belt/speed_set, at_least: 0.95, lasting: 5 s}]}
        keep: [{point: belt/running, equals: 1}]
        within: 2 min
      second:
        name: {zh: 二, en: second}
        command: {belt_2/command: 启动}
        until: {all: [{point: belt_2/running, equals: 1, lasting: 5 s}]}
        within: 60 s
        on_failure: hold
    abort:
      second: {name: {zh: 停, en: stop}, command: {belt_2/command: 2}, within: 30,
        until: {all: [{point: belt_2/running, equals: 0}]}}
      first: {name: {zh: 停, en: stop}, command: {belt/command: 2}, within: 30,
        until: {all: [{point: belt/running, equals: 0}]}}
    source: 通用做法 usual practice
"""
STOP = """\
  stop_line:
    name: {zh: 停止, en: Stop}
    direction: stop
    steps:
      empty:
        name: {zh: 排空, en: empty}
        empties: {speed: belt_2/speed, length_m: 700, margin: 15 s}
        within: 10 min
        on_failure: hold
      stop:
        name: {zh: 停, en: stop}
        command: {belt_2/command: stop}
        until: {all: [{point: belt_2/running, equals: 0}]}
        within: 60
    abort:
      all:
        name: {zh: 停, en: stop}
        command: {belt_2/command: 2}
        until: {any: [{point: belt_2/running, equals: 0}]}
        within: 30
    source: 通用做法 usual practice
"""


def found(tmp_path, text):
    folder = write(tmp_path, equipment__all_yaml=TWO, points__all_csv=BOUND, sequences__belts_yaml=text)
    return examine(folder, environment={})


def test_the_sequences_of_a_site_are_read_with_it(tmp_path):
    site = found(tmp_path, TEXT + STOP).site
    assert site is not None and list(site.sequences) == ["start_line", "stop_line"]
    start, stop = site.sequences.values()
    assert start.direction is Direction.START and start.warning_s == 10 and start.needs[0].one_of == (2, 3)
    first, second = start.steps
    assert first.commands == ((f"{CODE}/belt/command", 1.0),) == ((second.commands[0][0].replace("_2", ""), 1.0),)
    assert first.until == (Condition(f"{CODE}/belt/speed", 0.95, None, (), f"{CODE}/belt/speed_set", 5.0),)
    assert first.within_s == 120 and first.on_failure is OnFailure.ABORT and second.on_failure is OnFailure.HOLD
    assert [step.id for step in start.abort] == ["second", "first"]
    assert stop.steps[0].empties == Emptying(f"{CODE}/belt_2/speed", 700, 15)
    assert start.writes() == {f"{CODE}/belt/command", f"{CODE}/belt_2/command"}
    for each in (start, stop):
        assert Sequence.of_json(json.loads(json.dumps(each.as_json()))) == each


def test_a_sequence_may_stand_in_another(tmp_path):
    face = STOP.replace("stop_line", "face").replace("direction: stop", "direction: start\n    warning: 8 s")
    face = face.replace("      empty:", "      belts: {sequence: start_line}\n      empty:")
    site = found(tmp_path, TEXT + face).site
    assert site is not None
    whole = site.sequences["face"]
    assert [step.id for step in whole.steps] == ["start_line/first", "start_line/second", "empty", "stop"]
    assert [step.id for step in whole.abort] == ["all", "start_line/second", "start_line/first"]
    assert whole.warning_s == 10 and len(whole.needs) == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (TEXT[TEXT.index("    abort:") : TEXT.index("    source:")], "", 2, "no abort path"),
        ("        within: 2 min\n", "", 8, "'within' is missing"),
        ("belt/command: start", "belt/commands: start", 10, "no bound point 'belt/commands'; did you mean"),
        ("belt/command: start", "belt/speed: 1", 10, "belt/speed is not writable"),
        ("belt/command: start", "belt/command: go", 10, "no state 'go': there is 0 none, 1 start"),
        ("belt/command: start", "belt/command: 7", 10, "no state 7"),
        ("belt/command: start", "belt/speed_set: 9", 10, "9 is outside 0 … 8 m/s"),
        ("warning: 10 s", "warning: 2 s", 5, "a start is warned of for 5 to 15 s"),
        ("        keep: [{point: belt/running, equals: 1}]\n", "", 8, "must stay so"),
        ("        until: {all: [{point: belt_2/running, equals: 1, lasting: 5 s}]}\n", "", 14, "how it is confirmed"),
        ("command: {belt_2/command: 2}", "command: {belt_2/command: 1}", 21, "the abort path starts belt_2"),
        ("command: {belt_2/command: 2}", "command: {belt_2/mode: 2}", 21, "belt_2/mode is not writable"),
        ("command: {belt_2/command: 2}, ", "", 2, "does not stop belt_2, which 'second' starts"),
        ("equals: 1, lasting: 5 s", "equals: 5, lasting: 5 s", 17, "has no state 5"),
        ("equals: 1, lasting: 5 s", "at_least: 3, at_most: 2", 17, "never true"),
        ("lasting: 5 s}]}\n        within: 60 s", "lasting: 70 s}]}\n        within: 60 s", 17, "never be confirmed"),
        ("of: belt/speed_set", "of: belt/running", 11, "is in ''"),
        ("      first:\n        name", "      first:\n        nam", 9, "unknown key 'nam'"),
        ("start_line:", "runs:", 2, "cannot be called 'runs'"),
    ],
)
def test_what_could_not_end_well_is_refused_at_its_line(tmp_path, old, new, line, words):
    assert old in TEXT
    examined = found(tmp_path, TEXT.replace(old, new, 1))
    assert examined.site is None
    told = [(problem.file, problem.where, problem.message) for problem in examined.problems]
    assert any(file == "sequences/belts.yaml" and where == str(line) and words in said for file, where, said in told), (
        told
    )


@pytest.mark.parametrize("first", ["b", "a"])
def test_sequences_that_go_round_in_a_circle_are_refused(tmp_path, first):
    def part(name, other):
        text = STOP.replace("stop_line", name)
        return text.replace("      empty:", f"      other: {{sequence: {other}}}\n      empty:")

    examined = found(tmp_path, "sequences:\n" + part("a", first) + part("b", "a"))
    assert examined.site is None
    assert any("circle: a → " in problem.message for problem in examined.problems)


def test_a_start_that_is_confirmed_at_once_is_noted(tmp_path):
    examined = found(tmp_path, TEXT.replace("at_least: 0.95, lasting: 5 s", "at_least: 0.95"))
    assert examined.site is not None
    assert [(note.file, note.where) for note in examined.notes if "confirmed by nothing" in note.message] == [
        ("sequences/belts.yaml", "11")
    ]
