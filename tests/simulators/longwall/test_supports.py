"""Supports: the checked forces, the law of their pressure, and how they follow."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.design.longwall import LongwallDesign, SupportsDesign
from simulators.engine.engine import Engine
from simulators.physics.longwall.face import Longwall
from simulators.physics.longwall.moves import ADVANCE, FOLLOW, KEYPAD, PUSH, TOP_UP, SupportAction
from simulators.physics.longwall.shields import leg_force
from simulators.physics.order import Order

AUTOMATIC = Order(produce=True, intelligent=True, mode=3)
QUIET = {"jump_share": 0.0, "leaking_share": 0.0}
STEADY = {"id": "shearer_1", "cutting_share": 0.95, "segment_min": 240}


def face(seed: int = 1, **supports: object) -> tuple[Longwall, Engine]:
    part = Longwall(LongwallDesign(supports={**QUIET, **supports}, shearer=STEADY), np.random.default_rng(seed))
    part.order = AUTOMATIC
    return part, Engine([part], lambda dt: None, start_us=0)


@pytest.mark.parametrize(
    ("bore", "mpa", "kn"), [(400, 31.5, 7917), (400, 43, 10807), (360, 31.5, 6413), (360, 40, 8143)]
)
def test_the_checked_forces(bore, mpa, kn):
    assert leg_force(2, bore, mpa) == pytest.approx(kn, abs=0.5)


def moved(part: Longwall, engine: Engine) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Of a support that advances in the next half hour: its index, left pressure, stroke, action code."""
    at = 50
    while part.shearer.cell < at - 2:
        engine.run(10)
    block = engine.run(1800)
    name = f"support_{at + 1:03d}"
    return at, block[f"{name}.left_leg_pressure"], block[f"{name}.advance_stroke"], block[f"{name}.action"]


def test_lower_advance_raise_then_the_pressure_creeps_up():
    part, engine = face(2)
    _, pressure, stroke, action = moved(part, engine)
    codes = [int(code) for n, code in enumerate(action) if code and (n == 0 or code != action[n - 1])]
    assert codes[:3] == [1, 2, 3] and set(codes[3:]) == {4}
    begin, end = np.flatnonzero(action > 0)[0], np.flatnonzero(action == 3)[-1]
    assert 8 <= end - begin + 1 <= 15
    assert 2 <= (action == 3).sum() <= 5
    assert pressure[begin:end].min() < 5 and pressure[begin - 1] > 27
    assert stroke[begin - 1] == pytest.approx(800, abs=40) and stroke[end] == pytest.approx(0, abs=1)
    assert stroke[-1] == pytest.approx(800, abs=1)
    after = pressure[end + 1 :]
    time = np.arange(len(after))
    slope, set_mpa = np.polyfit(np.log1p(time / 60.0), after, 1)
    assert slope == pytest.approx(1.6, rel=0.3) and set_mpa == pytest.approx(27, abs=2.5)
    residual = after - (set_mpa + slope * np.log1p(time / 60.0))
    assert residual.std() < 0.06
    assert part.design.supports.set_mpa / part.design.supports.yield_mpa == pytest.approx(0.7, abs=0.1)


def test_a_leaking_leg_loses_pressure_and_is_pressed_up_again():
    part, engine = face(3)
    part.order = Order(produce=True, intelligent=True, mode=3)
    before = engine.run(60)["support_100.left_leg_pressure"][-1]
    engine.disturb("support_100", "support_leak", 30.0)
    block = engine.run(1800)
    left, right = block["support_100.left_leg_pressure"], block["support_100.right_leg_pressure"]
    assert left[0] == pytest.approx(before, abs=0.3) and right[600] - left[600] > 3.0
    topped = [e for e in part.events() if e.action == TOP_UP]
    assert {e.support for e in topped} <= {99} and left.min() > 10.0
    engine.disturb("support_100", "support_leak", 0.0)
    assert engine.run(1)["support_100.left_leg_pressure"][0] == pytest.approx(left[-1], abs=0.3)


def test_weighting_adds_a_fifth_to_two_fifths_in_the_middle():
    pressures = []
    for forced in (0.0, 1.0):
        _, engine = face(4, yield_mpa=60.0)
        engine.disturb("face_1", "weighting", forced)
        block = [engine.run(600) for _ in range(6)][-1]
        pressures.append(np.mean([block[f"support_{n:03d}.left_leg_pressure"] for n in range(85, 95)]))
    assert 1.2 <= pressures[1] / pressures[0] <= 1.4


def test_weighting_comes_every_15_to_25_metres():
    part, _ = face(5)
    heavy = []
    for advance in np.arange(0.0, 300.0, 0.05):
        for _ in range(30):
            part._weighting.step(60.0, advance)
        heavy.append(part.weighting > 0.5)
    begins = np.flatnonzero(np.diff(np.array(heavy, int)) == 1) * 0.05
    assert 12 <= len(begins) <= 20
    assert ((np.diff(begins) > 13) & (np.diff(begins) < 27)).all()


def test_the_yield_valve_holds():
    _, engine = face(6, yield_mpa=33.0)
    engine.disturb("face_1", "weighting", 1.0)
    block = [engine.run(600) for _ in range(5)][-1]
    left = np.stack([block[f"support_{n:03d}.left_leg_pressure"] for n in range(70, 110)])
    assert left.max() < 33.8 and (left > 32.5).mean() > 0.3


def test_a_jumping_support_is_moved_by_hand_later():
    part, engine = face(7)
    engine.disturb("support_060", "jumping_support", 1)
    while part.shearer.cell < 110:
        engine.run(60)
    moves = [e for e in part.events() if isinstance(e, SupportAction) and e.action == ADVANCE]
    own = next(e for e in moves if e.support == 59)
    neighbours = [e.step for e in moves if e.support in (58, 60)]
    assert own.source == KEYPAD and own.step > max(neighbours) + 20
    pushes = [e for e in part.events() if isinstance(e, SupportAction) and e.action == PUSH and e.support == 59]
    assert all(push.step > own.step for push in pushes)


def test_the_ends_are_worked_by_hand():
    part, engine = face(8)
    while part.shearer.webs < 2:
        engine.run(60)
    events = [e for e in part.events() if isinstance(e, SupportAction)]
    ends = [e for e in events if e.support < 15 or e.support >= 105]
    assert ends and all(e.source != FOLLOW for e in ends)
    assert {e.support for e in events if e.action == ADVANCE} == set(range(120))
    each = np.bincount([e.support for e in events if e.action == ADVANCE], minlength=120)
    assert each.min() >= 1 and each.max() <= 3


def test_low_pressure_in_the_line_sets_supports_weakly():
    part, engine = face(9)
    engine.disturb("emulsion_1", "emulsion_pressure_low", 9.0)
    engine.run(600)
    _, pressure, _, action = moved(part, engine)
    end = np.flatnonzero(action == 3)[-1]
    assert pressure[end + 1] < 22.5


def test_names_run_on_from_the_first():
    assert SupportsDesign(first="zj_08", count=40).names[:3] == ("zj_08", "zj_09", "zj_10")
    with pytest.raises(ValueError, match="first"):
        SupportsDesign(first="support")
