"""Scales err by up to half a per cent, drift by a tenth of a per cent in a shift, and count each shift anew."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.physics.transport.gauges import Gauges
from simulators.physics.transport.layout import channels, scale_columns
from tests.simulators.transport.mine import FEED, Mine, design


def test_a_scale_errs_within_its_class_and_never_by_nothing():
    errors = []
    for seed in range(4):
        mine = Mine(seed=seed).running()
        mine.feed = FEED
        mine.run(1500)
        block = mine.run(1800)
        weighed, truth = np.ptp(block["scale_101.total"]), np.ptp(block["belt_101!tonnes"])
        errors.append(weighed / truth - 1.0)
        assert np.array_equal(block["scale_101.total"], block["belt_101.coal_total"])
    assert np.abs(errors).min() > 0.0
    assert np.abs(errors).max() < 0.005 + 0.004
    assert np.std(errors) > 0.0005


def test_flow_load_and_speed_belong_together():
    mine = Mine().running()
    mine.feed = FEED
    mine.run(1500)
    block = mine.run(600)
    speed, load, flow = (block[f"scale_104.{key}"] for key in ("speed", "load", "flow"))
    assert flow == pytest.approx(3.6 * speed * load)
    assert flow.mean() == pytest.approx(1200.0, rel=0.01)
    assert not block["scale_104.healthy"].any()


def test_the_total_of_the_shift_begins_anew_and_adds_up_to_the_total():
    mine = Mine().running()
    mine.feed = FEED
    mine.run(1500)
    shifts = []
    for _ in range(3):
        mine.belts.shift += 1
        block = mine.run(700)
        assert block["scale_104.shift_total"][0] < 1.0
        shifts.append(block["scale_104.shift_total"][-1])
    assert sum(shifts[1:]) == pytest.approx(shifts[1] * 2, rel=0.01)
    assert block["scale_104.total"][-1] > sum(shifts)


def test_the_zero_drifts_by_about_a_tenth_of_a_per_cent_in_a_shift():
    belts = list(design().belts.values())
    drifts = []
    for seed in range(20):
        gauges = Gauges(belts, [0], np.random.default_rng(seed))
        rows = np.zeros((480, len(channels([str(n) for n in range(6)], ["scale"]))))
        gauges.fill(60.0, rows)  # a shift in minutes
        zero = rows[:, scale_columns(".zero", 6, 1)]
        drifts.append((zero[-1, 0] - zero[0, 0]) / 100.0)
    full = 1800.0 / (3.6 * 3.5)
    assert 0.0005 < np.sqrt(np.mean(np.square(drifts))) / full < 0.002
