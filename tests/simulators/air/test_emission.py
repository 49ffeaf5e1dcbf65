"""Emission and mixing against the worked examples of the field (domain facts 5.9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.design.air import FaceDesign, FaceGas, HeadingDesign, HeadingGas
from simulators.physics.air import emission, mixing
from simulators.physics.air.forecast import face_gas, heading_gas


def test_a_face_seam_gives_what_the_worked_example_says() -> None:
    q1 = emission.face_seam(rock=1.3, loss=1.0101, ribs=0.86, seam_m=3.0, cut_m=3.0, content=8.0, residual=3.0)
    assert q1 == pytest.approx(5.646, abs=0.001)


def test_adjacent_seams_add_up_by_thickness_and_share() -> None:
    above = emission.Adjacent(content=8.0, residual=3.0, thickness_m=1.2, released=0.6)
    below = emission.Adjacent(content=6.0, residual=3.0, thickness_m=0.8, released=0.3)
    assert emission.adjacent_seams([above, below], cut_m=3.0) == pytest.approx(1.2 + 0.24)
    assert emission.adjacent_seams([], cut_m=3.0) == 0.0


def test_heading_ribs_give_what_the_worked_example_says() -> None:
    q3 = emission.heading_ribs(7.0, 0.001852, 0.042092, 540_000 * 0.001852)
    assert q3 == pytest.approx(0.801, abs=0.001)
    assert emission.rib_strength(volatile_percent=10.0, content=8.0) == pytest.approx(0.026 * 0.2 * 8.0)
    assert emission.heading_ribs(7.0, 0.0, 0.042092, 1000.0) == 0.0


def test_fallen_coal_of_a_heading_gives_what_the_worked_example_says() -> None:
    q4 = emission.heading_coal(8.0, 0.001852, 1.46, content=6.0, residual=3.0)
    assert q4 == pytest.approx(0.0649, abs=0.0001)


def test_relative_and_absolute_emission() -> None:
    assert emission.face_emission(5.646, 2880.0) == pytest.approx(11.292)


def test_mixing_has_the_time_constant_and_the_level_of_the_worked_example() -> None:
    volume, air = 200.0 * 12.0, 1500.0
    assert mixing.time_constant(volume, air) == pytest.approx(96.0)
    assert mixing.steady(10.0, air) == pytest.approx(0.667, abs=0.001)
    assert mixing.rise_without_air(10.0, volume) == pytest.approx(0.4167, abs=0.001)
    after = mixing.mix(0.0, volume_m3=volume, air_m3_per_min=air, gas_m3_per_min=10.0, seconds=96.0)
    assert after == pytest.approx(0.667 * 0.632, abs=0.001)
    minute = mixing.mix(0.5, volume_m3=volume, air_m3_per_min=0.0, gas_m3_per_min=10.0, seconds=60.0)
    assert minute == pytest.approx(0.92, abs=0.005)


@given(
    st.floats(0, 5), st.floats(100, 20_000), st.floats(0, 5000), st.floats(0, 50), st.floats(0, 600), st.floats(0, 600)
)
def test_a_wait_may_be_cut_in_two(c: float, volume: float, air: float, gas: float, first: float, then: float) -> None:
    def go(c: float, seconds: float) -> float:
        return mixing.mix(c, volume_m3=volume, air_m3_per_min=air, gas_m3_per_min=gas, seconds=seconds)

    assert go(go(c, first), then) == pytest.approx(go(c, first + then), rel=1e-6, abs=1e-9)


def test_a_face_forecast_by_its_seam_gives_on_average_what_the_formula_says() -> None:
    gas = FaceGas(content=8.0, residual=3.0, seam_m=3.0, cut_m=3.0, loss=1.0101, tonnes_per_day=2880.0)
    ribs, goaf, per_t = face_gas(FaceDesign(district="d", gas=gas))
    assert per_t * 2880.0 / 1440.0 + ribs + goaf == pytest.approx(11.292, abs=0.001)
    assert goaf == pytest.approx(0.25 * 11.292, abs=0.001)
    stated = FaceDesign(district="d", rib_m3_per_min=1.0, goaf_m3_per_min=2.0, gas_m3_per_t=0.1)
    assert face_gas(stated) == (1.0, 2.0, 0.1)


def test_a_heading_forecast_by_its_seam_gives_what_the_formulas_say() -> None:
    gas = HeadingGas(content=6.0, residual=3.0, volatile_percent=12.0, perimeter_m=7.0, advance_m_per_day=8.0)
    design = HeadingDesign(district="d", fans=("a", "b"), gas=gas, length_m=1000.0)
    advance = 8.0 / 1440.0
    walls = emission.heading_ribs(7.0, advance, emission.rib_strength(12.0, 6.0), 1000.0)
    ribs, per_t = heading_gas(design)
    assert ribs == pytest.approx(walls)
    assert per_t == pytest.approx(3.0)
    # q4 is what this gives for each tonne, at the rate of the advance.
    assert per_t * 8.0 * advance * 1.46 == pytest.approx(emission.heading_coal(8.0, advance, 1.46, 6.0, 3.0))
