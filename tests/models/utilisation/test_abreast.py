"""Days that are judged together say, to the microsecond, what each says by itself."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.kpi.ahead import cut, laid
from models.spans import Spans
from models.utilisation import follow
from models.utilisation.abreast import Axis
from models.utilisation.conditions import Follow
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.rules import Category
from models.utilisation.signal import Signal
from models.utilisation.units import Unit
from tests.models.utilisation.test_asked import RATINGS, SECONDS, VERSION, said_of, unit_of

S, HOLD = 1_000_000, 80_000_000
PATROL = Spans.of([(3_000 * S, 9_000 * S)])


def category_of(key: str) -> Category:
    """With few moves of supports enough to judge, at the ends of the face too."""
    found = VERSION.categories[key]
    fewer = {"ends": 0, "last": 40, "least": 2, "share": 0.3}
    return found.model_copy(
        update={
            "intelligent": tuple(
                one.model_copy(update={"when": one.when.model_copy(update=fewer)})
                if isinstance(one.when, Follow)
                else one
                for one in found.intelligent
            )
        }
    )


def said(unit: Unit, random: np.random.Generator) -> dict[int, Signal]:
    """Modes of supports and the direction of the shearer seldom change: days meet in the middle of what they say."""
    found = {point.id: said_of(point.role, random) for points in unit.points.values() for point in points}
    for pair in ((follow.MODE, ""), ("shearer.direction", "")):
        for point in unit.points.get(pair, ()):
            one = found[point.id]
            states = np.repeat(random.integers(0, 3, len(one.ts) // 40 + 1), 40)[: len(one.ts)]
            found[point.id] = Signal(one.ts, one.end, states.astype(float), one.good)
    return found


@pytest.mark.parametrize("key", VERSION.categories)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_they_say_the_same(key: str, seed: int) -> None:
    random, category, unit = np.random.default_rng(seed), category_of(key), unit_of(key)
    signals = said(unit, random)
    cuts = np.sort(random.integers(0, SECONDS * S, 8))
    days = [(int(a), int(b)) for a, b in pairwise(cuts) if a < b and random.random() < 0.7]
    reach = int(random.choice([600 * S, 7 * 86_400 * S]))  # it says too little of what it looks far back for, and all
    if not days:
        return
    axis = Axis.of(days, reach + HOLD)
    starts, ends = axis.start - reach, axis.end + reach
    events = {"patrol": axis.lay([PATROL.within(a, b) for a, b in zip(starts, ends, strict=True)])}
    signals_laid = laid(signals, starts, ends, axis.moved)
    many = judge(
        category, UnitFacts(unit, category, lambda point: signals_laid[point.id], RATINGS, events, axis.breaks)
    )
    for number, (day, start, end) in enumerate(zip(days, starts.tolist(), ends.tolist(), strict=True)):
        told = {point: cut(signal, start, end) for point, signal in signals.items()}
        own_events = {"patrol": PATROL.within(start, end)}
        own = judge(category, UnitFacts(unit, category, lambda point, told=told: told[point.id], RATINGS, own_events))
        for (clause, one), (_, other) in zip(
            own.producing + own.intelligent, many.producing + many.intelligent, strict=True
        ):
            for side in ("yes", "no", "doubt"):
                assert getattr(one, side).within(*day) == axis.cut(getattr(other, side))[number], (clause.key, side)
        assert own.stood.within(*day) == axis.cut(many.stood)[number]


def test_a_move_of_another_day_does_not_count() -> None:
    """The test above is worth nothing where no move counts."""
    category, unit = category_of("face"), unit_of("face")
    random = np.random.default_rng(1)
    signals = said(unit, random)
    facts = UnitFacts(unit, category, lambda point: signals[point.id], RATINGS)
    (rule,) = (clause.when for clause in category.intelligent if isinstance(clause.when, Follow))
    assert len(rule.counted(facts).ts) > 50
    assert rule.judge(facts).yes.us() > 0 < rule.judge(facts).no.us()


def test_a_mode_that_is_another_on_another_day_was_not_changed() -> None:
    """That day's own first word of it comes after the day begins."""
    mode = Signal.of_runs(np.array([0, 5, 30]), np.array([5, 9, 39]), np.array([1.0, 2.0, 1.0]))
    breaks = np.array([20])
    assert follow.changes(mode, breaks).tolist() == [5] and follow.changes(mode).tolist() == [5, 30]
