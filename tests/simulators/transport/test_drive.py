"""The curves of a start, a stop and a changed speed, as an operator would see them."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.parts import motor_current
from simulators.physics.transport.belt import State
from tests.simulators.transport.mine import FEED, Mine, design, one


def test_a_start_is_an_s_curve_with_a_peak_of_current():
    mine = Mine(one(length_m=1000, lift_m=30, start_s=60), dt=0.5)
    block = mine.run(150)
    state, speed, current = (block[f"belt_1{key}"] for key in ("!state", ".speed", ".current_1"))
    starting = state == State.STARTING
    rise = speed[starting]
    begin, end = np.flatnonzero(starting)[[0, -1]]
    assert (speed[:begin] == 0.0).all()
    assert (current[:begin] == 0.0).all()
    smooth = np.convolve(rise, np.ones(8) / 8, "valid")
    assert (np.diff(smooth) > -0.01).all()
    half = np.flatnonzero(rise >= 3.5 / 2)[0] * 0.5
    assert half == pytest.approx(30.0, abs=1.0)
    slope = np.gradient(smooth, 0.5)
    assert slope[:10].max() < 0.5 * slope.max() > slope[100:].max()
    assert (end - begin) * 0.5 == pytest.approx(60 + 7, abs=10)
    steady = current[-40:].mean()
    assert current[starting].max() > 1.05 * steady
    assert block["belt_1.power"][starting].max() > 1.1 * block["belt_1.power"][-40:].mean()


def test_a_loaded_start_takes_more_than_an_empty_one():
    mine = Mine(one(length_m=1000, lift_m=30)).running()
    empty = Mine(one(length_m=1000, lift_m=30)).run(90)["belt_1.power"].max()
    mine.feed[:] = 1500.0
    mine.run(400)
    mine.engine.disturb("belt_1", "pull_cord", 3.0)
    mine.run(60)
    mine.engine.disturb("belt_1", "pull_cord", 0.0)
    mine.run(2)
    mine.engine.command("belt_1", "command", 3.0)
    mine.run(2)
    mine.engine.command("belt_1", "command", 1.0)
    block = mine.run(90)
    assert block["belt_1!state"][-1] == State.RUNNING
    assert block["belt_1.power"].max() > 3.0 * empty


def coasting(mine: Mine) -> float:
    """Seconds from the trip until it stands."""
    mine.engine.disturb("belt_1", "pull_cord", 1.0)
    speed = mine.run(120)["belt_1.speed"]
    assert (np.diff(speed) <= 0.03).all()
    return float(np.flatnonzero(speed == 0.0)[0])


def test_a_belt_coasts_to_a_stop_sooner_the_steeper():
    flat, steep = (Mine(one(lift_m=lift)).running() for lift in (0, 150))
    for mine in (flat, steep):
        mine.feed[:] = 1000.0
        mine.run(400)
    assert 10.0 <= coasting(flat) <= 30.0
    assert coasting(steep) < 0.5 * coasting(Mine(one(lift_m=0)).running())


def test_a_belt_that_runs_down_gives_power_back_and_its_brake_holds_it():
    mine = Mine(one(length_m=1000, lift_m=-150)).running()
    assert mine.run(10)["belt_1.power"].mean() > 0.0
    mine.feed[:] = 1500.0
    mine.run(400)
    block = mine.run(10)
    assert block["belt_1.power"].max() < 0.0
    assert (np.diff(block["belt_1.energy"]) >= 0.0).all()
    assert (np.diff(block["belt_1!kwh"]) < 0.0).all()
    assert coasting(mine) < 60.0


def test_a_set_speed_is_approached_and_carries_the_same_coal():
    mine = Mine(one(follow_flow=False)).running()
    mine.feed[:] = 700.0
    mine.run(400)
    mine.engine.command("belt_1", "speed_set", 2.0)
    block = mine.run(900)
    assert block["belt_1.speed"][-50:].mean() == pytest.approx(2.0, rel=0.01)
    assert np.diff(block["belt_1.speed"]).min() > -0.15
    assert np.diff(block["belt_1!tonnes"])[-50:].mean() == pytest.approx(700 / 3600, rel=1e-6)
    assert block["belt_1.speed_set"][-1] == 2.0


def test_speed_that_follows_the_coal_saves_energy_and_loses_none():
    spent = {}
    for follow in (False, True):
        built = design()
        belts = {name: belt.model_copy(update={"follow_flow": follow}) for name, belt in built.belts.items()}
        mine = Mine(built.model_copy(update={"belts": belts})).running()
        mine.feed = 0.35 * FEED
        mine.run(4000)
        block = mine.run(3600)
        spent[follow] = sum(np.ptp(block[f"{name}!kwh"]) for name in ("belt_101", "belt_102", "belt_103"))
        assert np.ptp(block["belt_101!tonnes"]) == pytest.approx(0.35 * FEED.sum(), rel=0.01)
        assert not block["belt_101.fault_code"].any()
    assert spent[True] < 0.9 * spent[False]


def test_motors_and_drums_warm_up_to_what_their_load_makes_of_them():
    mine = Mine(one(motor_kw=250)).running()
    mine.feed[:] = 1500.0
    block = mine.run(7200)
    load = block["belt_1.current_1"][-600:].mean() / motor_current(250.0, 1140.0)
    assert block["belt_1.motor_temp_1"][-1] == pytest.approx(24 + 70 * load**2, abs=3)
    assert 30.0 < block["belt_1.drum_temp"][-1] < 50.0
    assert (np.diff(block["belt_1.motor_temp_1"][600:3000]) > 0).all()


def test_low_voltage_draws_more_current_for_the_same_power():
    mine = Mine(one()).running()
    before = mine.run(60)
    mine.belts.supply = 0.9
    after = mine.run(60)
    assert after["belt_1.current_1"].mean() == pytest.approx(before["belt_1.current_1"].mean() / 0.9, rel=0.02)
    assert after["belt_1.power"].mean() == pytest.approx(before["belt_1.power"].mean(), rel=0.01)
