"""Mass and energy of the whole line, and that no cut into blocks shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.engine.part import Refused
from tests.simulators.transport.mine import FEED, Mine, design, one

DEEDS = ("run", "stop", "power", "slip", "tear", "pile_up", "deviation", "pull_cord", "tension_loss", "reset")


def do(mine: Mine, deed: str, belt: str, amount: float) -> None:
    belts = mine.belts
    if deed in ("run", "stop"):
        belts.run = deed == "run"
    elif deed == "power":
        belts.powered[belts.index[belt]] = amount > 0.5
    elif deed == "reset":
        try:
            mine.engine.command(belt, "command", 3.0)
        except Refused:
            return
    else:
        mine.engine.disturb(belt, deed, amount if deed != "deviation" else 50 * amount)


deeds = st.lists(
    st.tuples(
        st.sampled_from(DEEDS),
        st.sampled_from([f"belt_10{n}" for n in range(1, 7)]),
        st.sampled_from([0.0, 0.3, 1.0]),
        st.floats(0.0, 1.5),
        st.integers(1, 200),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None)
@given(deeds)
def test_what_was_fed_was_raised_or_lies_on_the_belts(history):
    mine = Mine(design(crew_resets_after_s=30)).running()
    for deed, belt, amount, feed, seconds in history:
        do(mine, deed, belt, amount)
        mine.feed = FEED * feed
        mine.run(seconds)
        raised = mine.raised_t + mine.belts.raised_t_per_h / 3600.0
        assert mine.belts.fed_t == pytest.approx(raised + mine.belts.on_belt_t, rel=1e-9, abs=1e-9)
        assert all(belt.mass > -1e-6 for belt in mine.belts.belts.values())


@settings(max_examples=8, deadline=None)
@given(deeds, st.lists(st.integers(1, 90), min_size=1, max_size=6))
def test_any_cut_into_blocks_gives_the_same_belts(history, cut):
    def blocks(cuts: list[int]) -> np.ndarray:
        mine = Mine(design(crew_resets_after_s=30))
        mine.feed = FEED
        found = [mine.run(300).values]
        for deed, belt, amount, feed, _ in history[:4]:
            do(mine, deed, belt, amount)
            mine.belts.shift += 1
            mine.feed = FEED * feed
            found += [mine.run(steps).values for steps in cuts]
        return np.concatenate(found)

    whole = blocks([sum(cut)])
    assert np.array_equal(blocks(cut), whole)
    assert not np.isnan(whole).any()


def test_short_steps_tell_the_same_story_as_long_ones():
    ends = []
    for dt in (0.1, 1.0):
        mine = Mine(one(length_m=600, lift_m=30), dt=dt)
        mine.feed[:] = 900.0
        mine.run(400)
        belt = mine.belts.belts["belt_1"]
        ends.append((mine.belts.fed_t, belt.delivered / 1000.0, belt.mass / 1000.0, belt.drive.drum_c))
    assert ends[0] == pytest.approx(ends[1], rel=0.02)


def test_the_same_seed_gives_the_same_belts_and_another_one_others():
    first, again, other = (Mine(seed=seed).run(400).values for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_energy_is_the_integral_of_power():
    mine = Mine().running()
    mine.feed = FEED
    before = mine.run(1)
    block = mine.run(3000)
    for name in mine.belts.names:
        used = block[f"{name}!kwh"][-1] - before[f"{name}!kwh"][0]
        assert used == pytest.approx(block[f"{name}.power"].sum() / 3600.0, rel=1e-9)
        assert used > 1.0


@pytest.mark.proof
def test_a_day_of_shifts_and_faults_closes():
    mine, dice = Mine(design(crew_resets_after_s=300), seed=3), np.random.default_rng(3)
    power = 0.0
    for hour in range(24):
        mine.belts.run = hour % 8 != 7
        mine.feed = FEED * dice.uniform(0.2, 1.3)
        for name in mine.belts.names:
            mine.engine.disturb(name, "deviation", 40.0 * (dice.random() < 0.02))
        block = mine.run(3600)
        power += sum(block[f"{name}.power"].sum() for name in mine.belts.names) / 3600.0
        used = sum(block[f"{name}!kwh"][-1] for name in mine.belts.names)
    raised = mine.raised_t + mine.belts.raised_t_per_h / 3600.0
    assert raised > 5000.0
    assert mine.belts.fed_t == pytest.approx(raised + mine.belts.on_belt_t, rel=1e-9)
    assert used == pytest.approx(power, rel=1e-9)


@pytest.mark.parametrize("speed", [2.5, 4.0])
def test_coal_arrives_after_length_over_speed(speed):
    mine = Mine(one(length_m=1000, speed_m_per_s=speed)).running()
    mine.run(120)
    mine.feed[:] = 500.0
    front = mine.run(600)["belt_1!tonnes"]
    assert np.flatnonzero(front > 0)[0] + 1 == pytest.approx(1000 / speed, abs=1.0)


@pytest.mark.parametrize(
    ("length", "lift", "flow", "speed", "friction", "efficiency", "moving", "full", "empty"),
    [
        (1000, 30, 1500, 3.5, 0.025, 0.85, 61.8, 344, 68),
        (1500, 0, 1000, 3.15, 0.025, 0.85, 56.0, 208, 81),
        (1730, 180, 5800, 5.6, 0.022, 0.90, 190.3, 4326, 464),
    ],
)
def test_a_running_belt_takes_what_the_checked_table_says(
    length, lift, flow, speed, friction, efficiency, moving, full, empty
):
    belt = {"length_m": length, "lift_m": lift, "capacity_t_per_h": flow, "speed_m_per_s": speed}
    belt |= {"friction": friction, "efficiency": efficiency, "moving_kg_per_m": moving, "motor_kw": 2000}
    mine = Mine(one(**belt)).running()
    assert mine.run(200)["belt_1.power"].mean() == pytest.approx(empty, rel=0.01)
    mine.feed[:] = flow
    mine.run(1.5 * length / speed)
    block = mine.run(600)
    assert block["belt_1.power"].mean() == pytest.approx(full, rel=0.01)
    tonnes = np.ptp(block["belt_1!tonnes"])
    assert np.ptp(block["belt_1!kwh"]) / tonnes == pytest.approx(full / flow, rel=0.01)
