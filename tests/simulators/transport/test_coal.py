"""Coal on a belt: nothing is lost, the delay is length over speed, and a cross-section holds what it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.transport.coal import Coal


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 7), st.floats(0, 1000)), min_size=1, max_size=300))
def test_fed_is_discharged_and_on_the_belt_over_random_feeds_and_stops(steps):
    belt, fed = Coal(100.0, 80.0, 120.0), 0.0
    for by, feed in steps:
        belt.chute += feed
        fed += feed
        belt.move(by)
        assert fed == pytest.approx(belt.head.passed + belt.on_belt + belt.chute, rel=1e-12, abs=1e-9)
        assert belt.head.passing > -1e-9
        assert belt.on_belt <= 120.0 * 100.0 + 1e-6
        assert belt.head.passed <= belt.scale.passed + 1e-9


@pytest.mark.parametrize("speed", [0.07, 0.9, 3.5, 6.0])
def test_a_front_arrives_after_length_over_speed(speed):
    belt, steps, arrived = Coal(100.0, 80.0, 150.0), 0, [0, 0]
    while not belt.head.passed and steps < 5000:
        belt.chute += 50.0 * speed
        belt.move(speed)
        steps += 1
        arrived = [
            at or (steps if place.passed else 0) for at, place in zip(arrived, (belt.scale, belt.head), strict=True)
        ]
    # The front is laid at the very tail as the first step begins.
    assert [at * speed for at in arrived] == pytest.approx([80.0, 100.0], abs=speed)
    belt.move(speed)
    assert belt.head.passing == pytest.approx(50.0 * speed)


def test_a_change_of_speed_on_the_way_moves_all_coal_alike():
    belt = Coal(100.0, 80.0, 150.0)
    belt.chute += 100.0
    belt.move(4.0)  # coal lies on 0 … 4 m
    for by in (7.0, 0.0, 0.5, 3.0, *[5.7] * 15):
        belt.move(by)
    assert belt.head.passed == pytest.approx(0.0, abs=1e-9)
    belt.move(1.0)
    assert belt.head.passed == pytest.approx(25.0)
    belt.move(3.0)
    assert belt.head.passed == pytest.approx(100.0)


def test_coal_on_a_belt_that_ran_empty_arrives_in_its_time_again():
    belt = Coal(100.0, 80.0, 150.0)
    for _ in range(1000):
        belt.move(0.9)
    belt.chute += 60.0
    belt.move(0.9)
    for _ in range(110):
        belt.move(0.9)
    assert belt.head.passed == 0.0
    belt.move(0.9)
    assert belt.head.passing == belt.head.passed > 0.0
    for _ in range(3):
        belt.move(0.9)
    assert (belt.head.passed, belt.on_belt) == (pytest.approx(60.0), pytest.approx(0.0))


def test_what_has_no_place_waits_in_the_chute():
    belt = Coal(100.0, 80.0, 100.0)
    belt.chute += 1000.0
    belt.move(3.0)
    assert (belt.chute, belt.on_belt) == (700.0, 300.0)
    belt.move(0.0)
    assert belt.chute == 700.0
