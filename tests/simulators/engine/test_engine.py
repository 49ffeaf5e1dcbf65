"""The engine's promise: how steps are cut into blocks changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.engine.engine import Engine
from simulators.engine.filters import Lag, Total, Wander
from simulators.engine.part import Part, Refused, Row, Rows


class Source(Part):
    """A square wave, and what follows from it."""

    channels: Sequence[str] = ("tank.inflow", "tank.warm", "tank.total", "tank.noise", "tank!state")

    def __init__(self) -> None:
        self.steps = 0
        self._warm, self._total = Lag(7.0, 1, 20.0), Total(1, 3.0)
        self._noise = Wander(1.0, 5.0, 1, np.random.default_rng(5))

    def step(self, dt: float, row: Row) -> None:
        self.steps += 1
        row[0] = self.steps // 10 % 2
        row[4] = self.steps % 3

    def observe(self, dt: float, rows: Rows) -> None:
        rows[:, 1:2] = self._warm.run(dt, rows[:, :1])
        rows[:, 2:3] = self._total.run(dt, rows[:, :1])
        rows[:, 3:4] = self._noise.run(dt, len(rows))


def engine() -> Engine:
    return Engine([Source()], lambda dt: None, start_us=1_000_000, dt=0.5)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_any_cut_into_blocks_gives_the_same_mine(cut):
    whole, pieces = engine().run(sum(cut)), engine()
    parts = [pieces.run(steps) for steps in cut]
    assert np.array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert np.array_equal(np.concatenate([part.ts for part in parts]), whole.ts)


def test_filters_against_the_step_by_step_form():
    x = np.random.default_rng(1).standard_normal((50, 3))
    lag, total = Lag(4.0, 3, np.array([1.0, 2.0, 3.0])), Total(3)
    y, keep = np.array([1.0, 2.0, 3.0]), np.exp(-0.25 / 4.0)
    expected = []
    for row in x:
        y = row + (y - row) * keep
        expected.append(y)
    assert np.allclose(lag.run(0.25, x), expected, rtol=0, atol=1e-12)
    assert np.allclose(total.run(0.25, x)[-1], x.sum(axis=0) * 0.25)


def test_a_wander_keeps_its_spread():
    walk = Wander(2.0, 10.0, 4, np.random.default_rng(2)).run(1.0, 50_000)
    assert walk.std() == pytest.approx(2.0, rel=0.05)
    lagged = np.mean(walk[10:] * walk[:-10]) / walk.var()
    assert lagged == pytest.approx(np.exp(-1.0), abs=0.05)


def test_a_name_belongs_to_one_part_and_the_unknown_is_refused():
    with pytest.raises(ValueError, match=r"tank\.inflow"):
        Engine([Source(), Source()], lambda dt: None, start_us=0)
    with pytest.raises(Refused, match="nothing simulates"):
        engine().command("pump_9", "start", 1.0)
    with pytest.raises(Refused, match="takes no command"):
        engine().command("tank", "start", 1.0)


def test_a_block_gives_what_is_asked_and_nan_for_the_unknown():
    block = engine().run(4)
    picked = block.pick(["tank.total", "nothing.here"])
    assert np.array_equal(picked[:, 0], block["tank.total"])
    assert np.isnan(picked[:, 1]).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_before_any_part_sees_it(value):
    class Trusting(Source):
        def command(self, equipment: str, key: str, value: float) -> None:
            int(value)

        disturb = command

    mine = Engine([Trusting()], lambda dt: None, start_us=0)
    for tell in (mine.command, mine.disturb):
        tell("tank", "inflow", 1.0)
        with pytest.raises(Refused, match=r"应为数.*must be a number"):
            tell("tank", "inflow", value)


class Clock(Part):
    """Tells how far it has gone, and what it was told."""

    channels: Sequence[str] = ("clock.second", "clock.told", "clock.noise")

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self.second = self.told = 0.0
        self._noise = Wander(1.0, 5.0, 1, np.random.default_rng(6))

    def step(self, dt: float, row: Row) -> None:
        self.second += dt
        row[:2] = self.second, self.told

    def observe(self, dt: float, rows: Rows) -> None:
        rows[:, 2:3] = self._noise.run(dt, len(rows))

    def command(self, equipment: str, key: str, value: float) -> None:
        self.told = value


@given(
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from([0.3, 2.0, 5.0]),
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_a_part_with_a_period_goes_with_the_mine_and_is_behind_by_less_than_it(dt, period, cut):
    whole = Engine([Clock(period), Source()], start_us=0, dt=dt).run(sum(cut))
    pieces = Engine([Clock(period), Source()], start_us=0, dt=dt)
    found = np.concatenate([pieces.run(steps).values for steps in cut])
    assert np.array_equal(found, whole.values)
    behind = dt * np.arange(1, sum(cut) + 1) - whole["clock.second"]
    assert behind.min() > -1e-9
    assert behind.max() < max(period, dt) + dt / 2 - 1e-9
    assert len(np.unique(whole["clock.second"])) <= 1 + np.ceil(sum(cut) / max(1, round(period / dt)))


def test_a_change_of_the_step_loses_no_time():
    mine = Engine([Clock(5.0)], start_us=0, dt=1.0)
    assert mine.run(8)["clock.second"].tolist() == [1, 1, 1, 1, 1, 6, 6, 6]
    mine.dt = 0.5
    assert mine.run(16)["clock.second"].tolist() == [6] * 5 + [11] * 10 + [16]


def test_what_a_part_is_told_it_sees_with_the_next_step():
    mine = Engine([Clock(10.0)], start_us=0, dt=1.0)
    mine.run(4)
    mine.command("clock", "set", 7.0)
    block = mine.run(8)
    assert block["clock.told"].tolist() == [7.0] * 8
    assert block["clock.second"].tolist() == [5.0] * 8
    assert mine.run(4)["clock.second"].tolist() == [5.0, 5.0, 15.0, 15.0]
