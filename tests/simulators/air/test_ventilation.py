"""The mine's air: laws that hold whatever happens, and curves that an operator would know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.design.air import VentilationDesign
from simulators.engine.part import Refused
from simulators.physics.air import main_fans, mixing
from tests.simulators.air.mine import DESIGN, alone, ventilation, win


def test_a_main_fan_needs_what_the_worked_example_says() -> None:
    assert main_fans.shaft_power(150.0, 2500.0, 0.75) == pytest.approx(500.0)
    part = ventilation()
    block = alone(part).run(300)
    assert block["main_fan_1.power"][-1] == pytest.approx(500.0, rel=0.01)
    assert block["main_fan_1.air_volume"][-1] == pytest.approx(150.0, rel=0.01)
    assert 0.05 <= part.main.resistance <= 0.5
    assert block["main_fan_2.power"][-1] == 0.0


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_any_cut_into_blocks_gives_the_same_air(cut: list[int]) -> None:
    def run(lengths: list[int]) -> np.ndarray:
        part = ventilation(seed=5)
        win(part, face_1=900.0, heading_1=60.0)
        part.disturb("aux_fan_1a", "aux_fan_stop", 1.0)
        part.disturb("main_fan_1", "main_fan_stop", 1.0)
        engine = alone(part, dt=0.5)
        return np.concatenate([engine.run(length).values for length in lengths])

    assert np.array_equal(run(cut), run([sum(cut)]))


def test_all_methane_that_is_released_is_in_the_mine_or_has_left_it() -> None:
    part = ventilation(seed=3)
    engine = alone(part)
    block = engine.run(1)
    keys = ("released", "carried", "held")
    before = {key: block[f"air_mine!{key}_m3"][-1] for key in keys}
    for quarter in range(20):
        win(part, face_1=1000.0 * (quarter % 3 > 0), heading_1=70.0, belt_road_101=900.0)
        part.weighting[:] = quarter % 5 == 0
        for name, kind, amount in [
            ("heading_1", "aux_fan_stop", quarter == 4),
            ("main_fan_1", "main_fan_stop", 6 <= quarter < 8),
            ("main_fan_2", "main_fan_stop", quarter == 7),
            ("face_1", "gas_rise", 3.0 * (quarter == 10)),
            ("door_1", "door_open", quarter == 12),
            ("main_fan_1", "reversal", quarter == 15),
            ("belt_road_101", "fire", 0.5 * (quarter == 18)),
        ]:
            part.disturb(name, kind, float(amount))
        block = engine.run(900)
    released, carried, stored = (block[f"air_mine!{key}_m3"][-1] - before[key] for key in keys)
    assert released > 1500.0
    assert carried + stored == pytest.approx(released, rel=1e-6)


def test_a_face_gives_gas_by_the_coal_and_the_return_hears_of_it_later() -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(1800)
    win(part, face_1=1000.0)
    cutting = engine.run(5400)
    win(part, face_1=0.0)
    after = engine.run(7200)
    face, back = "air_face_1!ch4_face", "air_face_1!ch4_return"
    before = cutting[face][0]
    assert cutting[face][-1] > before + 0.12
    assert after[face][-1] == pytest.approx(before, abs=0.05)
    assert 0.3 < cutting["air_face_1!ch4_corner"][-600:].mean() < 1.0
    grown = [np.argmax(cutting[name] > cutting[name][0] + 0.08) for name in (face, back)]
    velocity = part.design.faces["face_1"].air_m3_per_min / 60.0 / part.design.faces["face_1"].gate_section_m2
    assert grown[1] - grown[0] == pytest.approx(part.design.faces["face_1"].gate_m / velocity, rel=0.3)


def test_the_corner_holds_more_than_the_return_by_the_known_ratio() -> None:
    part = ventilation()
    win(part, face_1=900.0)
    engine = alone(part)
    calm = engine.run(1800)
    part.weighting[:] = 1.0
    pressed = engine.run(1800)
    for block in (calm, pressed):
        ratio = block["air_face_1!ch4_corner"][1:] / block["air_face_1!ch4_return_start"][:-1]
        assert ratio.min() >= 1.3 - 1e-9
        assert ratio.max() <= 2.0 + 1e-9
    assert pressed["air_face_1!ch4_corner"][-300:].mean() > 1.1 * calm["air_face_1!ch4_corner"][-300:].mean()


def test_when_both_fans_of_a_heading_stop_gas_rises_by_what_the_volume_says() -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(300)
    part.disturb("heading_1", "aux_fan_stop", 1.0)
    engine.run(180)
    block = engine.run(600)
    design = part.design.headings["heading_1"]
    volume = design.face_m * design.section_m2
    rate = (block["air_heading_1!ch4_face"][-1] - block["air_heading_1!ch4_face"][0]) / (599 / 60)
    assert rate == pytest.approx(mixing.rise_without_air(0.6 * design.rib_m3_per_min, volume), rel=0.02)
    assert block["aux_fan_1a.duct"][-1] == 0.0
    part.disturb("heading_1", "aux_fan_stop", 0.0)
    engine.run(1200)
    assert engine.run(1)["air_heading_1!ch4_face"][0] < 0.15


def test_the_standby_of_a_heading_takes_over_in_seconds_and_gas_hardly_notices() -> None:
    part = ventilation()
    engine = alone(part)
    quiet = engine.run(600)["air_heading_1!ch4_face"].max()
    part.disturb("aux_fan_1a", "aux_fan_stop", 1.0)
    block = engine.run(600)
    started = np.argmax(block["aux_fan_1b.running"] == 1)
    assert 3 <= started <= 6
    assert block["aux_fan_1a.running"][0] == 0
    assert block["air_heading_1!ch4_face"].max() < quiet + 0.03
    part.disturb("aux_fan_1a", "aux_fan_stop", 0.0)
    assert engine.run(5)["aux_fan_1b.running"][-1] == 0


def test_the_standby_main_fan_takes_over_within_ten_minutes() -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(60)
    part.disturb("main_fan_1", "main_fan_stop", 1.0)
    block = engine.run(600)
    air = block["main_fan_1.air_volume"] + block["main_fan_2.air_volume"]
    assert air.min() < 75.0
    assert air[-1] == pytest.approx(150.0, rel=0.02)
    assert block["main_fan_1.fault_code"][-1] == 1
    assert block["main_fan_2!state"][-1] == 1
    gas = block["air_face_1!ch4_face"]
    still = mixing.rise_without_air(2.0 + 0.4 * 1.6, 2400.0)
    assert 0.02 < gas.max() - gas[0] < still * 90.0 / 60.0


def test_a_main_fan_comes_back_by_itself_after_a_loss_of_power_but_not_after_a_stop() -> None:
    part = ventilation()
    engine = alone(part)
    part.powered.update(main_fan_1=False, main_fan_2=False)
    assert engine.run(300)["main_fan_1.running"][-1] == 0
    part.powered.update(main_fan_1=True, main_fan_2=True)
    assert engine.run(120)["main_fan_1.running"][-1] == 1
    part.command("main_fan_1", "command", 2)
    block = engine.run(300)
    assert block["main_fan_1.running"][-1] == 0
    assert block["main_fan_2.running"][-1] == 0
    part.command("main_fan_2", "command", 1)
    assert engine.run(120)["main_fan_2.running"][-1] == 1


def test_fans_change_duty_by_routine() -> None:
    part = ventilation(main_fans={"routine_days": 1})
    part._second = 86_400.0 - 100.0
    block = alone(part).run(400)
    assert block["main_fan_1.running"][0] == 1
    assert block["main_fan_2.running"][-1] == 1
    assert (block["main_fan_1.air_volume"] + block["main_fan_2.air_volume"]).min() > 60.0


def test_a_reversal_keeps_forty_per_cent_and_blows_the_return_over_the_face() -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(60)
    part.disturb("main_fan_1", "reversal", 1.0)
    block = engine.run(1200)
    assert block["main_fan_1.air_volume"][-1] >= 0.4 * 150.0
    assert block["main_fan_1.direction"][-1] == 0
    assert block["air_face_1!ch4_intake"][-1] > block["air_face_1!ch4_intake"][0] + 0.05


@pytest.mark.parametrize(
    ("name", "kind", "amount", "channel", "least"),
    [
        ("face_1", "gas_rise", 6.0, "air_face_1!ch4_corner", 0.4),
        ("face_1.return", "gas_rise", 6.0, "air_face_1!ch4_return", 0.3),
        ("air_door_1", "door_open", 1.0, "air_face_1!ch4_face", 0.1),
        ("heading_1", "duct_torn", 0.7, "air_heading_1!ch4_face", 0.1),
    ],
)
def test_disturbances_of_the_air_show_where_they_are(
    name: str, kind: str, amount: float, channel: str, least: float
) -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(300)
    part.disturb(name, kind, amount)
    there = engine.run(2400)[channel]
    assert there[-1] > there[0] + least
    part.disturb(name, kind, 0.0)
    engine.run(3600)
    assert engine.run(1)[channel][0] == pytest.approx(there[0], abs=0.08)


def test_a_fire_gives_smoke_and_carbon_monoxide_and_takes_oxygen() -> None:
    part = ventilation()
    engine = alone(part)
    engine.run(60)

    def read(quantity: str) -> float:
        at, gain, offset = part.reading("belt_road_101", quantity)
        return float(part.values.ravel()[at] * gain + offset)

    clean = {name: read(name) for name in ("co", "smoke", "o2", "temperature")}
    part.disturb("belt_road_101", "fire", 0.3)
    engine.run(1800)
    assert read("co") > clean["co"] + 24.0
    assert read("smoke") > 5.0
    assert read("o2") < clean["o2"]
    assert read("temperature") > clean["temperature"] + 1.0


def test_a_falling_barometer_draws_gas_from_the_goaf() -> None:
    part = ventilation(barometer={"trend_hpa_per_h": 3.0, "trend_tau_s": 3600.0, "tide_hpa": 0.0})
    block = alone(part).run(8 * 3600)
    fall = -np.diff(block["air_mine!pressure_hpa"][::600])
    gas = block["air_face_1!ch4_return_start"].reshape(-1, 600).mean(axis=1)
    assert np.ptp(fall) > 0.3
    assert np.corrcoef(fall, gas[1:])[0, 1] > 0.7


def test_fans_obey_when_they_may_and_say_why_not() -> None:
    part = ventilation()
    with pytest.raises(Refused, match="the other fan is running"):
        part.command("main_fan_2", "command", 1)
    part.command("main_fan_1", "mode_command", 1)
    with pytest.raises(Refused, match="local"):
        part.command("main_fan_1", "command", 2)
    part.command("aux_fan_1a", "command", 2)
    block = alone(part).run(30)
    assert block["aux_fan_1a.running"][-1] == 0
    assert block["aux_fan_1b!state"][-1] == 1
    with pytest.raises(Refused, match="takes no command"):
        part.command("aux_fan_1a", "speed_set", 40)
    with pytest.raises(Refused, match="must be within"):
        part.disturb("face_1", "gas_rise", 1e9)
    with pytest.raises(Refused, match="knows no disturbance"):
        part.disturb("air_door_1", "gas_rise", 1.0)


def test_energy_is_the_sum_of_power() -> None:
    part = ventilation()
    engine = alone(part)
    part.disturb("main_fan_1", "main_fan_stop", 1.0)
    block = engine.run(3600)
    used = block["main_fan_1!kwh"][-1] + block["main_fan_2!kwh"][-1]
    power = block["main_fan_1.power"] + block["main_fan_2.power"]
    assert used == pytest.approx(power.sum() / 3600.0, rel=1e-9)
    assert block["aux_fan_1a!kwh"][-1] == pytest.approx(60.0, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"faces": {"face_1": {"district": "nowhere"}}}, "no such district"),
        ({"main_fans": {"air_m3_per_s": 20}}, "more air than the main fan"),
        ({"doors": {"door_1": {"branch": "attic"}}}, "no such branch"),
        ({"main_fans": {"shut_off_pa": 2000}}, "must be above"),
        ({"main_fans": {"reversed_share": 0.3}}, "greater than or equal to 0.4"),
        ({"wind": 1}, "Extra inputs"),
    ],
)
def test_an_impossible_design_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        VentilationDesign.model_validate(DESIGN | changes)


def test_fans_show_what_healthy_fans_show() -> None:
    part = ventilation()
    block = alone(part).run(7200)
    late = slice(-600, None)
    for n in (1, 2, 3, 4):
        assert 40.0 < block[f"main_fan_1.bearing_temp_{n}"][late].mean() < 70.0
        assert block[f"main_fan_2.bearing_temp_{n}"][late].mean() < 35.0
    assert 60.0 < block["main_fan_1.winding_temp_1"][late].mean() < 110.0
    assert 0.5 < block["main_fan_1.vibration_x"][late].mean() < 4.5
    assert abs(block["main_fan_2.vibration_x"][late]).max() == 0.0
    assert block["main_fan_1.current_1"][late].mean() == pytest.approx(
        250e3 / (3**0.5 * 10_000 * 0.86 * 0.94), rel=0.02
    )
    assert block["main_fan_1.run_time"][-1] - block["main_fan_1.run_time"][0] == pytest.approx(2.0, abs=0.01)
    assert 45.0 < block["aux_fan_1a.bearing_temp"][late].mean() < 75.0
    assert block["aux_fan_1b.current"][late].mean() == 0.0
