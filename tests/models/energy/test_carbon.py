"""Carbon: the factor of the year, and the field's own example of return air."""

import pytest

from models.energy.carbon import carbon, grid_factor


def test_the_factor_of_a_year_is_the_newest_known_for_it() -> None:
    assert grid_factor("north_china", 2023).kg_per_kwh == 0.6361
    assert grid_factor("north_china", 2026).year == 2023
    assert grid_factor("north_china", 2022).kg_per_kwh == 0.6774
    with pytest.raises(KeyError):
        grid_factor("north_china", 2021)
    with pytest.raises(KeyError):
        grid_factor("moon", 2023)


def test_the_return_air_of_a_year_outweighs_much_electricity() -> None:
    """100 m³/s at 0.2 % CH4: some 4.2 kt of methane a year, 118 kt of CO₂ at a GWP of 28."""
    found = carbon(0.0, "north_china", 2026, 100 * 0.002 * 365 * 86_400)
    assert found.methane / 28 == pytest.approx(4.2e6, rel=0.01)
    assert found.methane == pytest.approx(118e6, rel=0.01)
    assert carbon(1000.0, "north_china", 2026, 0.0).total == pytest.approx(636.1)
    assert "2023" in found.of["grid"]
