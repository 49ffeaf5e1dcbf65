"""What the checks find: each catches what it is there for, and not the honest work that looks alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.counters import Counter
from models.kpi.checks import FILE, Check, Checks, standard
from models.kpi.findings import Finding, FindingsDay
from models.kpi.look import Machine, Seen, covered_until, look
from models.site.model import Kind, Name, Point, Retention
from models.spans import Spans
from models.utilisation.signal import Signal

S = 1_000_000
DAY = 24 * 3600
HOUR = 3600
Said = Sequence[tuple[float, float]]
CHECKS = standard().versions[-1].checks


def check(key: str, template: str) -> Check:
    return next(each for each in CHECKS if (each.key, each.template) == (key, template))


def point(role: str) -> Point:
    return Point(
        path=f"m/{role}", id=len(role), equipment="m", key=role, name=Name(role, role), role=role, kind=Kind.ANALOG,
        unit="h" if "time_total" in role else "", retention=Retention.BULK, connection="", group="", address="",
        type="", order="", factor=1.0, offset=0.0, low=math.nan, high=math.nan, dead_band=0.0, silence_s=30.0,
    )  # fmt: skip


def seen(of: Check, end: float = DAY, **said: Said) -> list[Seen]:
    """What the check finds until second `end` of a machine whose points said this, by role with __ for its dot; rated
    at 100."""
    rows = {role.replace("__", "."): told for role, told in said.items()}

    def columns(of: Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        told = np.array(rows[of.role], float).reshape(-1, 2)
        return (told[:, 0] * S).round().astype(np.int64), told[:, 1], np.full(len(told), 192, np.uint8)

    machine = Machine(
        "c",
        "u",
        "m",
        {role: (point(role),) for role in rows},
        {"cutting.current": 100.0, "belt.speed": 3.0},
        lambda of: Signal.of(*columns(of), 30.0),
        lambda of: Counter.of(*columns(of), 60 * S),
    )
    return [*look(of, machine, 0, round(end * S))]


def told(value: float | Callable[[float], float], start: float, end: float, step: float = 10.0) -> Said:
    """A value, or one of each second, every `step` seconds."""
    return [(float(at), value(at) if callable(value) else value) for at in np.arange(start, end, step)]


def test_a_keypad_that_moves_what_says_automatic() -> None:
    of = check("hand_set", "hydraulic_support")
    keypad = [*told(0, 0, 300), *told(1, 300, 320), *told(0, 320, 400), *told(1, 400, 420), *told(0, 420, 900)]
    (found,) = seen(of, control__mode=told(3, 0, 900), support__action_source=keypad)
    assert (found.start, found.end) == (300 * S, 420 * S)
    assert found.numbers == {"held_s": 40.0, "times": 2.0}
    assert found.points == ("m/control.mode", "m/support.action_source")
    assert seen(of, control__mode=told(1, 0, 900), support__action_source=keypad) == [], "it says that it is by hand"
    by_itself = [(at, 3 * value) for at, value in keypad]
    assert seen(of, control__mode=told(3, 0, 900), support__action_source=by_itself) == []


def test_a_roadheader_that_cuts_by_hand_under_an_automatic_mode() -> None:
    of = check("hand_set", "roadheader")
    cuts = told(60, 0, 900)
    assert len(seen(of, control__mode=told(3, 0, 900), cutting__mode=told(0, 0, 900), cutting__current=cuts)) == 1
    for mode, by, amps in ((3, 1, 60), (2, 0, 60), (3, 0, 5)):
        said = {"control__mode": told(mode, 0, 900), "cutting__mode": told(by, 0, 900)}
        assert seen(of, **said, cutting__current=told(amps, 0, 900)) == []


def test_remote_control_of_what_takes_no_remote_commands() -> None:
    of = check("remote_forbidden", "roadheader")
    said = {"control__mode": told(2, 0, 900), "cutting__current": told(60, 0, 900)}
    assert len(seen(of, **said, remote__enabled=told(0, 0, 900))) == 1
    assert seen(of, **said, remote__enabled=[*told(0, 0, 50), *told(1, 50, 900)]) == [], "a word that came late"


def test_speed_that_needs_no_power() -> None:
    of = check("speed_without_power", "belt_conveyor")
    assert len(seen(of, belt__speed=told(3, 0, 900), drive__power=told(1, 0, 900))) == 1
    assert seen(of, belt__speed=told(3, 0, 900), drive__power=told(12, 0, 900)) == [], "an empty belt takes some"
    coasting = told(lambda at: max(0.0, 3 - at / 60), 0, 900)
    assert seen(of, belt__speed=coasting, drive__power=told(0, 0, 900)) == []


@pytest.mark.parametrize(
    ("template", "work", "counter", "step"),
    [
        ("roadheader", {"cutting__current": 60.0}, "heading__advance_total", 0.4),
        ("shearer", {"cutting__current": 60.0}, "shearer__web_total", 1),
        ("bolting_rig", {"drill__cycle": 2.0, "run__state": 1.0}, "drill__holes_total", 1),
        ("belt_conveyor", {"belt__speed": 3.0}, "belt__mass_total", 20),
    ],
)
def test_work_that_nothing_comes_of(template: str, work: dict[str, float], counter: str, step: float) -> None:
    of = check("zero_load", template)
    longest = of.longest_s  # type: ignore[union-attr]
    until = 3 * longest
    said = {role: told(value, 0, until, 20) for role, value in work.items()}
    auto = {"control__mode": told(2, 0, until, 20)}

    def count(each: float) -> Said:
        return told(lambda at: step * (at // each), 0, until, 20)

    (found,) = seen(of, until, **said, **auto, **{counter: told(7, 0, until, 20)})
    assert found.numbers["worked_s"] == until - 20, "as long as the counter is heard"
    assert seen(of, until, **said, **auto, **{counter: count(0.95 * longest)}) == []
    assert len(seen(of, until, **said, **auto, **{counter: count(1.05 * longest)})) == 2
    assert seen(of, until, **said, control__mode=told(1, 0, until, 20), **{counter: told(7, 0, until, 20)}) == []
    assert seen(of, until, **said, **auto, **{counter: [(0, 7), (until - 1, 7)]}) == [], "nobody heard it"
    little = {role: [*told(value, 0, 0.9 * longest, 20), *told(0, longest, until, 20)] for role, value in work.items()}
    assert seen(of, until, **little, **auto, **{counter: told(7, 0, until, 20)}) == [], "it stood"


def test_a_rig_that_is_stopped_in_a_cycle_does_not_work() -> None:
    said = {"drill__cycle": told(2, 0, 7200), "control__mode": told(3, 0, 7200), "drill__holes_total": told(7, 0, 7200)}
    of = check("zero_load", "bolting_rig")
    assert len(seen(of, 7200, **said, run__state=told(1, 0, 7200))) == 1
    assert seen(of, 7200, **said, run__state=told(0, 0, 7200)) == []


def test_a_counter_of_its_own_that_says_otherwise() -> None:
    of = next(each for each in CHECKS if each.key == "own_counter" and "remote.time_total" in each.roles())
    run = {"run__state": told(1, 0, 10 * HOUR, 30)}
    remote = [*told(2, 0, 8 * HOUR, 30), *told(1, 8 * HOUR, 10 * HOUR, 30)]

    def hours(rate: float) -> Said:
        return told(lambda at: 500 + rate * min(at, 8 * HOUR) / HOUR, 0, 10 * HOUR, 30)

    (found,) = seen(of, control__mode=remote, **run, remote__time_total=hours(0.9))
    assert found.numbers["counted_h"] == pytest.approx(7.2)
    assert found.numbers["held_h"] == pytest.approx(8.0, abs=0.01)
    assert len(seen(of, control__mode=remote, **run, remote__time_total=hours(1.1))) == 1
    for honest in (0.96, 1.0, 1.04):
        assert seen(of, control__mode=remote, **run, remote__time_total=hours(honest)) == []
    unheard = [row for row in remote if not 2 * HOUR < row[0] < 3 * HOUR]
    assert seen(of, control__mode=unheard, **run, remote__time_total=hours(0.9)) == [], "the unknown may explain it"
    begun_again = [(at, value - 504 if at > 4 * HOUR else value) for at, value in hours(1.0)]
    assert seen(of, control__mode=remote, **run, remote__time_total=begun_again) == []


def test_a_mode_that_changes_too_often() -> None:
    of = check("mode_changes", "roadheader")
    most = of.most  # type: ignore[union-attr]

    def changing(times: int, within: float) -> Said:
        return told(lambda at: 1 + min(at // (within / (times + 1)), times) % 2, 0, 3 * HOUR, 5)

    (found,) = seen(of, control__mode=changing(most + 1, 3500))
    assert found.numbers["changes"] == most + 1
    assert seen(of, control__mode=changing(most, 3500)) == []
    assert seen(of, control__mode=changing(2 * most, 2.4 * HOUR)) == []


@pytest.mark.parametrize(
    ("template", "role", "during"),
    [
        ("shearer", "cutting__current", {"shearer__speed": 4.0}),
        ("roadheader", "cutting__current", {}),
        ("belt_conveyor", "drive__power", {"belt__speed": 3.0}),
    ],
)
def test_a_value_that_stands_still_while_the_machine_works(template: str, role: str, during: dict[str, float]) -> None:
    of = check("frozen", template)
    longest = of.longest_s  # type: ignore[union-attr]
    until = 2 * longest
    works = {name: told(value, 0, until) for name, value in during.items()}
    shaking = told(lambda at: 60 + at % 3, 0, until)
    (found,) = seen(of, until, **works, **{role: told(60, 0, until)})
    assert found.numbers["value"] == 60
    assert found.numbers["same_s"] >= until - 10
    assert seen(of, until, **works, **{role: shaking}) == []
    short = [(at, 60.0 if at < 0.9 * longest else value) for at, value in shaking]
    assert seen(of, until, **works, **{role: short}) == []
    assert seen(of, until, **works, **{role: [(0, 60)]}) == [], "a link that is down is no value that stands still"
    standing = {name: told(0, 0, until) for name in during} or {role: told(1, 0, until)}
    assert seen(of, until, **{role: told(1, 0, until)} | standing) == []


def test_a_machine_that_lacks_a_point_is_not_asked() -> None:
    assert seen(check("remote_forbidden", "roadheader"), control__mode=told(2, 0, 900)) == []


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=6)


@given(spans, st.lists(st.integers(-5, 70), max_size=9))
@settings(max_examples=30)
def test_how_long_spans_had_lasted_is_what_a_count_says(parts: list[tuple[int, int]], at: list[int]) -> None:
    of = Spans.of((start, start + lasts) for start, lasts in parts)
    within = {n for start, end in of.pairs() for n in range(start, end)}
    assert covered_until(of, np.array(at, np.int64)).tolist() == [sum(n < t for n in within) for t in at]


def test_a_day_comes_back_as_it_was_kept() -> None:
    found = Finding("frozen", Name("不变", "still"), "belt", "b1", "b1", 5, 9, {"same_s": 4.0, "value": 1.5}, ("m/x",))
    day = FindingsDay("140500000001", date(2026, 3, 2), 0, 10, "2026-1", "v1", {"frozen": 2}, (found,), {"b1": ("b1",)})
    assert FindingsDay.read(day.document()) == day
    assert found.words == Name("不变：不变秒数 4，值 1.5", "still: seconds unchanged 4, value 1.5")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"role": "belt.colour"}, "no role 'belt.colour'"),
        ({"during": {"role": "belt.speed", "of": "afc", "above": 1}}, "of one machine"),
        ({"kind": "guess"}, "guess"),
    ],
)
def test_checks_that_cannot_be_are_refused(change: dict[str, object], why: str) -> None:
    facts = yaml.safe_load(FILE.read_text("utf-8"))
    facts["versions"][0]["checks"][-1].update(change)
    with pytest.raises(ValueError, match=why):
        Checks.model_validate(facts)
