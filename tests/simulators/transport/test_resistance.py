"""The checked table of belt powers (domain facts 5.1)."""

from __future__ import annotations

import pytest

from simulators.physics.din22101 import Conveyor, length_factor, line_mass, power

TABLE = [
    (1000, 30, 1500, 3.5, 0.025, 0.85, 344, 68, 0.229, 0.229),
    (1500, 0, 1000, 3.15, 0.025, 0.85, 208, 81, 0.208, 0.139),
    (1730, 180, 5800, 5.6, 0.022, 0.90, 4326, 464, 0.746, 0.431),
]
"""Length m, lift m, flow t/h, speed m/s, friction, efficiency; full kW, empty kW, kWh/t, kWh/(t·km)."""


@pytest.mark.parametrize("row", TABLE)
def test_power_and_energy_a_tonne(row):
    """The table names no mass of rollers and belt: that of the empty power is taken, and the full one must follow."""
    length, lift, flow, speed, friction, efficiency, full, empty, per_t, per_t_km = row
    bare = power(Conveyor(length, lift, 100.0, friction, efficiency), 0.0, speed)
    conveyor = Conveyor(length, lift, 100.0 * empty / bare, friction, efficiency)
    assert power(conveyor, 0.0, speed) == pytest.approx(empty)
    loaded = power(conveyor, line_mass(flow, speed), speed)
    assert loaded == pytest.approx(full, rel=0.01)
    assert loaded / flow == pytest.approx(per_t, rel=0.01)
    assert loaded / flow / (length / 1000) == pytest.approx(per_t_km, rel=0.01)


def test_a_short_belt_feels_its_secondary_resistances():
    assert [length_factor(m) for m in (80, 300, 1000, 2000, 5000)] == [1.92, 1.31, 1.09, 1.05, 1.05]
