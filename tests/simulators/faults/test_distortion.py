"""What broken sensors show, however the steps are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.site.model import Kind
from simulators.faults.catalogue import FaultError
from simulators.faults.distortion import KINDS, Distortions
from tests.simulators.faults.parts import START, demo

SITE = demo()
POINT = next(p for p in SITE.points if p.kind is Kind.ANALOG and np.isfinite(p.high) and np.isfinite(p.low))
STATE = next(p for p in SITE.points if p.kind is Kind.STATE)
COLUMNS = {POINT.path: 1}


def shown(kind: str, amount: float, cut: list[int], steps: int = 60) -> np.ndarray:
    values = np.random.default_rng(3).standard_normal((steps, 2)) + 3.0
    ts = START + 1_000_000 * np.arange(steps, dtype=np.int64)
    distortions = Distortions()
    distortions.begin(POINT, kind, amount)
    at = 0
    for size in [*cut, steps]:
        distortions.apply(ts[at : at + size], values[at : at + size], COLUMNS)
        at += size
    return values


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(KINDS), st.lists(st.integers(1, 20), max_size=5))
def test_any_cut_shows_the_same(kind, cut):
    assert np.array_equal(shown(kind, 2.0, cut), shown(kind, 2.0, []))


def test_each_kind_shows_what_its_sensor_would():
    clean = np.random.default_rng(3).standard_normal((60, 2)) + 3.0
    span = POINT.high - POINT.low
    assert (shown("freeze", 1.0, [])[:, 1] == clean[0, 1]).all()
    assert np.allclose(shown("drift", 3600.0, [])[:, 1] - clean[:, 1], np.arange(60.0))
    assert (shown("broken_wire", 1.0, [])[:, 1] == POINT.low - span / 4).all()
    assert (shown("over_range", 1.0, [])[:, 1] == POINT.high + span / 8).all()
    for kind in KINDS:
        assert np.array_equal(shown(kind, 1.0, [])[:, 0], clean[:, 0]), "a neighbour was touched"


def test_when_it_ends_the_value_is_true_again():
    distortions = Distortions()
    distortions.begin(POINT, "freeze", 1.0)
    distortions.end(POINT)
    values = np.arange(4.0).reshape(2, 2)
    distortions.apply(np.array([1, 2]), values, COLUMNS)
    assert np.array_equal(values, np.arange(4.0).reshape(2, 2))
    assert len(distortions) == 0


def test_what_cannot_go_wrong_so_is_refused():
    with pytest.raises(FaultError, match="no analog value"):
        Distortions().begin(STATE, "freeze", 1.0)
    with pytest.raises(FaultError, match="cannot have 'calibration'"):
        Distortions().begin(POINT, "calibration", 1.0)
