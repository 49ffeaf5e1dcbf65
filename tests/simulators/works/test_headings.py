"""Heading faces: a day's advance, the balance of rock, the records of holes, and what stops the work."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.headings import HeadingsDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.headings.heading import Work
from simulators.physics.headings.part import Headings
from simulators.physics.order import Order

START = 1_770_000_000_000_000
AUTO = Order(produce=True, intelligent=True, mode=3)
HAND = Order(produce=True, mode=1)


def headings(seed: int = 1, order: Order = HAND, **design: object) -> tuple[Headings, Engine]:
    made = HeadingsDesign.model_validate(
        {
            "headings": {
                f"heading_{n}": {"roadheader": f"roadheader_{n}", "rig": f"bolter_{n}", "person_every_h": 1e4, **design}
                for n in (1, 2)
            }
        }
    )
    part = Headings(made, START, np.random.default_rng(seed))
    part.orders = dict.fromkeys(part.names, order)
    part.rig_orders = dict.fromkeys(part.names, order)
    return part, Engine([part], lambda dt: None, start_us=START)


def test_a_heading_goes_on_8_to_20_m_in_a_day_of_two_shifts() -> None:
    part, engine = headings()
    engine.run(14 * 3600)
    assert all(8.0 < advance < 20.0 for advance in part.advance_m.values())
    assert part.advance_m["heading_1"] != part.advance_m["heading_2"]


def test_what_is_cut_is_the_section_times_the_advance() -> None:
    part, engine = headings(section=18.0)
    fallen = [0.0]

    def wire(dt: float) -> None:
        fallen[0] += part.coal_t_per_h["heading_1"] / 3600.0

    engine = Engine([part], wire, start_us=START)
    block = engine.run(6 * 3600)
    wire(1.0)
    expected = 18.0 * 1.55 * part.advance_m["heading_1"]
    assert fallen[0] == pytest.approx(expected, rel=1e-9)
    assert block["roadheader_1!tonnes"][-1] == pytest.approx(expected, rel=1e-9)
    grown = block["roadheader_1.advance_total"][-1] - 640.0
    assert grown == pytest.approx(part.advance_m["heading_1"], rel=1e-6)
    cutting = block["roadheader_1!state"] == Work.CUTTING
    assert np.array_equal(cutting, block["roadheader_1!producing"] > 0)
    assert (block["roadheader_1.cut_current_a"][cutting] > 0.2 * 118).all(), "over a fifth of the rated current"
    assert not block["roadheader_1.cut_current_a"][~cutting].any()


def test_each_row_is_bolted_before_the_next_is_cut() -> None:
    part, engine = headings()
    block = engine.run(8 * 3600)
    holes = [record for record in part.events() if record.equipment == "bolter_1"]
    assert len(holes) == block["bolter_1.bolts_total"][-1]
    rows = [int(record.attributes["row"]) for record in holes]
    assert rows == sorted(rows)
    assert all(rows.count(row) == 10 for row in set(rows[:-10]))
    assert not (block["bolter_1.running"] * block["roadheader_1.cut_running"]).any()
    for record in holes:
        assert 120 <= (record.end_us - record.begin_us) / 1e6 <= 290
        assert 2.3 < float(record.attributes["depth"]) < 2.5
        assert 300 <= float(record.attributes["torque"]) <= 400
    drilling = block["bolter_1.cycle"] == 1
    assert block["bolter_1.hole_depth"][drilling].max() == pytest.approx(2.4, abs=0.05)
    assert part.events() == []


def test_holes_remember_how_they_were_made() -> None:
    part, engine = headings(order=AUTO)
    engine.run(3 * 3600)
    assert {record.attributes["mode"] for record in part.events()} == {3.0}
    part.rig_orders = dict.fromkeys(part.names, HAND)
    engine.run(3 * 3600)
    modes = [record.attributes["mode"] for record in part.events() if record.equipment == "bolter_1"]
    assert modes.count(3.0) <= 1, "but for the hole in which the order changed"


def test_counters_agree_with_the_modes_they_count() -> None:
    part, engine = headings(order=AUTO)
    first = engine.run(1)
    block = engine.run(4 * 3600)
    cut_h = block["roadheader_1!intelligent"].sum() / 3600.0
    counted = block["roadheader_1.auto_cut_time"][-1] - first["roadheader_1.auto_cut_time"][-1]
    assert counted == pytest.approx(cut_h, abs=1e-3)
    part.orders = dict.fromkeys(part.names, Order(produce=True, intelligent=True, mode=2))
    more = engine.run(3600)
    on = more["roadheader_1.remote_time"][-1] - block["roadheader_1.remote_time"][-1]
    assert on == pytest.approx(1.0, abs=1e-3)
    assert not more["roadheader_1.cut_mode"].any()


def test_it_does_not_cut_without_the_belt_and_goes_on_with_it() -> None:
    part, engine = headings()
    engine.run(600)
    part.transport_ready["heading_1"] = False
    block = engine.run(600)
    assert not block["roadheader_1!producing"].any()
    assert block["roadheader_1.pump_running"].all()
    part.transport_ready["heading_1"] = True
    assert engine.run(60)["roadheader_1!producing"].any()


def test_a_lock_takes_all_power_and_work_goes_on_later() -> None:
    part, engine = headings()
    engine.run(600)
    part.power_allowed["heading_1"] = False
    block = engine.run(60)
    assert part.power_kw["roadheader_1"] == part.power_kw["bolter_1"] == 0.0
    assert block["roadheader_1.fault_code"][-1] == 1
    assert part.power_kw["roadheader_2"] > 0
    part.power_allowed["heading_1"] = True
    cutting = engine.run(600)["roadheader_1!producing"]
    assert 60 <= np.flatnonzero(cutting)[0] <= 180


def test_persons_and_emergency_stops() -> None:
    _, engine = headings(order=AUTO)
    engine.run(400)
    engine.disturb("roadheader_1", "person_near", 30.0)
    block = engine.run(60)
    assert block["roadheader_1.person_near"][:29].all()
    assert not block["roadheader_1!producing"][:29].any()
    assert block["roadheader_1!producing"][-1]
    engine.disturb("roadheader_1", "emergency_stop", 1.0)
    block = engine.run(5)
    assert block["roadheader_1.emergency_stop"].all()
    assert not block["roadheader_1.pump_running"].any()
    with pytest.raises(Refused, match="emergency"):
        engine.command("roadheader_1", "command", 1)
    engine.disturb("roadheader_1", "emergency_stop", 0.0)
    engine.command("roadheader_1", "command", 2)
    block = engine.run(300)
    assert not block["roadheader_1.pump_running"].any()
    assert (block["roadheader_1.command"] == 2).all()
    engine.command("roadheader_1", "command", 1)
    assert engine.run(5)["roadheader_1.pump_running"].all()
    engine.command("roadheader_1", "mode_command", 1)
    with pytest.raises(Refused, match="local"):
        engine.command("roadheader_1", "command", 1)
    assert not engine.run(30)["roadheader_1!intelligent"].any()
    with pytest.raises(Refused):
        engine.disturb("bolter_1", "person_near", 1)


def test_any_cut_into_blocks_gives_the_same_headings() -> None:
    def made() -> Engine:
        _, engine = headings(9, order=AUTO, person_every_h=0.2)
        engine.disturb("roadheader_2", "motor_hot", 30)
        return engine

    whole, pieces = made().run(6000), made()
    cut = [pieces.run(n).values for n in (1, 1, 600, 7, 5391)]
    assert np.array_equal(np.concatenate(cut), whole.values)
    assert not np.isnan(whole.values).any()


@pytest.mark.parametrize("design", [{"drill_s": [90, 60]}, {"section": 100}, {"rig": "roadheader_1"}])
def test_an_impossible_heading_is_refused(design: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HeadingsDesign.model_validate(
            {"headings": {"heading_1": {"roadheader": "roadheader_1", "rig": "bolter_1"} | design}}
        )


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0])
def test_a_heartbeat_counts_seconds_whatever_the_step(dt: float) -> None:
    part, _ = headings()
    block = Engine([part], lambda _: None, start_us=START, dt=dt).run(round(60 / dt))
    for machine in ("roadheader_1", "bolter_2"):
        beat = block[f"{machine}.heartbeat"]
        assert beat[-1] - beat[round(10 / dt) - 1] == 50.0
        assert set(np.diff(beat)) <= {0.0, 1.0}
