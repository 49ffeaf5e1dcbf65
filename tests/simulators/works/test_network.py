"""Switches and base stations as equipment."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.design.network import NetworkDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.network import Network

START = 1_770_000_000_000_000


def network(seed: int = 1, **design: object) -> tuple[Network, Engine]:
    made = {
        "switches": {f"switch_{n}": {} for n in range(1, 5)},
        "stations": {"base_1": {"generation": 5}, "base_2": {"generation": 4}},
    }
    part = Network(NetworkDesign.model_validate(made | design), np.random.default_rng(seed))
    return part, Engine([part], lambda dt: None, start_us=START)


def test_a_5g_station_takes_about_three_times_the_power_of_a_4g_one() -> None:
    block = network()[1].run(3600)
    five, four = block["base_1.power"].mean(), block["base_2.power"].mean()
    assert 2.5 < five / four < 3.5
    assert 150 < five < 300
    assert 40 < four < 100
    assert block["base_1!kwh"][-1] == pytest.approx(block["base_1.power"].sum() / 3.6e6, rel=1e-9)


def test_a_switch_that_is_off_opens_the_ring_and_its_neighbours_ports() -> None:
    part, engine = network()
    assert engine.run(1)["switch_1.ring_state"][-1] == 1
    engine.disturb("switch_2", "switch_off", 1)
    block = engine.run(1)
    assert [block[f"switch_{n}.ring_port_1"][-1] for n in (1, 2, 3, 4)] == [1, 0, 0, 1]
    assert [block[f"switch_{n}.ring_port_2"][-1] for n in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert block["switch_4.ring_state"][-1] == 0
    assert not part.online["switch_2"]
    engine.disturb("switch_2", "switch_off", 0)
    assert engine.run(1)["switch_1.ring_state"][-1] == 1


def test_errors_and_heat_show() -> None:
    _, engine = network()
    before = engine.run(600)
    engine.disturb("switch_1", "errors", 5)
    engine.disturb("switch_1", "hot", 40)
    after = engine.run(3600)
    assert after["switch_1.errors_total"][-1] - before["switch_1.errors_total"][-1] == pytest.approx(18_000, rel=0.01)
    assert after["switch_1.temperature"][-1] > 70
    assert after["switch_2.temperature"][-1] < 60


def test_without_mains_a_station_lives_on_its_battery_for_a_while() -> None:
    _, engine = network(battery_h=0.5)
    engine.disturb("base_1", "mains_lost", 1)
    block = engine.run(3600)
    assert block["base_1.supply"][0] == 2
    assert block["base_1.battery"][900] == pytest.approx(50, abs=1)
    assert block["base_1.online"][-1] == 0
    assert block["base_1.power"][-1] == 0
    assert block["base_1.supply"][-1] == 0
    engine.disturb("base_1", "mains_lost", 0)
    assert engine.run(10)["base_1.online"][-1] == 1


def test_any_cut_into_blocks_gives_the_same_network() -> None:
    def made() -> Engine:
        _, engine = network(3)
        engine.disturb("base_1", "mains_lost", 1)
        engine.disturb("switch_3", "errors", 2)
        return engine

    whole, pieces = made().run(3000), made()
    assert np.array_equal(np.concatenate([pieces.run(n).values for n in (1, 1, 600, 7, 2391)]), whole.values)
    assert not np.isnan(whole.values).any()


def test_a_mine_may_have_no_switches_and_no_stations() -> None:
    block = network(switches={}, stations={})[1].run(3)
    assert block.values.shape == (3, 0)
    with pytest.raises(Refused):
        network()[1].disturb("base_1", "port_1_down", 1)
