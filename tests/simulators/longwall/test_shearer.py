"""The shearer against the checked examples, and the laws that it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.design.longwall import LongwallDesign
from simulators.engine.part import Refused
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.cycle import Kind, cycle
from simulators.physics.longwall.seam import Seam, won
from simulators.physics.longwall.shearer import ADJUSTING, CUTTING, STANDBY, STOPPED, Shearer, cutting_power
from simulators.physics.order import Order
from simulators.physics.parts import motor_current

BY_HAND, AUTOMATIC = Order(produce=True), Order(produce=True, intelligent=True, mode=3)


def shearer(seed: int = 1, **own: object) -> Shearer:
    design = LongwallDesign(shearer={"id": "shearer_1", **own})
    rng = np.random.default_rng(seed)
    seam = Seam(120, 1.5, design.height_m, design.web_m, design.shearer.hardness_kwh_per_m3, rng)
    return Shearer(design, seam, Chance(rng))


def push(machine: Shearer) -> None:
    """The conveyor lies against the coal, as after a push."""
    machine.seam.pans[:] = machine.seam.face


def test_the_checked_examples():
    assert won(3.5, 0.8, 6.0) * 1.4 == pytest.approx(1411, abs=0.5)
    assert cutting_power(3.5, 0.8, 6.0, 0.7) == pytest.approx(706, abs=0.5)
    assert 105 <= motor_current(500.0, 3300.0) <= 110


def test_a_full_web_gives_what_the_law_says():
    machine = shearer(cutting_share=0.95, segment_min=240, hardness_kwh_per_m3=0.3)
    for _ in range(120):
        machine.step(1.0, AUTOMATIC, True, True, 0)
    assert machine.speed == pytest.approx(4.0)
    assert machine.coal_t_per_h == pytest.approx(won(3.0, 0.8, 4.0) * 1.4, rel=1e-6)


def test_a_cycle_returns_to_where_it_began():
    steps = cycle(180.0, 30.0, 60.0, 150.0)
    assert len(steps) == 14
    assert [step.target for step in steps if step.kind is Kind.CUT] == [180.0, 0.0]
    assert steps[-1].target == steps[2].target == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 1.0]))
def test_it_never_jumps_and_every_tonne_was_in_the_wall(seed, dt):
    machine = shearer(seed, cutting_share=0.9)
    flow = 0.0
    for n in range(3000):
        before = machine.position
        machine.step(dt, AUTOMATIC if n // 700 % 2 else BY_HAND, n % 900 > 20, True, 0)
        assert abs(machine.position - before) <= machine.design.top_speed / 60.0 * dt + 1e-9
        flow += machine.coal_t_per_h * dt / 3600.0
    solid = sum(machine.seam.face) * machine.seam.pitch * machine.seam.height * machine.density
    assert flow == pytest.approx(machine.cut_t, rel=1e-9) and solid == pytest.approx(flow, rel=1e-9)


def test_without_power_it_stands_at_once():
    machine = shearer(cutting_share=0.95)
    for _ in range(60):
        machine.step(1.0, AUTOMATIC, True, True, 0)
    assert machine.state == CUTTING and machine.power_kw > 100
    machine.step(1.0, AUTOMATIC, False, True, 0)
    assert (machine.state, machine.speed, machine.power_kw, machine.coal_t_per_h) == (STOPPED, 0.0, 0.0, 0.0)


def test_hard_rock_pulls_the_haulage_down():
    machine = shearer(cutting_share=0.95, segment_min=240)
    machine.seam.hard_zone = (0.0, 180.0, 3.0)
    speeds, loads = [], []
    for _ in range(400):
        machine.step(1.0, AUTOMATIC, True, True, 0)
        speeds.append(machine.speed)
        loads.append(max(machine.left_kw, machine.right_kw))
    assert max(speeds) > 3.0 and np.mean(speeds[-100:]) < 0.85 * max(speeds)
    assert np.mean(loads[-100:]) == pytest.approx(machine.design.cut_motor_kw, rel=0.2)


def test_the_shares_of_a_month_look_like_a_real_one():
    machine = shearer(3)
    states = []
    for _ in range(3 * 14 * 3600):
        machine.step(1.0, AUTOMATIC, True, True, 0)
        if machine.kind in (Kind.END, Kind.STRAIGHTEN):
            push(machine)
        states.append(machine.state)
    share = np.bincount(states, minlength=4) / len(states)
    assert 0.40 <= share[CUTTING] <= 0.45
    assert share[STANDBY] > 0.25 and 0.02 < share[STOPPED] < 0.2 and 0.03 < share[ADJUSTING] < 0.2


def test_memory_cutting_replays_what_was_learned_and_counts_corrections():
    machine = shearer(5, cutting_share=0.95, correction_m=0.03)
    learned = list(machine.drums.learned)
    sources = []
    while machine.webs < 3:
        sources.append(machine.step(1.0, AUTOMATIC, True, True, 0))
        if machine.kind in (Kind.END, Kind.STRAIGHTEN):
            push(machine)
    assert machine.drums.corrections == np.count_nonzero(sources) > 0
    changed = np.count_nonzero(np.array(learned) != machine.drums.learned)
    assert 0 < changed < len(learned)


def test_the_ends_are_driven_from_the_console_and_nobody_grips_in_by_hand():
    machine = shearer(6, cutting_share=0.95, override_h=1000)
    modes: dict[Kind, set[int]] = {}
    while machine.webs < 2:
        machine.step(1.0, AUTOMATIC, True, True, 0)
        modes.setdefault(machine.kind, set()).add(machine.mode)
        if machine.kind in (Kind.END, Kind.STRAIGHTEN):
            push(machine)
    assert modes.pop(Kind.CUT) == {3}
    assert all(seen == {2} for seen in modes.values())
    machine.step(1.0, BY_HAND, True, True, 0)
    assert machine.mode == 1 and not machine.intelligent


def test_commands_act_when_the_mode_allows():
    machine = shearer(7, cutting_share=0.95)
    machine.step(1.0, BY_HAND, True, True, 0)
    with pytest.raises(Refused, match="就地"):
        machine.command("speed_set", 3.0)
    machine.command("mode_command", 2)
    machine.command("speed_set", 2.0)
    for _ in range(60):
        machine.step(1.0, BY_HAND, True, True, 0)
    assert machine.mode == 2 and machine.speed == pytest.approx(2.0)
    machine.command("command", 2)
    machine.step(1.0, BY_HAND, True, True, 0)
    assert machine.state == STOPPED
    machine.command("command", 1)
    machine.step(1.0, BY_HAND, True, True, 0)
    assert machine.state != STOPPED
    for key, value in (("speed_set", 99.0), ("command", 7.0), ("mode_command", 9.0), ("paint", 1.0)):
        with pytest.raises(Refused):
            machine.command(key, value)


def test_a_warm_motor_alarms_before_it_trips():
    machine = shearer(8, stop_share=0.0)
    for _ in range(1800):
        machine.step(1.0, AUTOMATIC, True, True, 0)
    assert 40.0 < machine.left_c < 80.0
    machine.hot_c, reached = 80.0, 0
    while machine.left_c < 120.0 and reached < 4 * 3600:
        machine.step(1.0, AUTOMATIC, True, True, 0)
        reached += 1
    assert reached < 3600 and not machine.control.tripped and machine.right_c < 80.0


def test_a_hot_motor_trips_and_stays_off_until_reset():
    machine = shearer(8, cutting_share=0.95, segment_min=240)
    machine.hot_c = 400.0
    for _ in range(3600):
        machine.step(1.0, AUTOMATIC, True, True, 0)
        push(machine)
    assert machine.control.tripped and machine.state == STOPPED
