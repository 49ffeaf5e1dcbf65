"""A whole mine over a day: nothing is lost between its parts, and what one does the others feel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import simulators
from models.site import load
from models.site.model import Site
from simulators.design.mine import MineDesign, load_design
from simulators.plant import Plant

pytestmark = pytest.mark.long

MINES = Path(simulators.__file__).parent / "mines"
START_US = 1_793_577_600_000_000
"""2026-11-02 00:00 UTC, a Monday."""
DAY, BLOCK = 86_400, 600


@cache
def mine(name: str) -> tuple[Site, MineDesign]:
    environment = {"SEVENONES_MQTT_PASSWORD": "x", "SEVENONES_OPCUA_PASSWORD": "x"}
    design = load_design(MINES / name)
    assert design is not None
    return load(MINES / name, environment=environment), design


def plant(name: str = "middle", seed: int = 1, dt: float = 1.0) -> Plant:
    return Plant(*mine(name), seed=seed, start_us=START_US, dt=dt)


class Day:
    """The middle mine from Monday 08:00 local time on: the channels that are looked at, and all extremes."""

    def __init__(self) -> None:
        self.plant = plant()
        kept = [name for name in self.plant.columns if "!" in name or name.startswith("ch4_") or ".energy" in name]
        columns = [self.plant.columns[name] for name in kept]
        values, lows, highs = [], [], []
        for _ in range(DAY // BLOCK):
            block = self.plant.run(BLOCK)
            values.append(block.values[:, columns])
            lows.append(block.values.min(axis=0))
            highs.append(block.values.max(axis=0))
        self.kept = dict(zip(kept, np.concatenate(values).T, strict=True))
        self.lowest = dict(zip(self.plant.columns, np.min(lows, axis=0), strict=True))
        self.highest = dict(zip(self.plant.columns, np.max(highs, axis=0), strict=True))

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.kept[name]

    def grown(self, name: str) -> float:
        return float(self.kept[name][-1] - self.kept[name][0])


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


def test_tonnes_cut_are_tonnes_raised_and_what_lies_on_the_way(day: Day) -> None:
    parts = day.plant.parts
    won = day["face_1!tonnes"][-1] + sum(day[f"roadheader_{n}!tonnes"][-1] for n in (1, 2))
    lying = parts.belts.on_belt_t + sum(face.afc.trough.mass + face.loader.trough.mass for face in parts.longwalls)
    assert won > 2000
    assert won == pytest.approx(day["belt_101!tonnes"][-1] + lying, rel=1e-6)


def test_the_incoming_meter_is_all_motors_and_losses(day: Day) -> None:
    power = day.plant.design.power
    metered = sum(day.grown(f"{power.meter_of(name)}.energy") for name in power.consumers)
    losses = day.grown("losses!kwh")
    assert day.grown("meter_incoming.energy") == pytest.approx(metered + losses, rel=1e-3)
    motors = sum(day.grown(f"{name}!kwh") for name in power.consumers)
    assert motors == pytest.approx(metered, rel=1e-3)
    assert 0.005 < losses / metered < 0.1


def test_gas_that_is_released_is_carried_out_or_still_there(day: Day) -> None:
    released, carried, held = (day.grown(f"air_mine!{key}_m3") for key in ("released", "carried", "held"))
    assert released == pytest.approx(carried + held, rel=1e-3)


def test_coal_makes_gas_and_a_maintenance_shift_does_not(day: Day) -> None:
    cutting, maintained = day["shearer_1!producing"] > 0, day["crew_face_1!state"] == 2
    gas = day["ch4_face_t2.ch4"]
    assert gas[cutting].mean() > gas[maintained].mean() + 0.02
    assert np.ptp(day["shearer_1!tonnes"][maintained]) == 0
    assert 1.3 <= day["ch4_face_t0.ch4"].mean() / gas.mean() <= 2.0


def test_every_point_is_within_its_range(day: Day) -> None:
    outside = []
    for point in day.plant.site.points:
        channel = f"{point.equipment}.{point.key}"
        if channel in day.lowest:
            low, high = day.lowest[channel], day.highest[channel]
            # A NaN would make both of them NaN.
            within = np.isfinite(low + high) and not low < point.low and not high > point.high
            if not within or (point.states and not {int(low), int(high)} <= set(point.states)):
                outside.append((channel, low, high))
    assert outside == []


def test_cutting_into_blocks_changes_nothing() -> None:
    whole, pieces = plant(), plant()
    expected = whole.run(900)
    got = [pieces.run(steps) for steps in (1, 7, 100, 392, 400)]
    assert np.array_equal(np.concatenate([block.values for block in got]), expected.values, equal_nan=True)


def test_another_seed_is_another_mine_and_the_same_the_same() -> None:
    one, two, other = plant().run(600), plant().run(600), plant(seed=2).run(600)
    assert np.array_equal(one.values, two.values, equal_nan=True)
    assert not np.array_equal(one.values, other.values, equal_nan=True)


def test_machines_of_a_heading_measure_the_air_they_work_in() -> None:
    run = plant()
    run.run(60)
    run.disturb("ch4_heading1_t1", "gas_rise", 8.0)
    block = run.run(600)
    for machine in ("roadheader_1", "bolter_1"):
        assert block[f"{machine}.ch4"][-1] > block[f"{machine}.ch4"][0] + 0.5
        assert block[f"{machine}.ch4"][-1] == pytest.approx(block["air_heading_1!ch4_face"][-1], abs=0.01)
    assert block["roadheader_2.ch4"][-1] < 0.3


def test_no_instrument_of_a_running_fan_stands_still() -> None:
    block = plant().run(600)
    for key in ("main_fan_1.air_volume", "main_fan_1.negative_pressure", "aux_fan_1a.air_volume"):
        assert 0.001 < block[key].std() / block[key].mean() < 0.02
    assert np.ptp(block["main_fan_2.air_volume"]) == 0.0
