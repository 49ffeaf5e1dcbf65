"""The pump room: figures of the field, the balance of water, the order of starting and stopping, faults."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.drainage import DrainageDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.drainage.control import FLAT, VALLEY
from simulators.physics.drainage.hydraulics import shaft_kw
from simulators.physics.drainage.part import Drainage
from simulators.physics.drainage.pump import Stage
from simulators.physics.order import LOCAL, REMOTE, Order

START = 1_770_000_000_000_000
PEAK = 1


def drainage(seed: int = 1, level: float | None = None, **design: object) -> tuple[Drainage, Engine]:
    part = Drainage(DrainageDesign.model_validate(design), START, np.random.default_rng(seed))
    if level is not None:
        part.level = level
    return part, Engine([part], lambda dt: None, start_us=START)


def test_pump_power_is_that_of_the_worked_examples() -> None:
    assert shaft_kw(280, 86, 0.77) == pytest.approx(85, rel=0.01)
    assert shaft_kw(280, 400, 0.77) == pytest.approx(396, rel=0.01)
    assert shaft_kw(280, 400, 0.77) / 280 == pytest.approx(1.42, rel=0.01)


def test_water_is_neither_made_nor_lost() -> None:
    part, engine = drainage(3, level=4.2)
    before = part.level * part.design.sump_area
    for period in (VALLEY, PEAK, FLAT, VALLEY) * 3:
        part.period = period
        block = engine.run(7200)
    held = part.level * part.design.sump_area - before
    assert part.pumped_m3 > 1000
    assert part.came_m3 - part.pumped_m3 - part.spilled_m3 == pytest.approx(held, abs=1e-6)
    told = block["pump_room_1.water_total"][-1] - sum(290.0 * (3000.0 + 40.0 * n) for n in range(5))
    assert told == pytest.approx(part.pumped_m3, rel=1e-9)


def test_a_pump_is_primed_started_under_pressure_and_opened_and_stopped_backwards() -> None:
    part, engine = drainage(level=3.1)
    block = engine.run(400)
    stage = block["pump_1!state"]
    order = [int(stage[0]), *(int(s) for s, before in zip(stage[1:], stage[:-1], strict=True) if s != before)]
    assert order == [Stage.PRIMING, Stage.STARTING, Stage.OPENING, Stage.RUNNING]
    started = int(np.flatnonzero(stage == Stage.STARTING)[0])
    assert -0.08 <= block["pump_1.suction"][started] <= -0.05
    assert not block["pump_1.flow"][stage == Stage.STARTING].any()
    opening = int(np.flatnonzero(stage == Stage.OPENING)[0])
    assert opening - started <= 10
    assert block["pump_1.pressure"][opening] > 4.0
    running = stage == Stage.RUNNING
    assert block["pump_1.flow"][running][-1] == pytest.approx(302, rel=0.02)
    assert (np.diff(block["pump_room_1.level"][running]) < 0).all()
    part.level = part.design.low
    stage = engine.run(100)["pump_1!state"]
    assert stage[0] == Stage.CLOSING
    assert stage[-1] == Stage.STOPPED
    (cycle,) = part.events()
    assert (cycle.kind, cycle.attributes["pump"]) == ("pump_cycle", 1)


def test_it_pumps_in_the_valley_and_waits_in_the_peak_unless_the_water_stands_high() -> None:
    for period, level, pumps in ((VALLEY, 2.5, 1), (FLAT, 2.5, 0), (FLAT, 3.05, 1), (PEAK, 3.5, 0), (PEAK, 3.9, 2)):
        part, engine = drainage(level=level)
        part.period = period
        assert engine.run(600)["pump_room_1!state"][-1] == pumps, (period, level)
    part, engine = drainage(level=3.5)
    part.period, part.order = PEAK, Order(produce=True, mode=LOCAL)
    assert engine.run(600)["pump_room_1!state"][-1] == 1, "by hand nobody looks at the tariff"


def test_pumps_take_turns() -> None:
    part, engine = drainage()
    for _ in range(5):
        part.level = 3.05
        engine.run(300)
        part.level = part.design.low
        engine.run(200)
    assert [pump.starts for pump in part.pumps] == [5, 0, 0, 0, 0]
    part.pumps[0].hours = 4000.0
    part.level = 3.05
    engine.run(300)
    assert part.pumps[1].starts == 1


@pytest.mark.parametrize(
    ("kind", "amount", "code", "within"),
    [
        ("pump_failure", 1, 8, 5),
        ("valve_stuck", 1, 3, 400),
        ("suction_leak", 1, 1, 400),
        ("bearing_hot", 60, 5, 2000),
        ("winding_hot", 100, 6, 3000),
        ("overload", 0.6, 7, 400),
    ],
)
def test_a_protection_stops_the_pump_and_another_takes_over(kind: str, amount: float, code: int, within: int) -> None:
    part, engine = drainage(level=3.4, repair_min=1)
    engine.disturb("pump_1", kind, amount)
    block = engine.run(within)
    assert block["pump_1.fault_code"][-1] == code
    assert block["pump_1.state"][-1] == 4
    engine.run(300)
    assert part.pumps[1].stage is Stage.RUNNING
    engine.disturb("pump_1", kind, 0)
    engine.run(61)
    assert part.pumps[0].stage is Stage.STOPPED


def test_a_dry_pump_stops_itself() -> None:
    _, engine = drainage(level=3.4)
    engine.run(300)
    engine.disturb("pump_1", "suction_leak", 1)
    assert engine.run(30)["pump_1.fault_code"][-1] == 4


def test_a_surge_fills_the_sump_and_is_pumped_by_two() -> None:
    _, engine = drainage(level=3.7)
    engine.disturb("pump_room_1", "inflow_surge", 400.0)
    block = engine.run(3600)
    assert block["pump_room_1.inflow"].min() > 450
    assert block["pump_room_1!state"].max() == 2
    assert block["pump_room_1.main_flow"][-1] < 2 * block["pump_1.flow"].max(), "two share the friction of the main"


def test_commands_count_in_remote_mode_only() -> None:
    _, engine = drainage(level=2.0)
    with pytest.raises(Refused, match="remote"):
        engine.command("pump_2", "command", 1)
    engine.command("pump_room_1", "mode_command", REMOTE)
    engine.command("pump_2", "command", 1)
    block = engine.run(300)
    assert block["pump_2.state"][-1] == 2
    assert (block["pump_2.command"][-1], block["pump_room_1.mode_command"][-1]) == (1, REMOTE), "they read back"
    engine.command("pump_2", "command", 0)
    assert engine.run(1)["pump_2.state"][-1] == 2, "0 is no command"
    with pytest.raises(Refused, match="not ready"):
        engine.command("pump_2", "command", 1)
    engine.command("pump_2", "command", 2)
    assert engine.run(300)["pump_2.state"][-1] == 0


def test_who_commands_decides_until_the_water_stands_too_high_or_low() -> None:
    part, engine = drainage(level=3.2)
    engine.command("pump_room_1", "mode_command", REMOTE)
    assert engine.run(300)["pump_1.state"][-1] == 2
    engine.command("pump_1", "command", 2)
    assert engine.run(600)["pump_room_1!state"][-1] == 0
    part.level = 3.85
    assert engine.run(600)["pump_room_1!state"][-1] == 2


def test_without_power_nothing_turns() -> None:
    part, engine = drainage(level=3.4)
    engine.run(300)
    part.powered = dict.fromkeys(part.powered, False)
    block = engine.run(10)
    assert block["pump_1.state"][-1] == 0
    assert not any(part.power_kw.values())
    part.powered = dict.fromkeys(part.powered, True)
    assert engine.run(300)["pump_1.state"][-1] == 2


def test_nobody_there_and_not_by_hand_is_intelligent() -> None:
    part, engine = drainage()
    assert engine.run(2)["pump_room_1!intelligent"].all()
    part.attended = True
    assert not engine.run(2)["pump_room_1!intelligent"].any()
    part.attended, part.order = False, Order(produce=True, mode=LOCAL)
    block = engine.run(2)
    assert not block["pump_room_1!intelligent"].any()
    assert block["pump_room_1!producing"].all()


def test_any_cut_into_blocks_gives_the_same_room() -> None:
    def made() -> Engine:
        _, engine = drainage(5, level=3.9)
        engine.disturb("pump_1", "bearing_hot", 60)
        return engine

    whole, pieces = made().run(3000), made()
    cut = [pieces.run(n).values for n in (1, 1, 600, 7, 2391)]
    assert np.array_equal(np.concatenate(cut), whole.values)
    assert not np.isnan(whole.values).any()


@pytest.mark.parametrize(
    "design", [{"low": 3.5}, {"static_head": 600}, {"in_repair": ["pump_9"]}, {"pumps": []}, {"efficiency": 2}]
)
def test_an_impossible_room_is_refused(design: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DrainageDesign.model_validate(design)
