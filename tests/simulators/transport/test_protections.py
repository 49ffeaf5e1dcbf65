"""The eight protections: what sets each off, after which time, what it does, and how it is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.engine.part import Refused
from simulators.physics.transport.belt import State
from simulators.physics.transport.protections import NAMES
from tests.simulators.transport.mine import FEED, Mine, design, one

HOLDS = {"crew_resets_after_s": None}


def loaded(**settings: object) -> Mine:
    mine = Mine(one(**settings)).running()
    mine.feed[:] = 1200.0
    mine.run(400)
    return mine


def after(mine: Mine, kind: str, amount: float, seconds: float = 120.0):
    """The block after a disturbance, and the step at which the belt tripped (or none)."""
    mine.engine.disturb("belt_1", kind, amount)
    block = mine.run(seconds)
    tripped = np.flatnonzero(block["belt_1!state"] == State.TRIPPED)
    return block, (int(tripped[0]) if len(tripped) else None)


def shows(block, name: str) -> np.ndarray:
    return np.flatnonzero(block[f"belt_1.{name}"])


@pytest.mark.parametrize(
    ("kind", "amount", "name", "within"),
    [
        ("slip", 1.0, "slip", (3, 12)),
        ("deviation", 30.0, "deviation", (10, 11)),
        ("deviation", 80.0, "deviation", (1, 2)),
        ("smoke", 6.0, "smoke", (2, 3)),
        ("tear", 0.1, "tear", (1, 2)),
        ("pull_cord", 27.0, "pull_cord", (1, 2)),
        ("tension_loss", 0.5, "tension_fault", (5, 20)),
        ("pile_up", 1.0, "pile_up", (3, 6)),
    ],
)
def test_a_cause_trips_after_its_time_and_its_code_says_which(kind, amount, name, within):
    mine = loaded()
    block, tripped = after(mine, kind, amount)
    assert tripped is not None
    assert within[0] <= tripped <= within[1]
    number = NAMES.index(name) + 1
    assert block["belt_1.fault_code"][-1] == 1000 * number + (27 if kind == "pull_cord" else 0)
    assert block[f"belt_1.{name}"][-1] == 1.0
    assert block["belt_1.speed"][-1] == block["belt_1.power"][-1] == 0.0
    assert block["belt_1.spray"][-1] == (kind == "smoke")
    others = [other for other in NAMES if other != name and block[f"belt_1.{other}"].any()]
    assert not others or (kind, others) == ("tension_loss", ["slip"])


@pytest.mark.parametrize(
    ("kind", "amount"),
    [("slip", 0.05), ("deviation", 15.0), ("smoke", 4.0), ("pile_up", 0.3), ("tension_loss", 0.1), ("hot_drum", 5.0)],
)
def test_less_than_the_criterion_trips_nothing(kind, amount):
    block, tripped = after(loaded(), kind, amount, 900.0)
    assert tripped is None
    assert not any(block[f"belt_1.{name}"].any() for name in NAMES)


def test_a_deviation_alarms_first_and_one_that_passes_does_not_stop():
    mine = loaded()
    block, tripped = after(mine, "deviation", 30.0, 8.0)
    assert tripped is None
    assert len(shows(block, "deviation")) == 8
    block, tripped = after(mine, "deviation", 0.0, 60.0)
    assert tripped is None
    assert not block["belt_1.deviation"][1:].any()


def test_slip_slows_the_belt_while_the_drum_runs_on_and_heats():
    mine = loaded()
    full = mine.run(30)["belt_1.speed"].mean()
    warm = mine.belts.belts["belt_1"].drive.drum_c
    block, tripped = after(mine, "slip", 0.8)
    assert tripped is not None
    driven = block["belt_1!state"] == State.RUNNING
    assert block["belt_1.speed"][driven].min() < 0.6 * full
    assert block["belt_1.running"][driven].all()
    assert block["belt_1.drum_temp"].max() > warm + 0.2


def test_a_little_slip_lets_the_belt_creep_until_it_counts_as_slip():
    """Grip just below what the load asks for: the belt loses speed slowly, through the band of 50 to 70 %."""
    mine = loaded(grip_margin=1.2)
    block, tripped = after(mine, "slip", 0.3, 300.0)
    assert tripped is not None
    assert tripped > 10
    running = block["belt_1!state"] == State.RUNNING
    assert (np.diff(block["belt_1.speed"][running]) < 0.05).all()


def test_a_hot_drum_alarms_at_its_temperature_and_is_sprayed_without_a_stop():
    mine = loaded()
    block, tripped = after(mine, "hot_drum", 60.0, 1800.0)
    assert tripped is None
    begin = shows(block, "over_temperature")[0]
    assert block["belt_1.drum_temp"][begin] == pytest.approx(60.0, abs=0.7)
    assert (block["belt_1.spray"] == block["belt_1.over_temperature"]).all()
    mine.engine.disturb("belt_1", "hot_drum", 0.0)
    block = mine.run(1800.0)
    end = shows(block, "over_temperature")[-1]
    assert block["belt_1.drum_temp"][end] == pytest.approx(57.0, abs=0.7)


def test_a_drum_that_is_hot_enough_smokes():
    block, tripped = after(loaded(), "hot_drum", 200.0, 3600.0)
    assert tripped is not None
    assert block["belt_1.fault_code"][-1] == 4000
    assert shows(block, "over_temperature")[0] < shows(block, "smoke")[0]


def test_over_temperature_stops_where_the_mine_has_it_so():
    _, tripped = after(loaded(protections={"drum_stops": True}), "hot_drum", 60.0, 1800.0)
    assert tripped is not None


def test_a_pull_cord_is_reset_on_the_spot_before_the_command_is_taken():
    mine = loaded()
    after(mine, "pull_cord", 27.0)
    with pytest.raises(Refused, match="急停"):
        mine.engine.command("belt_1", "command", 3.0)
    mine.engine.disturb("belt_1", "pull_cord", 0.0)
    block = mine.run(60)
    assert block["belt_1.fault_code"][-1] == 7027
    with pytest.raises(Refused, match="reset it first"):
        mine.engine.command("belt_1", "command", 1.0)
    mine.engine.command("belt_1", "command", 3.0)
    mine.run(3)
    mine.engine.command("belt_1", "command", 1.0)
    mine.until(mine.belts.ready.all)
    assert mine.run(1)["belt_1.fault_code"][-1] == 0


def test_what_fell_through_a_tear_is_shovelled_back():
    mine = loaded()
    after(mine, "tear", 0.2)
    protections = mine.belts.belts["belt_1"].protections
    assert protections.tray > 5.0
    with pytest.raises(Refused, match="撕裂"):
        mine.engine.command("belt_1", "command", 3.0)
    mine.engine.disturb("belt_1", "tear", 0.0)
    before = mine.belts.on_belt_t
    mine.engine.command("belt_1", "command", 3.0)
    mine.run(2)
    assert protections.tray == 0.0
    assert mine.belts.on_belt_t == pytest.approx(before, rel=1e-12)


def test_a_tear_of_an_empty_belt_is_told_by_what_clings_to_it():
    mine = Mine(one()).running()
    block, tripped = after(mine, "tear", 1.0)
    assert tripped is not None
    assert 2 <= tripped <= 10
    assert block["belt_1.fault_code"][-1] == 6000
    assert mine.belts.on_belt_t == 0.0


def test_a_blocked_chute_lets_the_belt_below_run_empty_and_clears_when_it_is_freed():
    mine = Mine(design(**HOLDS)).running()
    mine.feed = FEED
    mine.run(1500)
    mine.engine.disturb("belt_103", "pile_up", 1.0)
    block = mine.run(60)
    assert block["belt_103.fault_code"][-1] == 2000
    pile = mine.belts.belts["belt_103"].protections.pile
    assert pile > 600.0
    assert block["belt_102!state"][-1] == State.RUNNING
    assert block["belt_104!state"][-1] == State.STOPPED
    mine.engine.disturb("belt_103", "pile_up", 0.0)
    mine.run(60)
    assert mine.belts.belts["belt_103"].protections.pile == 0.0
    mine.engine.command("belt_103", "command", 3.0)


def test_a_belt_that_is_too_slow_for_its_coal_buries_the_heads_above_it():
    mine = Mine(design(**HOLDS)).running()
    mine.feed = FEED
    mine.run(900)
    mine.engine.command("belt_103", "speed_set", 1.4)
    block = mine.run(300)
    codes = {name: block[f"{name}.fault_code"][-1] for name in mine.belts.names}
    assert 2000 in (codes["belt_104"], codes["belt_105"])
    assert codes["belt_103"] == codes["belt_102"] == 0


def test_a_belt_that_runs_down_away_from_its_drum_is_caught_as_too_fast():
    mine = loaded(length_m=800, lift_m=-120)
    block, tripped = after(mine, "slip", 1.0)
    assert tripped is not None
    assert 1.05 < block["belt_1.speed"].max() / 3.5 < 1.35
    assert block["belt_1.fault_code"][-1] == 1000
    assert block["belt_1.speed"][-1] == 0.0


def test_the_crew_resets_and_the_line_runs_again_some_time_after_the_cause_has_gone():
    mine = Mine(design(crew_resets_after_s=300)).running()
    mine.engine.disturb("belt_102", "smoke", 8.0)
    mine.run(900)
    assert mine.belts.belts["belt_102"].state is State.TRIPPED
    mine.engine.disturb("belt_102", "smoke", 0.0)
    waited = mine.until(mine.belts.ready.all, every=10.0)
    assert 300.0 < waited < 700.0


def test_without_a_crew_a_trip_stays():
    mine = Mine(design(**HOLDS)).running()
    mine.engine.disturb("belt_102", "deviation", 90.0)
    mine.run(10)
    mine.engine.disturb("belt_102", "deviation", 0.0)
    mine.run(3000)
    assert mine.belts.belts["belt_102"].state is State.TRIPPED
    assert mine.belts.belts["belt_104"].state is State.STOPPED
