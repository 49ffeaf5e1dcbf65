"""The mine's electricity: the balance of power, breakers, tariff registers, demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.power import PowerDesign
from simulators.design.tariff import PERIODS, published
from simulators.engine.block import Block
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.electricity.part import Electricity
from simulators.physics.electricity.tariff import Clock

START = int(datetime(2026, 6, 30, 9, 30, tzinfo=UTC).timestamp() * 1e6)
"""17:30 in Shanghai; the sharp peak of summer begins at 18:00."""
POWER = {
    "feeders": {
        "feeder_1_01": {},
        "feeder_1_02": {},
        "feeder_1_03": {},
        "feeder_2_01": {"source": "transformer_1"},
        "feeder_2_02": {"source": "transformer_1"},
    },
    "transformers": {"transformer_1": {"source": "feeder_1_02", "low_v": 1200, "kva": 1600}},
    "consumers": {
        "belt_101": {"feeder": "feeder_1_01", "kw": 1000, "inverter": True},
        "pump_1": {"feeder": "feeder_1_03", "kw": 500},
        "shearer_1": {"feeder": "feeder_2_01", "kw": 900},
        "afc_1": {"feeder": "feeder_2_02", "kw": 400},
    },
}


def electricity(seed: int = 1, start: int = START, **power: object) -> Electricity:
    design = PowerDesign.model_validate(POWER | power)
    return Electricity(design, "Asia/Shanghai", start, np.random.default_rng(seed))


def loads(part: Electricity, seed: int = 3) -> Callable[[float], None]:
    """Consumers that come and go, and take nothing without power."""
    rng = np.random.default_rng(seed)
    rated = {name: consumer.kw for name, consumer in part.design.consumers.items()}

    def wire(dt: float) -> None:
        drawn = rng.uniform(-0.3, 1.1, len(rated))
        for share, (name, kw) in zip(drawn, rated.items(), strict=True):
            part.consumers[name] = max(share, 0.0) * kw if part.powered[name] else 0.0

    return wire


def run(part: Electricity, steps: int, dt: float = 1.0) -> Block:
    return Engine([part], loads(part), start_us=part.now_us, dt=dt).run(steps)


def test_the_incoming_meter_is_the_sum_of_motors_and_losses() -> None:
    part = electricity()
    engine = Engine([part], loads(part), start_us=START)
    before = engine.run(1)
    engine.disturb("feeder_1_02", "short_circuit", 4000.0)
    engine.run(100)
    engine.disturb("feeder_1_02", "short_circuit", 0.0)
    after = engine.run(5000)
    moved = {name: after[name][-1] - before[name][-1] for name in after.columns}
    motors = sum(moved[f"meter_{name}.energy"] for name in part.consumers)
    assert moved["losses!kwh"] > 0.01 * motors
    assert moved["meter_incoming.energy"] == pytest.approx(motors + moved["losses!kwh"], rel=1e-9)
    assert moved["meter_incoming.energy"] == pytest.approx(moved["meter_incoming!kwh"], rel=1e-9)
    heads = sum(moved[f"feeder_1_0{n}.energy"] for n in (1, 2, 3))
    assert heads == pytest.approx(moved["meter_incoming.energy"], rel=1e-9)
    assert moved["transformer_1.energy"] > moved["feeder_2_01.energy"] + moved["feeder_2_02.energy"]


def test_power_current_voltage_and_factor_belong_together() -> None:
    block = run(electricity(unbalance=0.0), 300)
    volts, amps = (block[f"feeder_2_01.{key}"] for key in ("voltage_bc", "current_b"))
    p, q = block["feeder_2_01.active_power"], block["feeder_2_01.reactive_power"]
    assert np.allclose(np.sqrt(3.0) * volts * amps / 1000.0, np.hypot(p, q), rtol=1e-9)
    on, loaded = p > 0, p > 700
    assert np.allclose(block["feeder_2_01.power_factor"][on], p[on] / np.hypot(p, q)[on])
    assert 0.83 < block["feeder_2_01.power_factor"][loaded].mean() < 0.90
    assert block["meter_belt_101.power_factor"][block["meter_belt_101.active_power"] > 0].min() > 0.93


def test_voltage_falls_with_load() -> None:
    part = electricity()
    light, heavy = [], []
    for kw, seen in ((0.0, light), (800.0, heavy)):
        block = Engine([part], lambda dt, kw=kw: part.consumers.update(shearer_1=kw), start_us=part.now_us).run(60)
        seen.append(block["meter_shearer_1.voltage_a"].mean())
    assert light[0] == pytest.approx(1200 / np.sqrt(3.0), rel=0.02)
    assert 0.02 < 1.0 - heavy[0] / light[0] < 0.10


def test_a_motor_of_500_kw_at_3300_v_takes_about_105_a() -> None:
    """Domain facts §5.2, for the electrical power that 500 kW of shaft take at 0.94."""
    consumers = {"motor": {"feeder": "feeder_1_01", "kw": 500 / 0.94, "cos_phi": 0.88}}
    part = electricity(volts=3300.0, feeders={"feeder_1_01": {"loss": 0.0}}, transformers={}, consumers=consumers)
    block = Engine([part], lambda dt: part.consumers.update(motor=500 / 0.94), start_us=START).run(1)
    assert block["meter_motor.current_b"][0] == pytest.approx(106.0, rel=0.03)


def test_a_trip_takes_power_away_until_somebody_resets() -> None:
    part = electricity(restore_min=2.0)
    engine = Engine([part], loads(part), start_us=START)
    engine.disturb("feeder_2_01", "short_circuit", 3200.0)
    block = engine.run(5)
    assert not part.powered["shearer_1"]
    assert part.powered["afc_1"]
    assert block["feeder_2_01.short_circuit"][-1] == 1
    assert block["feeder_2_01.fault_code"][-1] == 2
    assert block["meter_shearer_1.current_a"][-1] == 0
    assert block["meter_shearer_1.voltage_a"][-1] == 0
    (record,) = part.events()
    assert (record.equipment, record.kind, record.attributes["protection"]) == ("feeder_2_01", "trip", "short_circuit")
    with pytest.raises(Refused, match="not reset"):
        engine.command("feeder_2_01", "command", 1)
    engine.command("feeder_2_01", "command", 3)
    engine.command("feeder_2_01", "command", 1)
    engine.run(2)
    assert not part.powered["shearer_1"], "closed onto the fault, it trips again"
    engine.disturb("feeder_2_01", "short_circuit", 0)
    engine.run(130)
    assert part.powered["shearer_1"]
    assert engine.run(1)["feeder_2_01.trips_total"][-1] == 2


def test_a_trip_over_levels_takes_the_feeder_above() -> None:
    part = electricity()
    engine = Engine([part], loads(part), start_us=START)
    engine.disturb("feeder_2_01", "override_trip", 5000.0)
    block = engine.run(3)
    assert block["feeder_1_02.override_trip"][-1] == 1
    assert block["feeder_2_01.breaker"][-1] == 1
    assert not part.powered["shearer_1"]
    assert not part.powered["afc_1"]
    assert part.powered["belt_101"]
    with pytest.raises(Refused, match="no feeder above"):
        engine.disturb("feeder_1_01", "override_trip", 5000.0)


def test_breakers_obey_commands_the_lock_and_their_mode() -> None:
    part = electricity(restore_min=1.0)
    engine = Engine([part], loads(part), start_us=START)
    engine.command("feeder_2_02", "command", 2)
    assert not part.powered["afc_1"]
    assert engine.run(200)["feeder_2_02.command"][-1] == 2
    assert not part.powered["afc_1"], "what was opened by command stays open"
    engine.command("feeder_2_02", "command", 1)
    assert part.powered["afc_1"]
    part.locked.add("feeder_2_01")
    engine.run(100)
    assert not part.powered["shearer_1"]
    with pytest.raises(Refused, match="lock"):
        engine.command("feeder_2_01", "command", 1)
    part.locked.clear()
    engine.run(62)
    assert part.powered["shearer_1"]
    engine.command("feeder_1_01", "mode_command", 1)
    with pytest.raises(Refused, match="local"):
        engine.command("feeder_1_01", "command", 2)
    with pytest.raises(Refused, match="takes no command"):
        engine.command("transformer_1", "command", 2)


def test_an_outage_is_seen_everywhere() -> None:
    part = electricity()
    engine = Engine([part], loads(part), start_us=START)
    engine.disturb("meter_incoming", "voltage_dip", 1.0)
    block = engine.run(3)
    assert not any(part.powered.values())
    assert block["feeder_2_01.under_voltage"][-1] == 1
    assert block["feeder_2_01.voltage_ab"][-1] == 0
    assert block["meter_incoming.active_power"][-1] == 0
    assert block["transformer_1.low_voltage"][-1] == 0
    engine.disturb("meter_incoming", "voltage_dip", 0.0)
    engine.run(1)
    assert all(part.powered.values())


def test_a_dip_lets_contactors_drop_and_panels_say_so() -> None:
    part = electricity()
    engine = Engine([part], loads(part), start_us=START)
    engine.disturb("meter_incoming", "voltage_dip", 0.4)
    block = engine.run(3)
    assert not any(part.powered.values())
    assert block["feeder_1_01.under_voltage"][-1] == 1
    assert block["feeder_1_01.fault_code"][-1] == 4
    assert block["feeder_1_01.voltage_ab"][-1] == pytest.approx(6000, rel=0.02)
    engine.disturb("meter_incoming", "voltage_dip", 0.15)
    block = engine.run(3)
    assert all(part.powered.values())
    assert block["feeder_1_01.under_voltage"][-1] == 0


def test_registers_count_in_their_hours_and_add_up() -> None:
    block = run(electricity(), 3600)
    name = "meter_shearer_1.energy"
    half = slice(0, 1799), slice(1801, None)
    peak, sharp = block[f"{name}_peak"], block[f"{name}_sharp"]
    assert (np.diff(peak[half[0]]) >= 0).all() and np.ptp(peak[half[0]]) == 0, "17:30 to 18:00 is flat in summer"
    assert np.ptp(sharp[half[1]]) > 0
    total = sum(block[f"{name}_{period}"] for period in PERIODS)
    assert np.allclose(total, block[name], rtol=1e-12)


def test_the_hours_of_the_day_are_those_of_the_published_tariff() -> None:
    """Domain facts §7.1, counted by hand: spring 9/9/6, summer 5+3/8/8, autumn 9/7/8, winter 6+3/8/7."""
    clock = Clock(published("shanxi"), "Asia/Shanghai")

    def hours(year: int, month: int) -> tuple[int, ...]:
        midnight = int(datetime(year, month, 9, 16, tzinfo=UTC).timestamp() * 1e6)
        periods = [clock.period(midnight + hour * 3_600_000_000)[0] for hour in range(24)]
        return tuple(periods.count(n) for n in range(4))

    assert hours(2026, 5) == (0, 9, 6, 9)
    assert hours(2026, 7) == (3, 5, 8, 8)
    assert hours(2026, 10) == (0, 9, 8, 7)
    assert hours(2026, 12) == (3, 6, 7, 8)
    assert hours(2026, 4) == (0, 9, 6, 9), "the older one holds until the end of April"
    assert hours(2024, 7) == (2, 7, 6, 9)
    noon = int(datetime(2026, 3, 9, 4, 30, tzinfo=UTC).timestamp() * 1e6)
    assert PERIODS[clock.period(noon)[0]] == "valley"
    assert clock.period(noon)[1] - noon == 1_800_000_000


def test_demand_is_the_highest_quarter_of_the_month() -> None:
    part = electricity(start=int(datetime(2026, 6, 30, 15, 30, tzinfo=UTC).timestamp() * 1e6))
    kw = [300.0]
    engine = Engine([part], lambda dt: part.consumers.update(pump_1=kw[0]), start_us=part.now_us)
    engine.run(900)
    kw[0] = 200.0
    engine.run(899)
    block = engine.run(2)
    assert block["meter_pump_1.demand"][0] == 0.0, "at midnight the new month has begun"
    engine.run(898)
    assert engine.run(1)["meter_pump_1.demand"][0] == pytest.approx(200.0)


def test_any_cut_into_blocks_gives_the_same_mine() -> None:
    def made() -> Engine:
        part = electricity(7, start=START + 1_200_000_000)
        engine = Engine([part], loads(part), start_us=part.now_us)
        engine.disturb("feeder_2_01", "earth_leakage", 1.0)
        return engine

    whole, pieces = made().run(1500), made()
    cut = [pieces.run(n).values for n in (1, 2, 1, 599, 897)]
    assert np.array_equal(np.concatenate(cut), whole.values)


def test_a_consumer_that_the_grid_does_not_know_is_named() -> None:
    part = electricity()
    part.consumers["kettle"] = 2.0
    with pytest.raises(KeyError, match="kettle"):
        part.step(1.0, np.zeros(len(part.channels)))


@pytest.mark.parametrize(
    "power",
    [
        {"consumers": {"belt_101": {"feeder": "feeder_9"}}},
        {"transformers": {"transformer_1": {"source": "feeder_2_01"}}},
        {"feeders": {"feeder_2_01": {"source": "nowhere"}}, "consumers": {}, "transformers": {}},
        {"tariff": []},
    ],
)
def test_what_is_no_tree_is_refused(power: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PowerDesign.model_validate(POWER | power)


def test_no_register_turns_back_where_a_period_of_the_tariff_begins() -> None:
    """Rounding would: a platform takes a counter that falls for one that was reset."""
    part = electricity()
    engine = Engine([part], loads(part), start_us=START, dt=60.0)
    before = None
    for _ in range(4):
        values = engine.run(720).values
        names = [name for name in engine.columns if ".energy" in name]
        shown = values[:, [engine.columns[name] for name in names]]
        if before is not None:
            shown = np.vstack([before, shown])
        assert np.diff(shown, axis=0).min() >= 0.0
        before = shown[-1]
