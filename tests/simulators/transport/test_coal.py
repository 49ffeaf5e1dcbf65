"""Coal on belts: nothing is lost, the delay is length over speed, and a cross-section holds what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.transport.coal import Coal


def coal(*lengths: float, most: float = 150.0) -> Coal:
    heads = np.array(lengths)
    return Coal(np.array([heads - 20.0, heads]), np.full(len(lengths), most))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 7), st.floats(0, 7), st.floats(0, 1000)), min_size=1, max_size=300))
def test_fed_is_discharged_and_on_the_belt_over_random_feeds_and_stops(steps):
    belts = coal(100.0, 60.0, most=120.0)
    fed = np.zeros(2)
    for first, second, feed in steps:
        belts.chute += feed
        fed += feed
        belts.move(np.array([first, second]))
        assert fed == pytest.approx(belts.passed[-1] + belts.on_belt + belts.chute, rel=1e-12, abs=1e-9)
        assert (belts.passing > -1e-9).all()
        assert (belts.on_belt <= 120.0 * np.array([100.0, 60.0]) + 1e-6).all()


@pytest.mark.parametrize("speed", [0.07, 0.9, 3.5, 6.0])
def test_a_front_arrives_after_length_over_speed(speed):
    belts, seconds, arrived = coal(100.0), 0, np.zeros(2)
    while not belts.passed[-1, 0] and seconds < 5000:
        belts.chute += 50.0 * speed
        belts.move(np.array([speed]))
        arrived[(arrived == 0) & (belts.passed[:, 0] > 0)] = seconds + 1
        seconds += 1
    # What is laid on in the first step lies on the first `speed` metres, the front at the very tail's first place.
    assert arrived * speed == pytest.approx([80.0, 100.0], abs=speed)
    belts.move(np.array([speed]))
    assert belts.passing[-1, 0] == pytest.approx(50.0 * speed)


def test_a_change_of_speed_on_the_way_moves_all_coal_alike():
    belts = coal(100.0)
    belts.chute += 100.0
    belts.move(np.array([4.0]))  # coal lies on 0…4 m
    for by in (7.0, 0.0, 0.5, 3.0, 85.5):
        belts.move(np.array([by])) if by <= 7 else [belts.move(np.array([5.7])) for _ in range(15)]
    assert belts.passed[-1, 0] == pytest.approx(0.0, abs=1e-9)
    belts.move(np.array([1.0]))
    assert belts.passed[-1, 0] == pytest.approx(25.0)
    belts.move(np.array([3.0]))
    assert belts.passed[-1, 0] == pytest.approx(100.0)


def test_what_has_no_place_waits_in_the_chute():
    belts = coal(100.0, most=100.0)
    belts.chute += 1000.0
    belts.move(np.array([3.0]))
    assert (belts.chute[0], belts.on_belt[0]) == (700.0, 300.0)
    belts.move(np.array([0.0]))
    assert belts.chute[0] == 700.0
