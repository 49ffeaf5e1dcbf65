"""What is asked of points suffices: a category judged by no more than that says what it says of all samples."""

import dataclasses

import numpy as np
import pytest

from models.site.model import Name, Point
from models.spans import Spans
from models.utilisation import asked
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.rules import standard
from models.utilisation.signal import Signal
from models.utilisation.units import Unit
from tests.middleplatform.store.build import site_of
from tests.models.utilisation.test_signal import merged

VERSION = standard().versions[-1]
SECONDS = 4 * 3600
RATINGS = {("machine", "cutting.current"): 100.0}


def point_of(number: int, role: str) -> Point:
    (point,) = site_of({"edge1": ["a"]}).points
    return dataclasses.replace(point, id=number, path=f"p{number}", role=role, equipment="machine", silence_s=40.0)


def unit_of(key: str) -> Unit:
    """A unit with two points of each role, of supports twenty."""
    pairs = sorted(VERSION.categories[key].reads())
    points = {
        pair: tuple(point_of(1000 * n + m, pair[0]) for m in range(20 if pair[1] == "supports" else 2))
        for n, pair in enumerate(pairs)
    }
    return Unit(key, "machine", Name("机", "machine"), ("machine",), points)


def said_of(role: str, random: np.random.Generator) -> Signal:
    """States and sizes as such roles tell them, with bad values and silences."""
    ts = np.cumsum(random.integers(1, 60, SECONDS // 30)) * 1_000_000
    change = random.random(len(ts)) < 0.2
    value = np.maximum.accumulate(np.where(change, np.arange(len(ts)), 0)) * 7919 % 4
    if role in ("cutting.current", "shearer.speed", "belt.speed", "drive.power"):
        value = np.abs(random.normal(0, 15 if role.startswith("cutting") else 1, len(ts)))
    return Signal.of(ts, value.astype(float), np.where(random.random(len(ts)) < 0.03, 0, 192).astype(np.uint8), 40.0)


@pytest.mark.parametrize("key", VERSION.categories)
def test_it_suffices(key: str) -> None:
    random, category, unit = np.random.default_rng(7), VERSION.categories[key], unit_of(key)
    signals = {point.id: said_of(point.role, random) for points in unit.points.values() for point in points}
    events = {"patrol": Spans.of([(3_000_000_000, 9_000_000_000)])}
    levels = asked.of_points(category, unit, UnitFacts(unit, category, lambda point: signals[point.id], RATINGS))
    output = category.output.pair if category.output else None
    assert levels.keys() == {point.id for pair, some in unit.points.items() if pair != output for point in some}
    signals = {number: signals[number] for number in levels}
    reduced = {
        number: merged(signal, None if (of := levels[number]) is None else list(of))
        for number, signal in signals.items()
    }
    assert sum(len(one.ts) for one in reduced.values()) < 0.6 * sum(len(one.ts) for one in signals.values())
    whole, less = (
        judge(category, UnitFacts(unit, category, lambda point, of=of: of[point.id], RATINGS, events))
        for of in (signals, reduced)
    )
    for one, other in zip(whole.producing + whole.intelligent, less.producing + less.intelligent, strict=True):
        assert (one[1].yes, one[1].no) == (other[1].yes, other[1].no), one[0].key
    assert whole.stood == less.stood


def test_levels_of_ratings_and_what_several_ask() -> None:
    category, unit = VERSION.categories["face"], unit_of("face")
    levels = asked.asked(category.conditions(), UnitFacts(unit, category, lambda _: None, RATINGS))
    assert levels["cutting.current", ""] == (20.0,) and levels["shearer.speed", ""] == (0.5,)
    assert levels["control.mode", ""] is None and levels["shearer.support", ""] is None
    assert levels["support.action_source", "supports"] is None
    chamber = VERSION.categories["chamber"]
    facts = UnitFacts(unit_of("chamber"), chamber, lambda _: None)
    assert asked.asked(chamber.conditions(), facts)["personnel.count", ""] == (0.0, 1.0)
    assert asked.merged([{1: (5.0,), 2: (1.0,)}, {1: (2.0, 5.0), 2: None}]) == {1: (2.0, 5.0), 2: None}
    assert asked.together((), (3.0,)) == (3.0,)
