"""The models against the worked examples of the field, and against conservation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.physics import din22101
from simulators.physics.belt import Belt, BeltDesign, State
from simulators.physics.din22101 import Conveyor
from simulators.physics.gas import FaceAir, Gas, Sensor, mix
from simulators.physics.parts import Occurrence, motor_current, s_curve
from simulators.physics.pump_room import PumpRoom, PumpRoomDesign, PumpState, pump_power
from simulators.physics.sensor_state import StatedSensor
from simulators.physics.shearer import Shearer, ShearerDesign
from simulators.physics.shearer import State as ShearerState

DT = 0.1


def rng(number: int = 1) -> np.random.Generator:
    return np.random.default_rng(number)


EXAMPLES = [
    # length, lift, t/h, m/s, kW full, kW empty, kWh/t, kWh/(t·km); moving mass, f, drive efficiency
    (1000, 30, 1500, 3.5, 344, 68, 0.229, 0.229, 61.8, 0.025, 0.85),
    (1500, 0, 1000, 3.15, 208, 81, 0.208, 0.139, 56.0, 0.025, 0.85),
    (1730, 180, 5800, 5.6, 4326, 464, 0.746, 0.431, 190.3, 0.022, 0.90),
]


@pytest.mark.parametrize(
    ("length", "lift", "flow", "speed", "full", "empty", "per_t", "per_tkm", "mass", "f", "eta"), EXAMPLES
)
def test_belt_power_is_that_of_the_worked_examples(
    length: float,
    lift: float,
    flow: float,
    speed: float,
    full: float,
    empty: float,
    per_t: float,
    per_tkm: float,
    mass: float,
    f: float,
    eta: float,
) -> None:
    conveyor = Conveyor(length, lift, mass, f, eta)
    loaded = din22101.power(conveyor, din22101.line_mass(flow, speed), speed)
    assert loaded == pytest.approx(full, rel=0.01)
    assert din22101.power(conveyor, 0.0, speed) == pytest.approx(empty, rel=0.01)
    assert loaded / flow == pytest.approx(per_t, rel=0.01)
    assert loaded / flow / (length / 1000) == pytest.approx(per_tkm, rel=0.01)


def quiet_belt() -> Belt:
    """A belt to which nothing happens."""
    belt = Belt(BeltDesign(), rng())
    for name in belt.protections._events:
        belt.protections._events[name] = Occurrence(math.inf, 1, 1, rng())
    return belt


def run_belt(belt: Belt, seconds: float, feed: float | None = None) -> None:
    for _ in range(round(seconds / DT)):
        if feed is not None:
            belt.feed = feed if belt.running else 0.0
        belt.step(DT)


def test_coal_on_a_belt_is_neither_made_nor_lost() -> None:
    belt = Belt(BeltDesign(), rng(7))
    dice = rng(3)
    for n in range(20_000):
        if n % 500 == 0:
            belt.feed = float(dice.choice([0.0, 400.0, 1500.0, 1900.0]))
        if n in (9000, 12_000):
            belt.run = not belt.run
        belt.step(DT)
    assert belt.fed_kg > 1e5
    assert belt.discharged_kg > 1e4
    assert belt.fed_kg == pytest.approx(belt.discharged_kg + belt.on_belt_kg, rel=1e-9)


def test_coal_arrives_at_the_head_after_length_over_speed() -> None:
    belt = quiet_belt()
    run_belt(belt, 60)
    assert belt.state is State.RUNNING
    waited = 0.0
    while belt.discharged_kg == 0.0 and waited < 600:
        run_belt(belt, DT, 1000.0)
        waited += DT
    assert waited == pytest.approx(1000.0 / 3.5, rel=0.03)  # the belt slips by about 1 %


def test_the_scale_counts_what_passes_within_its_error() -> None:
    belt = quiet_belt()
    run_belt(belt, 60)
    run_belt(belt, 1800, 1200.0)
    run_belt(belt, 400, 0.0)
    assert belt.total_t == pytest.approx(belt.fed_kg / 1000.0, rel=0.01)
    assert belt.total_t != belt.fed_kg / 1000.0


def test_a_loaded_belt_takes_the_power_of_its_steady_state() -> None:
    belt = quiet_belt()
    run_belt(belt, 60)
    empty = belt.power
    run_belt(belt, 700, 1500.0)
    assert empty == pytest.approx(68, rel=0.08)
    assert belt.power == pytest.approx(344, rel=0.05)
    assert belt.flow == pytest.approx(1500, rel=0.05)


def test_a_start_has_no_jerk_and_a_stop_coasts() -> None:
    belt = quiet_belt()
    speeds = []
    for _ in range(600):
        belt.step(DT)
        speeds.append(belt.speed)
    rise = np.diff(speeds[:495])
    assert (rise >= 0).all()
    assert rise.max() < 3.5 / 40 * 1.6 * DT
    belt.run = False
    run_belt(belt, 17)
    assert belt.speed > 0
    run_belt(belt, 3)
    assert (belt.speed, belt.state) == (0.0, State.STOPPED)


def test_each_protection_acts_by_its_criterion() -> None:
    belt = quiet_belt()
    run_belt(belt, 60)
    belt.protections._events["deviation"].left_s = 6.0
    run_belt(belt, 5)
    assert belt.protections.active["deviation"]
    assert not belt.tripped
    run_belt(belt, 5)
    assert not belt.protections.active["deviation"]
    belt.protections._events["deviation"].left_s = 12.0
    run_belt(belt, 12)
    assert belt.tripped
    assert belt.protections.tripped_by == "deviation"
    run_belt(belt, 300)
    assert belt.running, "the crew resets, and it starts again"
    belt.protections._events["slip"].left_s = 8.0
    run_belt(belt, 9)
    assert not belt.tripped, "60 % of the speed is allowed for 10 s"
    belt.protections._events["slip"].left_s = 12.0
    run_belt(belt, 11)
    assert belt.protections.tripped_by == "slip"
    run_belt(belt, 300)
    belt.protections._events["pull_cord"].left_s = 2.0
    run_belt(belt, 0.2)
    assert belt.tripped
    assert belt.protections.active["pull_cord"]
    assert 1 <= belt.protections.cord_number <= 127


def test_coal_that_falls_on_a_standing_belt_piles_up() -> None:
    belt = quiet_belt()
    run_belt(belt, 60)
    belt.protections._events["tear"].left_s = 0.5
    run_belt(belt, 25)
    belt.protections.reset()
    belt.run = False
    belt.feed = 1500.0
    run_belt(belt, 1)
    assert not belt.protections.active["pile_up"]
    run_belt(belt, 4)
    assert belt.protections.active["pile_up"]


def test_shearer_coal_and_currents_are_those_of_the_formulas() -> None:
    design = ShearerDesign(height=3.5, web=0.8, cut_speed=6.0, density=1.4, hardness=0.5)
    shearer = Shearer(design, rng())
    shearer._break = Occurrence(math.inf, 1, 1, rng())
    flows = []
    for _ in range(6000):
        shearer.step(DT)
        flows.append(shearer.coal_flow)
    assert max(flows) == pytest.approx(1411, rel=0.01)
    assert motor_current(500.0, 3300.0) == pytest.approx(107, rel=0.03)


def test_the_shearer_cuts_both_ways_over_the_whole_face_and_is_never_off_it() -> None:
    shearer = Shearer(ShearerDesign(), rng(5))
    shearer._break = Occurrence(math.inf, 1, 1, rng())
    seen, positions, coal = set(), [], 0.0
    for _ in range(int(4.5 * 3600 / DT)):
        shearer.step(DT)
        seen.add(shearer.step_number)
        positions.append(shearer.position)
        coal += shearer.coal_flow * DT / 3600
    assert seen == set(range(1, 15))
    assert min(positions) < 0.1
    assert max(positions) > 199.9
    assert np.abs(np.diff(positions)).max() <= 12.0 / 60 * DT
    webs = coal / (200 * 3.2 * 0.8 * 1.4)
    assert webs == pytest.approx(shearer.webs, abs=1.2)


def test_the_leading_drum_takes_the_roof() -> None:
    shearer = Shearer(ShearerDesign(), rng())
    heights = {1: [], -1: []}
    for _ in range(int(3 * 3600 / DT)):
        shearer.step(DT)
        if shearer.state is ShearerState.CUTTING and abs(shearer.speed) > 4:
            heights[shearer.direction].append((shearer.left_height, shearer.right_height))
    towards_tail, towards_head = (np.median(heights[way], axis=0) for way in (1, -1))
    assert towards_tail[1] - towards_tail[0] > 1.5
    assert towards_head[0] - towards_head[1] > 1.5


def test_a_shearer_without_permission_stops_and_frees_no_coal() -> None:
    shearer = Shearer(ShearerDesign(), rng())
    for _ in range(600):
        shearer.step(DT)
    shearer.permitted = False
    for _ in range(100):
        shearer.step(DT)
    assert (shearer.speed, shearer.coal_flow, shearer.state) == (0.0, 0.0, ShearerState.STOPPED)


def test_pump_power_is_that_of_the_worked_example() -> None:
    assert pump_power(280, 86, 0.77) == pytest.approx(85, rel=0.01)
    assert pump_power(280, 400, 0.77) == pytest.approx(396, rel=0.01)
    assert pump_power(280, 400, 0.77) / 280 == pytest.approx(1.42, rel=0.01)


def test_water_in_the_sump_is_what_came_less_what_went() -> None:
    room = PumpRoom(PumpRoomDesign(), rng(2))
    before = room.volume
    for _ in range(int(2 * 3600 / DT)):
        room.step(DT)
        assert 0 < room.level < 3.0
    assert room.pumped_m3 > 50
    assert room.volume - before == pytest.approx(room.came_m3 - room.pumped_m3, abs=1e-6)


def test_a_pump_primes_starts_and_opens_in_that_order_and_backwards() -> None:
    room = PumpRoom(PumpRoomDesign(), rng())
    room.level = 2.45
    order = [PumpState.STOPPED]
    for _ in range(int(3600 * 2 / DT)):
        room.step(DT)
        pump = room.pumps[0]
        if pump.state is not order[-1]:
            order.append(pump.state)
            if pump.state is PumpState.STARTING:
                assert pump.vacuum <= -0.06
            if pump.state is PumpState.OPENING:
                assert pump.pressure > 1.9
            if len(order) == 7:
                break
    assert [state.name for state in order[1:]] == ["PRIMING", "STARTING", "OPENING", "RUNNING", "CLOSING", "STOPPED"]


def test_more_water_brings_more_pumps_each_giving_less() -> None:
    room = PumpRoom(PumpRoomDesign(inflow=420.0), rng())
    room.level = 3.25
    alone = 0.0
    for _ in range(int(1200 / DT)):
        room.step(DT)
        running = [pump for pump in room.pumps if pump.state is PumpState.RUNNING]
        if len(running) == 1:
            alone = max(alone, running[0].flow)
        if len(running) == 3:
            break
    else:
        raise AssertionError("three pumps never ran")
    for _ in range(300):
        room.step(DT)
    assert max(pump.flow for pump in room.pumps) < 0.95 * alone


def test_methane_settles_where_emission_over_air_says() -> None:
    c = 0.0
    for n in range(int(96 / DT)):
        c = mix(c, volume=2400, air=1500, c_in=0.0, gas=10.0, dt=DT)
        if n == 0:
            first = c
    assert c == pytest.approx(0.667 * (1 - math.exp(-1)), rel=0.01)  # tau is 96 s
    for _ in range(10_000):
        c = mix(c, volume=2400, air=1500, c_in=0.0, gas=10.0, dt=DT)
    assert c == pytest.approx(0.667, rel=0.01)
    assert 0 < first < 0.01
    assert mix(0.0, volume=2400, air=0.0, c_in=0.0, gas=10.0, dt=60.0) == pytest.approx(0.42, rel=0.01)


def test_cutting_raises_the_gas_and_the_corner_has_most() -> None:
    air = Gas(FaceAir(), rng())
    for _ in range(6000):
        air.step(DT)
    idle = air.face
    air.coal_flow = 1000.0
    for _ in range(6000):
        air.step(DT)
    assert air.face > idle * 1.5
    assert 1.2 < air.corner / air.back < 2.2
    air.fan = False
    high = air.face
    for _ in range(3000):
        air.step(DT)
    assert air.face > high + 0.5


def test_a_sensor_shows_90_percent_of_a_step_after_its_t90() -> None:
    sensor = Sensor(rng(), 20.0, 0.0)
    sensor.step(0.0, DT)
    for _ in range(200):
        shown = sensor.step(1.0, DT)
    assert shown == pytest.approx(0.90, abs=0.01)
    assert shown == round(shown, 2)


def test_calibration_gas_is_told_by_the_state_word_until_it_has_left() -> None:
    stated = StatedSensor(Sensor(rng(), 20.0, 0.004, high=10.0), rng(), alarm=1.0, cut_off=1.5, gas=1.8)
    stated._calibrating = Occurrence(math.inf, 1, 1, rng())
    states = []
    for n in range(4000):
        if n == 100:
            stated._calibrating.left_s = 120.0
        stated.step(0.3, DT)
        states.append((stated.shown, stated.state))
    assert max(shown for shown, _ in states) > 1.5
    assert {state for _, state in states} == {0, 4, 5}
    assert {state for shown, state in states if shown >= 1.0} == {5}
    assert states[-1][1] == 0
    for _ in range(600):
        stated.step(1.6, DT)
    assert stated.state == 3, "without calibration it is an alarm and a cut-off"


def test_an_s_curve_goes_from_nothing_to_all() -> None:
    x = np.linspace(-1, 2, 301)
    y = np.array([s_curve(float(part)) for part in x])
    assert (y[0], y[150], y[-1]) == (0.0, 0.5, 1.0)
    assert (np.diff(y) >= 0).all()
