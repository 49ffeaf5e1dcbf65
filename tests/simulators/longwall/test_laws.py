"""Laws that hold whatever is ordered, cut off or broken, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.design.longwall import LongwallDesign
from simulators.physics.longwall.face import Longwall
from simulators.physics.longwall.moves import ADVANCE, PUSH, SupportAction
from simulators.physics.longwall.shearer import CUTTING
from simulators.physics.order import Order

ORDERS = (
    Order(),
    Order(inspection=True, mode=4),
    Order(produce=True),
    Order(produce=True, intelligent=True, mode=2),
    Order(produce=True, intelligent=True, mode=3),
)
BREAKS = (None, ("afc_1", "chain_break"), ("loader_1", "chain_break"), ("face_1", "hard_rock"))
happenings = st.lists(
    st.tuples(
        st.integers(20, 250),
        st.sampled_from(ORDERS + ORDERS[2:]),
        st.booleans() | st.just(True),
        st.booleans() | st.just(True),
        st.sampled_from(BREAKS),
    ),
    min_size=2,
    max_size=10,
)


@settings(max_examples=15, deadline=None)
@given(happenings, st.integers(0, 1000), st.sampled_from([0.25, 1.0]))
def test_whatever_happens(happened, seed, dt):
    face = Longwall(LongwallDesign(shearer={"cutting_share": 0.9}), np.random.default_rng(seed))
    row = np.empty(len(face.channels))
    cut_t = coal_t = 0.0
    before = face.position_m
    for steps, order, transport, power, broken in happened:
        face.order, face.transport_ready, face.power_allowed = order, transport, power
        if broken:
            face.disturb(*broken, 2.0)
        for _ in range(steps):
            face.step(dt, row)
            cut_t += face.cut_t_per_h * dt / 3600.0
            coal_t += face.coal_t_per_h * dt / 3600.0
            assert abs(face.position_m - before) <= 0.2 * dt + 1e-9
            before = face.position_m
            if face.shearer.state == CUTTING:
                assert order.produce and power and transport
                assert face.afc.running and face.loader.running and face.crusher.running and face.spray.ready
            if face.afc.on:
                assert face.loader.running and power and transport
            if face.loader.on:
                assert face.crusher.on
            if not power:
                assert all(face.power_kw[name] == 0 for name in ("shearer_1", "afc_1", "loader_1", "crusher_1"))
            assert all(0.0 <= kw < 2500.0 for kw in face.power_kw.values())
        if broken:
            face.disturb(*broken, 0.0)
    on = face.afc.trough.mass + face.loader.trough.mass
    assert cut_t == pytest.approx(face.shearer.cut_t, rel=1e-9, abs=1e-9)
    assert cut_t == pytest.approx(coal_t + on, rel=1e-9, abs=1e-6)
    assert cut_t == pytest.approx(face.seam.won_m3 * 1.4, rel=1e-9, abs=1e-9)
    assert sum(face.afc.trough._cells) == pytest.approx(face.afc.trough.mass, abs=1e-6)
    for pan, shield, wall in zip(face.seam.pans, face.supports.advanced, face.seam.face, strict=True):
        assert pan <= shield + 1e-6 and pan <= wall + 0.8 + 1e-6
        assert -1e-6 <= shield - pan <= 0.8 + 1e-6


@pytest.mark.parametrize("seed", [1, 2])
def test_each_support_advances_and_each_pan_is_pushed_once_a_web(seed):
    face = Longwall(LongwallDesign(shearer={"cutting_share": 0.95}), np.random.default_rng(seed))
    face.order = ORDERS[-1]
    row = np.empty(len(face.channels))
    marks = []
    while face.shearer.webs < 4:
        webs = face.shearer.webs
        face.step(1.0, row)
        if face.shearer.webs != webs:
            marks.append(list(face.supports.advanced))
    webs = np.diff(np.array(marks), axis=0)
    assert np.allclose(webs, 0.8)
    events = [e for e in face.events() if isinstance(e, SupportAction)]
    advances = np.bincount([e.support for e in events if e.action == ADVANCE], minlength=120)
    pushes = np.bincount([e.support for e in events if e.action == PUSH], minlength=120)
    assert np.abs(advances - pushes).max() <= 1
    assert face.advance_m == pytest.approx(4 * 0.8 - 20 / 120 * 0.8, abs=0.02)


@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_ten_days_give_what_the_mine_is_licensed_for():
    face = Longwall(LongwallDesign(), np.random.default_rng(7))
    row = np.empty(len(face.channels))
    producing = ordered = intelligent = 0
    for second in range(10 * 86400):
        face.order = ORDERS[2 + 2 * (second // 7200 % 2)] if second % 86400 < 14 * 3600 else ORDERS[0]
        face.step(1.0, row)
        producing += face.producing
        ordered += face.producing and face.order.intelligent
        intelligent += face.intelligent
    assert face.shearer.cut_t / 10 == pytest.approx(3600.0, rel=0.08)
    assert producing / (10 * 14 * 3600) == pytest.approx(0.42, abs=0.03)
    assert 0.97 * ordered <= intelligent <= ordered
