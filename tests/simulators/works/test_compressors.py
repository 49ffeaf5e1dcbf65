"""Compressed air: its balance, its pressure band, what it costs, and faults."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.compressors import CompressorsDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.compressors import LOADED, TRIPPED, Compressors
from simulators.physics.order import Order

START = 1_770_000_000_000_000


def compressors(seed: int = 1, **design: object) -> tuple[Compressors, Engine]:
    part = Compressors(CompressorsDesign.model_validate(design), START, np.random.default_rng(seed))
    return part, Engine([part], lambda dt: None, start_us=START)


def test_pressure_stays_in_its_band_and_air_is_neither_made_nor_lost() -> None:
    part, engine = compressors()
    before = part.pressure
    block = engine.run(6 * 3600)
    pressure = block["compressor_1.receiver_pressure"]
    assert 0.68 < pressure.min() < 0.76
    assert 0.80 < pressure.max() < 0.86
    stored = (part.pressure - before) * part.design.receiver_m3 / 0.1
    assert part.delivered_m3 - part.taken_m3 == pytest.approx(stored, abs=1e-6)
    assert sum(block[f"{name}!kwh"][-1] for name in part.design.machines) / part.delivered_m3 * 1000 == pytest.approx(
        112, abs=15
    ), "kWh a 1000 m³: domain facts §7.2 say 100 to 125"


def test_loading_follows_demand() -> None:
    part, engine = compressors()
    engine.run(3600)
    part.extra_demand = 45.0
    busy = engine.run(3600)
    loaded = sum((busy[f"{name}!state"] == LOADED).mean() for name in part.design.machines)
    assert loaded == pytest.approx((55 + 45) / 43, rel=0.15)
    part.extra_demand = -40.0
    calm = engine.run(7200)
    assert calm["compressor_3.running"][-1] == 0, "after its time unloaded it stops"


def test_a_hot_machine_trips_and_another_takes_over() -> None:
    part, engine = compressors()
    engine.run(1800)
    lead = next(name for name in part.design.machines if part.power_kw[name] > 0)
    engine.disturb(lead, "overheated", 1)
    block = engine.run(1800)
    assert block[f"{lead}!state"][-1] == TRIPPED
    assert block[f"{lead}.fault_code"][-1] == 1
    assert block[f"{lead}.receiver_pressure"].min() > 0.6
    with pytest.raises(Refused, match="not reset"):
        engine.command(lead, "command", 1)
    engine.disturb(lead, "overheated", 0)
    engine.command(lead, "command", 3)
    engine.command(lead, "command", 1)
    block = engine.run(1)
    assert (block[f"{lead}.running"][-1], block[f"{lead}.command"][-1]) == (1, 1)


def test_stopped_by_command_or_without_power_it_stays_still() -> None:
    part, engine = compressors()
    for name in part.design.machines[1:]:
        engine.command(name, "command", 2)
    part.powered["compressor_1"] = False
    block = engine.run(900)
    assert not block["compressor_1.running"].any()
    assert not block["compressor_2.running"].any()
    assert block["compressor_1.receiver_pressure"][-1] < 0.4
    part.order = Order(produce=True, mode=1)
    engine.run(1)
    with pytest.raises(Refused, match="local"):
        engine.command("compressor_2", "command", 1)


def test_any_cut_into_blocks_gives_the_same_air() -> None:
    whole, pieces = compressors(4)[1].run(3000), compressors(4)[1]
    cut = [pieces.run(n).values for n in (1, 1, 600, 7, 2391)]
    assert np.array_equal(np.concatenate(cut), whole.values)
    assert not np.isnan(whole.values).any()


def test_impossible_set_points_are_refused() -> None:
    with pytest.raises(ValidationError, match="unload_at"):
        CompressorsDesign.model_validate({"load_at": 0.9})


def test_the_crew_resets_a_trip_some_time_after_its_cause_has_gone() -> None:
    part, engine = compressors()
    engine.run(1200)
    lead = part.design.machines[0]
    engine.disturb(lead, "overheated", 1)
    hot = engine.run(3600)
    assert hot[f"{lead}.fault_code"][-1] == 1.0
    engine.disturb(lead, "overheated", 0)
    block = engine.run(3600)
    assert block[f"{lead}.fault_code"][:890].min() == 1.0
    assert block[f"{lead}.fault_code"][910:].max() == 0.0
    assert block[f"{lead}.running"].max() == 1.0
