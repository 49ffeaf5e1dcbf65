"""Airways: as the closed form says for one volume, with the delay of the way for many, and nothing lost in any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.air import mixing
from simulators.physics.air.airways import CARRIED, Airways, Cell

CH4, DUST = CARRIED.index("ch4"), CARRIED.index("dust")


def gas(airways: Airways, cell: int, m3_per_min: float, dt: float) -> np.ndarray:
    source = np.zeros(airways.carried.shape)
    source[CH4, cell] = 100.0 * m3_per_min
    return source * airways.per_volume(dt)


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_one_cell_follows_the_closed_form(dt: float) -> None:
    airways = Airways([Cell("face", 2400.0, 12.0, 1500.0, 0, -1)])
    airways.drive(dt, np.ones(1), np.ones(0))
    added = gas(airways, 0, 10.0, dt)
    for seconds in (96, 300):
        airways.carried[:] = 0.0
        for _ in range(round(seconds / dt)):
            airways.step(added)
        exact = mixing.mix(0.0, volume_m3=2400.0, air_m3_per_min=1500.0, gas_m3_per_min=10.0, seconds=seconds)
        assert airways.carried[CH4, 0] == pytest.approx(exact, rel=0.006)


def test_what_a_road_carries_arrives_after_length_over_velocity_and_stands_when_the_air_stands() -> None:
    cells = [Cell("road", 1400.0, 14.0, 1500.0, 0, n + 1 if n < 7 else -1) for n in range(8)]
    airways = Airways(cells)
    airways.drive(1.0, np.ones(1), np.ones(0))
    airways.carried[CH4, 0] = 1.0
    nothing = np.zeros(airways.carried.shape)
    out = np.array([airways.step(nothing)[0] for _ in range(3000)])
    arrival = (np.arange(3000) * out).sum() / out.sum()
    assert arrival == pytest.approx(800.0 / (1500.0 / 60.0 / 14.0), rel=0.02)
    airways.carried[CH4, 3] = 1.0
    airways.drive(1.0, np.zeros(1), np.ones(0))
    before = airways.carried[CH4].copy()
    for _ in range(100):
        assert airways.step(nothing)[0] == 0.0
    assert np.array_equal(airways.carried[CH4], before)


def test_dust_settles_and_gas_does_not() -> None:
    airways = Airways([Cell("face", 2400.0, 12.0, 1500.0, 0, -1)])
    airways.drive(1.0, np.zeros(1), np.ones(0))
    airways.carried[:, 0] = 1.0
    for _ in range(400):
        airways.step(np.zeros(airways.carried.shape))
    assert airways.carried[CH4, 0] == 1.0
    assert airways.carried[DUST, 0] == pytest.approx(np.exp(-1.0), rel=0.01)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_methane_is_made_or_lost_in_any_network_in_either_direction(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 9))
    joins = [-1, *(data.draw(st.integers(0, n - 1)) for n in range(1, count))]
    own = [data.draw(st.floats(50, 800)) for _ in range(count)]
    air = own.copy()
    for n in range(count - 1, 0, -1):
        air[joins[n]] += air[n]
    cells = [Cell(f"p{n}", data.draw(st.floats(500, 9000)), 12.0, air[n], n % 2, joins[n]) for n in range(count)]
    airways = Airways(cells)
    airways.carried[CH4] = data.draw(st.lists(st.floats(0, 3), min_size=count, max_size=count))
    held = first = float(airways.carried[CH4] @ airways.volume) / 100.0
    released = left = 0.0
    for _ in range(6):
        airways.backwards = data.draw(st.booleans())
        airways.drive(1.0, np.array(data.draw(st.lists(st.floats(0, 1.2), min_size=2, max_size=2))), np.ones(0))
        source = data.draw(st.floats(0, 20))
        added = gas(airways, data.draw(st.integers(0, count - 1)), source, 1.0)
        for _ in range(30):
            out, held = airways.step(added)
            left += out / 60.0
            released += source / 60.0
        assert airways.carried[CH4].min() >= 0.0
    assert held + left == pytest.approx(first + released, rel=1e-9, abs=1e-9)


def test_a_volume_too_small_for_its_air_is_refused() -> None:
    with pytest.raises(ValueError, match="too small for its air"):
        Airways([Cell("hole", 10.0, 5.0, 1500.0, 0, -1)])
