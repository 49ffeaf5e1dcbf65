"""The same samples told in another order, in other batches, twice, or after an outage: the figures are the same to the
last digit; and a stretch of time that is judged by itself says of itself what all that is known says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.quality import GOOD, Quality
from models.spans import Spans
from models.utilisation.figure import Figure, figure
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.signal import SILENCES, Signal
from models.utilisation.units import Unit
from tests.models.utilisation.test_asked import RATINGS, VERSION, unit_of

S = 1_000_000
START = 1_772_380_800 * S
HOURS = 6
END = START + HOURS * 3600 * S
SILENCE_S = 40.0
READ_S = 2
SIZES = {"cutting.current": 60.0, "shearer.speed": 4.0, "belt.speed": 3.0, "drive.power": 300.0, "personnel.count": 1.0}
"""Of what is no state: about what it is at work."""
STATES = {"support.action_source": (0, 1, 2, 3), "support.action": (0, 11, 81), "shearer.direction": (0, 1, 2)}
Column = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]


@dataclass
class Said:
    """What the points of a unit told; `patrols`: when somebody was on patrol in it."""

    unit: Unit
    columns: dict[int, Column]
    patrols: Spans

    def figure(self, start: int = START, end: int = END, columns: dict[int, Column] | None = None) -> Figure:
        told = self.columns if columns is None else columns
        category = VERSION.categories[self.unit.category]
        facts = UnitFacts(
            self.unit, category, lambda point: Signal.of(*told[point.id], SILENCE_S), RATINGS, {"patrol": self.patrols}
        )
        return figure(judge(category, facts), start, end)

    def around(self, start: int, end: int) -> dict[int, Column]:
        """What has to be looked at for [start, end): so far as the conditions look, and as long as a value holds."""
        before, after = VERSION.categories[self.unit.category].reach()
        hold = round(SILENCES * SILENCE_S * S)
        found = {}
        for point, (ts, value, quality) in self.columns.items():
            seen = (ts >= start - before - hold) & (ts < end + after + hold)
            found[point] = ts[seen], value[seen], quality[seen]
        return found


def told_by(role: str, random: np.random.Generator) -> Column:
    """By exception and again after the longest silence, as a gateway tells it: work in spells, with now and then a
    stretch that is bad or missing."""
    ts, value = [], []
    now = START + int(random.integers(0, 60)) * S
    while now < END:
        lasts = int(random.exponential(900)) + READ_S
        if role in SIZES and random.random() < 0.6:
            steps = np.arange(0, min(lasts, 600), 5)
            ts.append(now + steps * S)
            value.append(np.abs(random.normal(SIZES[role], 0.3 * SIZES[role], len(steps))).round(2))
        else:
            steps = np.arange(0, lasts, SILENCE_S).astype(int)
            ts.append(now + steps * S)
            states = (0,) if role in SIZES else STATES.get(role, (0, 1, 2, 3, 4))
            value.append(np.full(len(steps), float(random.choice(states))))
        now += lasts * S
    times, values = np.concatenate(ts), np.concatenate(value)
    quality = np.full(len(times), GOOD, np.uint8)
    kept = np.ones(len(times), bool)
    for bad in (True, False):
        begin = int(random.integers(START, END))
        within = (times >= begin) & (times < begin + int(random.exponential(600e6)))
        if bad:
            quality[within] = int(Quality.BAD_COMMUNICATION)
        else:
            kept &= ~within
    return times[kept], values[kept], quality[kept]


@st.composite
def said(draw: st.DrawFn, key: str) -> Said:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    unit = unit_of(key)
    points = [point for points in unit.points.values() for point in points]
    columns = {point.id: told_by(point.role, random) for point in points}
    begins = START + np.sort(random.integers(0, HOURS * 3600, 4)) * S
    patrols = Spans.of((begin, begin + 1200 * S) for begin in begins.tolist())
    unit = replace(
        unit,
        points={pair: tuple(replace(p, silence_s=SILENCE_S) for p in some) for pair, some in unit.points.items()},
        readings=dict.fromkeys(columns, READ_S * S),
    )
    return Said(unit, columns, patrols)


def replayed(column: Column, random: np.random.Generator) -> Column:
    """In batches of any size; an outage keeps some back until all newer ones have come, and what was not acknowledged
    comes again."""
    ts = column[0]
    begin = int(random.integers(START, END))
    held = (ts >= begin) & (ts < begin + int(random.exponential(3600e6)))
    order = np.concatenate([np.flatnonzero(~held), np.flatnonzero(held)])
    cuts = np.sort(random.integers(0, len(order) + 1, int(random.integers(0, 8))))
    batches = np.split(order, cuts)
    random.shuffle(batches)
    again = [batch for batch in batches if random.random() < 0.3]
    order = np.concatenate([np.empty(0, np.intp), *batches, *again]).astype(np.intp)
    return column[0][order], column[1][order], column[2][order]


@pytest.mark.parametrize("key", VERSION.categories)
@settings(max_examples=10, deadline=None)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_order_batches_and_outages_change_nothing(key: str, data: st.DataObject, seed: int) -> None:
    all_ = data.draw(said(key))
    random = np.random.default_rng(seed)
    other = {point: replayed(column, random) for point, column in all_.columns.items()}
    found = all_.figure()
    assert all_.figure(columns=other) == found
    assert found.rate is None or found.least <= found.rate <= found.most


@pytest.mark.parametrize("key", VERSION.categories)
@settings(max_examples=10, deadline=None)
@given(st.data(), st.integers(1, HOURS * 3600 - 1))
def test_a_stretch_judged_by_itself_is_part_of_the_whole(key: str, data: st.DataObject, cut_s: int) -> None:
    all_ = data.draw(said(key))
    cut = START + cut_s * S
    parts = [all_.figure(a, b, all_.around(a, b)) for a, b in ((START, cut), (cut, END))]
    assert parts[0] == all_.figure(START, cut)
    assert parts[0] + parts[1] == all_.figure()
