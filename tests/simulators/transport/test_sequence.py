"""Started against the coal flow, stopped with it, and a trip stops what is inby of it alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.transport.belt import State
from simulators.physics.transport.sequence import way_in
from tests.simulators.transport.mine import FEED, INBY, Mine, design


def first(values: np.ndarray, wanted: float) -> int:
    return int(np.flatnonzero(values == wanted)[0])


def test_a_start_goes_against_the_flow_each_after_the_confirmation_of_the_next():
    mine = Mine()
    block = mine.run(400)
    for outby, inby in pairwise(INBY):
        confirmed = first(block[f"{outby}!state"], State.RUNNING)
        assert first(block[f"{inby}!state"], State.WARNING) in (confirmed, confirmed + 1)
        warned = first(block[f"{inby}!state"], State.STARTING) - first(block[f"{inby}!state"], State.WARNING)
        assert warned == 10
        speed = block[f"{outby}.speed"] / mine.belts.belts[outby].drive.goal
        assert (speed[confirmed - 6 : confirmed] > 0.9).all()
    assert (block["belt_101.ready"] >= block["belt_104.ready"]).all()


def test_coal_is_taken_only_once_running_is_confirmed_all_the_way():
    mine = Mine()
    while not mine.belts.ready.all():
        states = [belt.state for belt in mine.belts.belts.values()]
        assert not (mine.belts.ready & (np.array(states) != State.RUNNING)).any()
        mine.run(1)
    assert mine.belts.running.all()


def test_a_stop_goes_with_the_flow_and_leaves_the_belts_empty():
    mine = Mine().running()
    mine.feed = FEED
    mine.run(1500)
    assert mine.belts.on_belt_t > 100.0
    mine.belts.run = False
    mine.run(1)
    assert not mine.belts.ready.any()
    assert mine.belts.belts["belt_104"].confirmed
    block = mine.run(4000)
    stops = [first(block[f"{name}!state"], State.STOPPING) for name in INBY]
    assert stops == sorted(stops, reverse=True)
    for name, stop, inby_stop in zip(INBY, stops, stops[1:], strict=False):
        belt = mine.belts.belts[name].design
        assert stop - inby_stop >= belt.length_m / belt.speed_m_per_s
    assert (block["belt_101!state"][-1], mine.belts.on_belt_t) == (State.STOPPED, pytest.approx(0.0, abs=1e-6))


@pytest.mark.parametrize("tripped", [0, 1, 2])
def test_a_trip_stops_all_inby_at_once_and_outby_runs_on_to_empty(tripped):
    mine = Mine(design(crew_resets_after_s=None)).running()
    mine.feed = FEED
    mine.run(1500)
    mine.engine.disturb(INBY[tripped], "pull_cord", 12.0)
    mine.run(2)
    states = {name: mine.belts.belts[name].state for name in mine.belts.names}
    assert states[INBY[tripped]] is State.TRIPPED
    assert {states[name] for name in INBY[tripped + 1 :]} == {State.STOPPING}
    assert {states[name] for name in INBY[:tripped]} <= {State.RUNNING}
    # Belts of another branch outby of it go on.
    assert (states["belt_106"] is State.RUNNING) == (tripped == 2)
    mine.feed = FEED * 0.0
    mine.run(2500)
    for name in INBY[:tripped]:
        assert mine.belts.belts[name].state is State.RUNNING
        assert mine.belts.belts[name].mass == pytest.approx(0.0, abs=1e-6)
    assert mine.belts.belts[INBY[tripped]].mass > 1000.0


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([f"belt_10{n}" for n in range(1, 7)]),
    st.sampled_from([("pull_cord", 1.0), ("smoke", 9.0), ("deviation", 90.0), ("slip", 1.0), ("power", 0.0)]),
    st.integers(0, 300),
)
def test_whatever_stops_a_belt_stops_its_inby_in_the_same_step_and_nothing_else(name, cause, seconds):
    mine = Mine(design(crew_resets_after_s=None)).running()
    mine.feed = 0.5 * FEED
    mine.run(1 + seconds)
    if cause[0] == "power":
        mine.belts.powered[mine.belts.index[name]] = False
    else:
        mine.engine.disturb(name, *cause)
    belt = mine.belts.belts[name]
    mine.until(lambda: not belt.confirmed, within=60.0)
    inby = {one.name for one in way_in(belt)}
    for other in mine.belts.belts.values():
        assert other.confirmed == (other is not belt and other.name not in inby), other.name
        assert mine.belts.ready[mine.belts.index[other.name]] == other.confirmed


def test_a_stop_that_is_called_off_in_time_stops_nothing():
    mine = Mine().running()
    mine.belts.run = False
    mine.run(100)
    assert not mine.belts.ready.any()
    mine.belts.run = True
    mine.run(2000)
    assert mine.belts.ready.all()


def test_a_loss_of_power_lets_the_belt_coast_and_the_line_comes_back():
    mine = Mine(design(crew_resets_after_s=60)).running()
    mine.feed = FEED
    mine.run(900)
    mine.belts.powered[mine.belts.index["belt_102"]] = False
    block = mine.run(60)
    assert block["belt_102.power"].max() == 0.0
    assert block["belt_102.fault_code"][-1] == 9000
    assert block["belt_102!state"][-1] == block["belt_104!state"][-1] == State.STOPPED
    assert block["belt_101!state"][-1] == State.RUNNING
    mine.run(600)
    assert mine.belts.belts["belt_102"].state is State.STOPPED
    mine.belts.powered[:] = True
    assert mine.until(mine.belts.ready.all) > 60.0


def test_intelligent_is_central_control_of_belts_that_the_sequence_has_started():
    mine = Mine().running()
    assert mine.run(10)["belt_103!intelligent"].all()
    mine.belts.by_hand = True
    block = mine.run(10)
    assert block["belt_103!producing"].all()
    assert not block["belt_103!intelligent"].any()
    assert (block["belt_103!mode"] == 1).all()
    mine.belts.by_hand = False
    assert mine.run(10)["belt_103!intelligent"].all()


def test_a_belt_started_on_its_own_is_not_intelligent():
    mine = Mine(design(start_in_order=False))
    mine.engine.command("belt_101", "mode_command", 2.0)
    mine.engine.command("belt_101", "command", 1.0)
    block = mine.run(100)
    assert block["belt_101!state"][-1] == State.RUNNING
    assert block["belt_101!producing"][-1] == 1
    assert not block["belt_101!intelligent"].any()


def test_belts_that_still_empty_are_started_again_also_by_hand():
    """The next crew takes over by hand while the last belt still carries out what the one before has left."""
    mine = Mine().running()
    mine.belts.run = False
    while not {mine.belts.belts[name].state for name in INBY} >= {State.RUNNING, State.STOPPED}:
        mine.run(1)
    mine.belts.run = mine.belts.by_hand = True
    mine.run(600)
    assert mine.belts.ready.all()
