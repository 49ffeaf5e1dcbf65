"""Safety sensors: response, unrest, drift, calibration, faults, and the state that each gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.design.sensing import SensorDesign, SensorsDesign, kinds, rules
from simulators.engine.part import Refused
from simulators.physics.sensing.sensors import Sensors
from tests.simulators.air.mine import guarded, ventilation, win


def only(**sensors: dict[str, object]) -> Sensors:
    return Sensors(SensorsDesign.model_validate({"sensors": sensors}), ventilation(), np.random.default_rng(9))


def run(part: Sensors, steps: int, dt: float = 1.0) -> dict[str, np.ndarray]:
    rows = np.full((steps, len(part.channels)), np.nan)
    for row in rows:
        part.step(dt, row)
    part.observe(dt, rows)
    return {name: rows[:, n] for n, name in enumerate(part.channels)}


LEVEL = {"template": "water_level_sensor", "source": {"level": "sump"}}
METHANE = {"template": "methane_sensor", "source": {"ch4": "gas"}, "rule": "T1", "calibrated": False}


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=6), st.sampled_from([0.2, 0.5, 1.0]))
def test_any_cut_into_blocks_gives_the_same_sensors_and_the_same_lock(cut: list[int], dt: float) -> None:
    def values(lengths: list[int]) -> np.ndarray:
        engine, air, _, _ = guarded(seed=4, dt=dt)
        win(air, face_1=1000.0)
        engine.disturb("ch4_face_t1", "calibration", 2.0)
        engine.disturb("ch4_face_t3", "negative_drift", 5.0)
        engine.disturb("ch4_heading1_t2", "broken_wire", 1.0)
        engine.disturb("lock_heading_1", "feed_abnormal", 1.0)
        engine.disturb("air_heading_1", "aux_fan_stop", 1.0)
        return np.concatenate([engine.run(length).values for length in lengths])

    whole = values([sum(cut)])
    assert np.array_equal(values(cut), whole)
    assert not np.isnan(whole).any()


def test_a_methane_sensor_reaches_ninety_per_cent_in_its_time() -> None:
    part = only(m=METHANE)
    run(part, 60)
    part.given[0] = 2.0
    shown = run(part, 300)["m.ch4"]
    assert np.argmax(shown >= 1.8) == pytest.approx(kinds()["methane_sensor"].points["ch4"].t90_s, abs=2)
    assert shown[-100:].mean() == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_unrest_is_that_of_the_kind_whatever_the_step(dt: float) -> None:
    part = only(w=LEVEL)
    part.given[0] = 5.0
    run(part, 600, dt)
    shown = run(part, 20_000, dt)["w.level"]
    assert shown.std() == pytest.approx(np.hypot(0.004, 0.01 / np.sqrt(12)), rel=0.15)
    assert np.allclose(shown * 100, np.rint(shown * 100))


def test_alarm_and_cut_off_are_at_the_value_and_the_cut_off_holds_until_below_restore() -> None:
    part = only(m=METHANE)
    states = {}
    for gas in (0.5, 1.2, 1.8, 1.2, 0.5):
        part.given[0] = gas
        states[len(states), gas] = run(part, 200)["m.state"][-1]
    assert list(states.values()) == [0, 1, 2, 2, 0]


def test_calibration_comes_on_schedule_is_marked_and_neither_alarms_nor_trips() -> None:
    part = only(m=METHANE | {"calibrated": True})
    part.given[0] = 0.3
    part._visits.next_due = part._visits._due[0] = 600.0
    part._bias[0] = 0.02
    block = run(part, 2000)
    gas, state = block["m.ch4"], block["m.state"]
    marked = state == 4
    assert 90 <= marked.sum() <= 180 + 60
    assert 1.0 <= gas.max() <= 2.1
    assert set(np.unique(state)) == {0, 4}
    assert not part.tripped.any()
    assert gas[~marked][400:].max() < 0.4
    assert part._visits.next_due > 13 * 86_400.0
    assert abs(part._bias[0]) < 0.001


def test_every_methane_sensor_is_calibrated_about_twice_a_month() -> None:
    part = only(**{f"m{n}": METHANE | {"calibrated": True} for n in range(20)})
    visits, due = 0, part._visits
    while due.next_due < 60 * 86_400.0:
        visits += len(due.begin(due.next_due))
    assert visits / 20 == pytest.approx(60 / 15, rel=0.2)


def test_drift_stays_within_what_the_kind_may_drift() -> None:
    part = only(**{f"m{n}": METHANE for n in range(60)})
    part._slow_s = 604_800.0
    part._drift()
    assert 0.012 < np.abs(part._bias).max() <= 0.02


@pytest.mark.parametrize(
    ("kind", "amount", "value", "state"),
    [
        ("calibration", 2.0, 2.0, 4),
        ("unmarked_calibration", 2.0, 2.0, 2),
        ("broken_wire", 1.0, 0.0, 128),
        ("over_range", 1.0, 100.0, 8),
        ("negative_drift", 1.0, 0.0, 128),
        ("drift", 0.9, 1.24, 1),
        ("station_fault", 1.0, 0.35, 16),
        ("not_polled", 1.0, 0.35, 32),
        ("paused", 1.0, 0.35, 64),
        ("freeze", 1.0, 0.35, 0),
    ],
)
def test_each_fault_shows_the_value_and_the_state_of_a_real_one(
    kind: str, amount: float, value: float, state: int
) -> None:
    part = only(m=METHANE)
    part.given[0] = 0.35
    run(part, 300)
    part.disturb("m", kind, amount)
    block = run(part, 3600)
    assert block["m.ch4"][-1] == pytest.approx(value, abs=0.06)
    assert block["m.state"][-1] == state
    part.disturb("m", kind, 0.0)
    block = run(part, 600)
    assert block["m.ch4"][-1] == pytest.approx(0.35, abs=0.06)
    assert block["m.state"][-1] == 0


def test_of_two_faults_the_graver_is_said_and_the_other_stays_when_it_ends() -> None:
    part = only(m=METHANE)
    part.given[0] = 0.35
    run(part, 100)
    part.disturb("m", "paused", 1.0)
    part.disturb("m", "broken_wire", 1.0)
    block = run(part, 30)
    assert (block["m.state"][-1], block["m.ch4"][-1]) == (128, 0.0)
    part.disturb("m", "broken_wire", 0.0)
    block = run(part, 30)
    assert block["m.state"][-1] == 64
    assert block["m.ch4"][-1] == pytest.approx(0.35, abs=0.06)


def test_a_frozen_value_does_not_tremble() -> None:
    part = only(m=METHANE)
    part.given[0] = 0.35
    run(part, 100)
    assert len(np.unique(run(part, 600)["m.ch4"])) > 3
    part.disturb("m", "freeze", 1.0)
    part.given[0] = 3.0
    block = run(part, 600)
    assert len(np.unique(block["m.ch4"])) == 1
    assert not part.tripped.any()


def test_sensors_of_the_air_show_the_air_and_contacts_show_contacts() -> None:
    engine, _, sensors, _ = guarded()
    sensors.given[sensors.source_index["pump_room_1.level"]] = 3.2
    block = engine.run(900)
    assert block["wind_return.velocity"][-1] == pytest.approx(150.0 / 22.0, rel=0.05)
    assert block["o2_face.o2"][-300:].mean() == pytest.approx(20.9, abs=0.1)
    assert 17.0 < block["temp_pump_room.temperature"][-1] < 24.0
    assert -2600.0 < block["pressure_fan.pressure"][-1] < -2000.0
    assert block["level_sump.level"][-1] == pytest.approx(3.2, abs=0.03)
    assert block["fan_state_1a.running"][-1] == 1
    assert block["fan_state_1b.running"][-1] == 0
    assert 20.0 < block["pressure_031.left_pressure"][-1] < 40.0
    engine.disturb("air_belt_road_101", "fire", 0.3)
    engine.disturb("air_door_1", "door_open", 1.0)
    engine.disturb("fan_state_1a", "aux_fan_stop", 1.0)
    after = engine.run(1800)
    assert after["smoke_belt_101.smoke"][-1] == 1
    assert after["smoke_belt_101.state"][-1] == 1
    assert after["co_belt_101.state"][-1] == 1
    assert after["air_door_1.door"][-1] == 1
    assert after["fan_state_1b.running"][-1] == 1
    engine.disturb("ch4_face_t2", "gas_rise", 20.0)
    assert engine.run(1800)["ch4_face_t2.ch4"].max() > 1.5


def test_gauges_in_the_rock_move_slowly_without_anybody_giving_them_values() -> None:
    part = only(r={"template": "roof_separation"}, s={"template": "borehole_stress"})
    first = run(part, 120)
    part._slow_s, part._second = 600.0, 20 * 86_400.0
    later = run(part, 120)
    assert later["r.deep"][-1] > first["r.deep"][-1] + 2.0
    assert later["r.deep"][-1] > later["r.shallow"][-1]
    assert first["s.depth"][-1] == 8.0


def test_rules_never_let_power_back_above_the_cut_off() -> None:
    for rule in rules().values():
        assert rule.cut is None or (rule.restore is not None and rule.restore <= rule.cut)
        assert rule.cut is None or rule.alarm <= rule.cut


@pytest.mark.parametrize(
    ("sensor", "why"),
    [
        ({"template": "sniffer", "place": "x"}, "no such kind"),
        ({"template": "methane_sensor"}, "needs a place"),
        ({"template": "methane_sensor", "place": "x", "rule": "T99"}, "no such rule"),
        ({"template": "co_sensor", "place": "x", "ranges": ["face_1"]}, "needs a cut-off"),
        ({"template": "air_door", "source": {"window": "x"}}, "no such point"),
    ],
)
def test_an_impossible_sensor_is_refused(sensor: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SensorDesign.model_validate(sensor)


def test_an_unknown_place_or_disturbance_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no place 'moon'"):
        only(m={"template": "methane_sensor", "place": "moon"})
    part = only(m=METHANE)
    with pytest.raises(Refused, match="knows no disturbance 'tickle'"):
        part.disturb("m", "tickle", 1.0)
    with pytest.raises(Refused, match="no amount"):
        part.disturb("m", "calibration", -1.0)
