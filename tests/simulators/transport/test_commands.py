"""What the centre may tell a belt, and what it is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simulators.engine.part import Refused
from simulators.physics.transport.belt import State
from tests.simulators.transport.mine import EXAMPLE, Mine, design, one

START, STOP, RESET = 1.0, 2.0, 3.0
LOCAL, REMOTE, AUTO, INSPECTION = 1.0, 2.0, 3.0, 4.0


def states(mine: Mine) -> dict[str, State]:
    return {name: belt.state for name, belt in mine.belts.belts.items()}


def test_in_auto_a_start_takes_all_out_to_the_surface_and_a_stop_all_in_to_the_faces():
    mine = Mine(design(start_in_order=False))
    mine.run(10)
    assert set(states(mine).values()) == {State.STOPPED}
    mine.engine.command("belt_103", "command", START)
    mine.run(250)
    running = {name for name, state in states(mine).items() if state is State.RUNNING}
    assert running == {"belt_101", "belt_102", "belt_103"}
    mine.engine.command("belt_102", "command", STOP)
    mine.run(2500)
    running = {name for name, state in states(mine).items() if state is State.RUNNING}
    assert running == {"belt_101"}


def test_in_remote_a_belt_is_started_alone_and_only_onto_one_that_runs():
    mine = Mine(design(start_in_order=False))
    for name in mine.belts.names:
        mine.engine.command(name, "mode_command", REMOTE)
    with pytest.raises(Refused, match="does not run"):
        mine.engine.command("belt_102", "command", START)
    mine.engine.command("belt_101", "command", START)
    mine.run(90)
    mine.engine.command("belt_102", "command", START)
    mine.run(90)
    assert states(mine)["belt_102"] is State.RUNNING
    mine.engine.command("belt_101", "command", STOP)
    mine.run(2)
    # At once, and the interlock takes the other with it.
    assert (states(mine)["belt_101"], states(mine)["belt_102"]) == (State.STOPPING, State.STOPPING)


@pytest.mark.parametrize("mode", [LOCAL, INSPECTION])
def test_the_centre_has_no_hold_of_a_belt_in_local_or_inspection(mode):
    mine = Mine().running()
    mine.engine.command("belt_104", "mode_command", mode)
    assert mine.run(1)["belt_104.mode"][-1] == mode
    for key, value in (("command", START), ("command", STOP), ("speed_set", 2.0)):
        with pytest.raises(Refused, match="local or inspection"):
            mine.engine.command("belt_104", key, value)
    mine.engine.command("belt_104", "mode_command", AUTO)
    mine.engine.command("belt_104", "command", STOP)


def test_only_inspection_runs_without_the_interlock():
    mine = Mine(design(crew_resets_after_s=None)).running()
    mine.engine.command("belt_104", "mode_command", INSPECTION)
    mine.engine.disturb("belt_103", "pull_cord", 5.0)
    mine.run(30)
    assert (states(mine)["belt_104"], states(mine)["belt_105"]) == (State.RUNNING, State.STOPPED)
    assert not mine.belts.ready[mine.belts.index["belt_104"]]


def test_the_key_on_the_spot_goes_before_the_centre():
    mine = Mine().running()
    mine.belts.by_hand = True
    mine.run(1)
    with pytest.raises(Refused, match="a key on the spot"):
        mine.engine.command("belt_101", "mode_command", AUTO)
    with pytest.raises(Refused, match="local or inspection"):
        mine.engine.command("belt_101", "command", STOP)


def test_an_order_during_a_stop_by_hand_takes_back_the_belts_that_still_run():
    mine = Mine().running()
    mine.belts.by_hand = True
    mine.run(1)
    mine.belts.run = False
    mine.until(lambda: states(mine)["belt_104"] is State.STOPPED, every=10.0)
    assert states(mine)["belt_101"] is State.RUNNING
    mine.belts.run = True
    mine.until(mine.belts.ready.all, every=10.0)


def test_belts_under_inspection_stand_and_take_no_start_until_the_people_have_gone():
    mine = Mine(design(start_in_order=False))
    mine.belts.inspection = True
    assert (mine.run(3)["belt_102.mode"] == INSPECTION).all()
    with pytest.raises(Refused, match="inspection"):
        mine.engine.command("belt_102", "command", START)
    mine.belts.run = True
    mine.run(30)
    assert set(states(mine).values()) == {State.STOPPED}
    mine.belts.inspection = False
    mine.until(mine.belts.ready.all, every=10.0)
    assert mine.run(1)["belt_102!intelligent"].all()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("command", 4.0, "0 none, 1 start"),
        ("command", 1.5, "0 none, 1 start"),
        ("mode_command", 0.0, "1 local"),
        ("mode_command", float("nan"), "must be a number"),
        ("speed_set", 9.0, "must lie there"),
        ("speed_set", float("nan"), "must be a number"),
        ("flow", 1.0, "takes no command"),
    ],
)
def test_nonsense_is_refused_in_words(key, value, said):
    mine = Mine(one())
    with pytest.raises(Refused, match=said):
        mine.engine.command("belt_1", key, value)


@pytest.mark.parametrize(("kind", "amount"), [("slip", 1.1), ("slip", -0.1), ("smoke", float("nan")), ("flood", 1.0)])
def test_disturbances_out_of_range_or_unknown_are_refused(kind, amount):
    with pytest.raises(Refused):
        Mine(one()).engine.disturb("belt_1", kind, amount)


def test_a_belt_without_power_is_not_started():
    mine = Mine(design(start_in_order=False))
    mine.belts.powered[0] = False
    mine.run(1)
    with pytest.raises(Refused, match="no power"):
        mine.engine.command("belt_101", "command", START)


def test_an_order_of_the_crew_starts_and_stops_the_whole_line():
    mine = Mine(design(start_in_order=False))
    mine.belts.run = True
    mine.until(mine.belts.ready.all, every=10.0)
    mine.belts.run = False
    mine.until(lambda: set(states(mine).values()) == {State.STOPPED}, every=10.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"belt_101": {"onto": "belt_104"}}, "ring"),
        ({"belt_101": {"onto": "belt_9"}}, "no belt 'belt_9'"),
        ({"belt_101": {"lift_m": 500, "length_m": 600}}, "lift_m"),
        ({"belt_101": {"scale": "scale_1"}, "belt_102": {"scale": "scale_1"}}, "the same scale"),
        ({"belt_101": {"colour": "red"}}, "Extra inputs"),
    ],
)
def test_an_impossible_design_is_refused_in_words(change, said):
    belts = {name: dict(belt) for name, belt in EXAMPLE["belts"].items()}
    for name, settings in change.items():
        belts[name] |= settings
    with pytest.raises(ValidationError, match=said):
        design(belts=belts)
