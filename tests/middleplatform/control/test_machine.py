"""A run of a sequence on a simulated clock: whatever fails whenever, nothing is started onto a standing belt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from middleplatform.control.progress import Deed, Phase
from models.command import Outcome
from models.sequence import Condition, Direction, Emptying, OnFailure, Step
from tests.middleplatform.control.plant import NAMES, NO, Drive, Fate, Plant, at, start_line

D, U = Outcome.DONE, Outcome.UNKNOWN


def values(plant):
    return [(give.point.split("/")[1], give.value) for give in plant.given]


def test_each_belt_starts_when_the_one_it_feeds_has_had_its_speed():
    plant = Plant()
    drive = Drive(plant, start_line())
    began = plant.now
    drive.until(Phase.DONE)
    assert values(plant) == [(belt, 1.0) for belt in NAMES] and not plant.loads
    assert (plant.now - began) / 1e6 == pytest.approx(5 + 3 * (0.4 + 2 + 5), abs=3)
    told = [line.what for line in drive.journal]
    assert told[:4] == [Deed.BEGIN, Deed.WARN, Deed.STEP, Deed.COMMAND] and told.count(Deed.CONFIRM) == 3


def test_what_is_needed_is_looked_at_before_anything_is_commanded():
    drive = Drive(Plant(mode=1.0), start_line())
    assert drive.phase is Phase.REFUSED and not drive.plant.given
    assert "outby/mode = 2 | 3" in drive.machine.progress.reason.en
    assert Drive(Plant(dark={"outby"}), start_line()).phase is Phase.REFUSED


def needing(*belts, then=OnFailure.ABORT):
    line = start_line(needs=tuple(Condition(at(belt, "mode"), one_of=(2.0, 3.0)) for belt in belts))
    return replace(line, steps=tuple(replace(step, on_failure=then) for step in line.steps))


def test_what_is_needed_is_looked_at_until_the_machine_is_commanded():
    drive = Drive(Plant(), needing("outby"))
    drive.plant.mode = 1.0  # somebody takes it to local while people are warned
    drive.until(Phase.ABORTED)
    assert not drive.plant.given and "outby/mode = 2 | 3" in drive.machine.progress.reason.en

    for then, phase in ((OnFailure.ABORT, Phase.ABORTED), (OnFailure.HOLD, Phase.HELD)):
        drive = Drive(Plant(), needing(*NAMES, then=then))
        while len(drive.plant.given) < 2:
            drive.tick()
        drive.plant.mode = 1.0
        drive.until(phase)
        assert "inby/mode" in drive.machine.progress.reason.en and ("inby", 1.0) not in values(drive.plant)

    drive = Drive(Plant(), needing(*NAMES))
    while len(drive.plant.given) < 3:
        drive.tick()
    drive.plant.mode = 1.0  # all are commanded: what it needed for that is of no account any more
    drive.until(Phase.DONE)


def test_nothing_is_commanded_while_it_is_not_known_whether_what_is_needed_is_still_so():
    plant = Plant()
    drive = Drive(plant, needing(*NAMES))
    while len(plant.given) < 2:
        drive.tick()
    plant.dark.add("inby")
    drive.until(Phase.HELD)
    assert len(plant.given) == 2 and "inby/mode has not been known for 5 s" in drive.machine.progress.reason.en


def test_a_belt_that_runs_already_is_not_commanded_and_not_stopped_again():
    plant = Plant(fates=[Fate(Outcome.REFUSED)])
    plant.wanted["outby"], plant.speed["outby"] = True, 3.5
    drive = Drive(plant, start_line())
    drive.until(Phase.ABORTED)
    assert values(plant)[0] == ("middle", 1.0) and ("outby", 2.0) not in values(plant) and plant.wanted["outby"]


def test_a_trip_takes_everything_back_inby_first():
    plant = Plant()
    drive = Drive(plant, start_line())
    while len(plant.given) < 3:
        drive.tick()
    plant.trip("outby")
    drive.until(Phase.ABORTED)
    assert values(plant)[3:] == [("inby", 2.0), ("middle", 2.0), ("outby", 2.0)]
    assert not any(plant.wanted.values()) and not drive.machine.progress.missed
    assert "outby/running = 1" in drive.machine.progress.reason.en


def test_nothing_is_started_while_it_is_not_known_whether_what_it_feeds_still_runs():
    plant = Plant()
    drive = Drive(plant, start_line())
    while not any(line.what is Deed.CONFIRM for line in drive.journal):
        drive.tick()
    assert len(plant.given) == 1
    plant.dark.add("outby")
    plant.trip("outby")
    drive.until(Phase.HELD)
    assert len(plant.given) == 1 and "outby/running has not been known for 5 s" in drive.machine.progress.reason.en
    plant.dark.clear()
    drive.until(Phase.ABORTED)
    assert values(plant)[1:] == [("outby", 2.0)] and not plant.loads


def test_an_unknown_outcome_holds_and_is_repeated_only_when_a_person_says_so():
    plant = Plant(fates=[Fate(), Fate(U, answered_s=6.0, carried_out=False), Fate()])
    drive = Drive(plant, start_line())
    drive.until(Phase.HELD)
    assert "middle/command" in drive.machine.progress.reason.en
    for _ in range(300):
        drive.tick()
    assert drive.phase is Phase.HELD and len(plant.given) == 2
    drive.take(drive.machine.resume(plant.now, "王工", repeat=True))
    assert drive.phase is Phase.WARNING  # people are warned anew
    drive.until(Phase.DONE)
    assert values(plant) == [("outby", 1.0), ("middle", 1.0), ("middle", 1.0), ("inby", 1.0)]


def test_one_that_was_carried_out_all_the_same_goes_on_without_a_repeat():
    plant = Plant(fates=[Fate(), Fate(U, answered_s=6.0), Fate()])
    drive = Drive(plant, start_line())
    drive.until(Phase.HELD)
    drive.take(drive.machine.resume(plant.now, "王工"))
    drive.until(Phase.DONE)
    assert values(plant) == [(belt, 1.0) for belt in NAMES]


def test_killed_with_a_command_under_way_it_holds_and_does_not_repeat():
    plant = Plant(fates=[Fate(answered_s=3.0)])
    drive = Drive(plant, start_line())
    while not plant.given:
        drive.tick()
    drive.kill(1.0)
    assert drive.phase is Phase.HELD and "unknown" in drive.machine.progress.reason.en
    for _ in range(100):
        drive.tick()
    assert len(plant.given) == 1


def test_killed_between_commands_it_goes_on_by_itself_unless_nobody_watched_for_long():
    for gone, then in ((3.0, Phase.DONE), (40.0, Phase.HELD)):
        plant = Plant()
        drive = Drive(plant, start_line())
        while not any(line.what is Deed.CONFIRM for line in drive.journal):
            drive.tick()
        drive.until(Phase.RUNNING)
        while drive.machine.progress.asked:
            drive.tick()
        drive.kill(gone)
        drive.until(Phase.DONE, Phase.HELD)
        assert (
            drive.phase is then and values(plant)[0] == ("outby", 1.0) and len(set(values(plant))) == len(plant.given)
        )


def test_a_pause_gives_nothing_and_an_abort_is_possible_at_any_time():
    plant = Plant()
    drive = Drive(plant, start_line())
    while len(plant.given) < 2:
        drive.tick()
    drive.take(drive.machine.pause("王工"))
    for _ in range(200):
        drive.tick()
    assert len(plant.given) == 2 and drive.phase is Phase.PAUSED
    drive.take(drive.machine.abort(plant.now, "王工"))
    drive.until(Phase.ABORTED)
    assert values(plant)[2:] == [("middle", 2.0), ("outby", 2.0)]  # inby was never touched


def test_a_stop_that_does_not_get_through_is_given_again_and_the_others_do_not_wait_for_ever():
    plant = Plant(fates=[Fate(), Fate(), *[Fate(Outcome.REFUSED)] * 3, Fate()])
    drive = Drive(plant, start_line())
    while len(plant.given) < 2:
        drive.tick()
    drive.take(drive.machine.abort(plant.now, "王工"))
    drive.until(Phase.ABORTED)
    assert values(plant)[2:] == [("middle", 2.0)] * 4 + [("outby", 2.0)] and not drive.machine.progress.missed
    never = Plant(fates=[Fate(), Fate(), Fate(Outcome.FAILED)])
    drive = Drive(never, start_line())
    while len(never.given) < 2:
        drive.tick()
    drive.take(drive.machine.abort(never.now, "王工"))
    drive.until(Phase.ABORTED)
    assert drive.machine.progress.missed == ("middle", "outby") and "not confirmed: middle" in str(
        drive.journal[-1].words
    )


def test_a_belt_is_stopped_when_its_length_has_passed_its_head():
    plant = Plant()
    plant.speed["inby"], plant.wanted["inby"] = 3.5, True
    empty = Step(
        "empty", NO, empties=Emptying(at("inby", "speed"), 70.0, 3.0), within_s=120.0, on_failure=OnFailure.HOLD
    )
    until = (Condition(at("inby", "running"), one_of=(0.0,)),)
    stop = Step("stop", NO, ((at("inby", "command"), 2.0),), until, within_s=30.0)
    line = replace(start_line(), direction=Direction.STOP, steps=(empty, stop), warning_s=0.0, needs=())
    drive = Drive(plant, line)
    began = plant.now
    while not plant.given:
        drive.tick()
    assert (plant.now - began) / 1e6 == pytest.approx(70 / 3.5 + 3, abs=0.5)
    drive.until(Phase.DONE)
    standing = Plant()
    began = standing.now
    Drive(standing, line).until(Phase.DONE)
    assert (standing.now - began) / 1e6 < 5


fates = st.builds(
    Fate,
    st.sampled_from([D, D, D, Outcome.REFUSED, Outcome.FAILED, U]),
    st.sampled_from([0.2, 1.0, 4.0]),
    st.sampled_from([0.4, 2.0, 6.0]),
    st.booleans(),
)
acts = st.tuples(
    st.integers(0, 220),
    st.sampled_from(["trip", "dark", "light", "kill", "long kill", "pause", "resume", "repeat", "abort"]),
    st.sampled_from(NAMES),
)


def act(drive: Drive, what: str, belt: str) -> None:
    plant, machine = drive.plant, drive.machine
    match what:
        case "trip":
            plant.trip(belt)
        case "dark":
            plant.dark.add(belt)
        case "light":
            plant.dark.discard(belt)
        case "kill":
            drive.kill(2.0)
        case "long kill":
            drive.kill(45.0)
        case "pause":
            drive.take(machine.pause("王工"))
        case "abort":
            drive.take(machine.abort(plant.now, "王工"))
        case _:
            drive.take(machine.resume(plant.now, "王工", repeat=what == "repeat"))


@settings(max_examples=60, deadline=None)
@given(st.lists(fates, max_size=6), st.lists(acts, max_size=6), st.sampled_from(list(OnFailure)))
@example([Fate(arrives_s=4.0, answered_s=6.0)], [(30, "abort", "outby")], OnFailure.ABORT)
def test_any_failure_at_any_step_ends_in_abort_or_hold_and_never_in_coal_on_a_standing_belt(luck, happen, then):
    line = start_line()
    line = replace(line, steps=tuple(replace(step, on_failure=then) for step in line.steps))
    plant = Plant(fates=[*luck, Fate()])
    drive = Drive(plant, line)
    planned: dict[int, list[tuple[str, str]]] = {}
    for tick, what, belt in happen:
        planned.setdefault(tick, []).append((what, belt))
    for tick in range(221):
        for what, belt in planned.get(tick, ()):
            if not drive.phase.ended or what in ("light", "dark"):
                act(drive, what, belt)
        drive.tick()
        assert not plant.loads, "a belt was started while the one that it feeds did not run"
    plant.dark.clear()
    plant.fates = [Fate()]
    for _ in range(1500):
        drive.tick()
        assert not plant.loads
    assert drive.phase.ended or drive.phase.waits
    if drive.phase is Phase.DONE:
        started = [point for point, value in values(plant) if value == 1.0]
        assert started.count("inby") >= 1
    elif drive.phase is not Phase.REFUSED:
        assert not plant.carries_onto_a_standing_one
    repeats = sum(what == "repeat" for _, what, _ in happen)
    for belt in NAMES:
        assert values(plant).count((belt, 1.0)) <= 1 + repeats, "a start was repeated and nobody had said so"
    numbers = [give.number for give in plant.given]
    assert numbers == sorted(set(numbers)), "a number was given twice"
