"""Fixed chambers: who is inside, what counts as unattended, climate."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.chambers import ChambersDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.chambers import ATTENDED, EMPTY, PATROL, Chambers
from simulators.physics.order import Order

START = 1_770_000_000_000_000
HAND = Order(produce=True, mode=1)


def chambers(seed: int = 1, **chamber: object) -> tuple[Chambers, Engine]:
    made = {"chambers": {"pump_room_1": {"equipment": True}, "substation_1": chamber}}
    part = Chambers(ChambersDesign.model_validate(made), START, np.random.default_rng(seed))
    return part, Engine([part], lambda dt: None, start_us=START)


def test_patrols_come_twice_a_shift_and_leave_the_chamber_unattended() -> None:
    part, engine = chambers()
    block = engine.run(24 * 3600)
    state = block["substation_1!state"]
    assert set(state) == {EMPTY, PATROL}
    assert block["substation_1!intelligent"].all()
    assert block["substation_1!producing"].all()
    patrols = [record for record in part.events() if record.equipment == "substation_1"]
    assert 4 <= len(patrols) <= 7
    for patrol in patrols:
        assert 8 <= (patrol.end_us - patrol.begin_us) / 60e6 <= 25
    inside = sum(patrol.end_us - patrol.begin_us for patrol in patrols) / 1e6
    assert block["substation_1_room.persons"].sum() == pytest.approx(inside, abs=1600)
    assert block["substation_1_room.door"].sum() >= 2 * 8 * len(patrols)


def test_by_hand_somebody_sits_there() -> None:
    part, engine = chambers(patrols=0, attendants=2)
    engine.run(10)
    part.orders["substation_1"] = HAND
    block = engine.run(100)
    assert (block["substation_1!state"] == ATTENDED).all()
    assert not block["substation_1!intelligent"].any()
    assert part.persons["substation_1"] == 2
    assert part.attended == {"pump_room_1": False, "substation_1": True}
    part.orders["substation_1"] = Order(produce=True, intelligent=True, mode=2)
    assert engine.run(10)["substation_1!intelligent"].all()


def test_a_visitor_counts_after_ten_minutes() -> None:
    _, engine = chambers(patrols=0)
    engine.disturb("substation_1_room", "visitor", 1)
    intelligent = engine.run(900)["substation_1!intelligent"]
    assert intelligent[:600].all()
    assert not intelligent[600:].any()
    engine.disturb("substation_1_room", "visitor", 0)
    assert engine.run(10)["substation_1!intelligent"].all()
    with pytest.raises(Refused):
        engine.disturb("nowhere_room", "visitor", 1)


def test_machines_warm_the_chamber() -> None:
    part, engine = chambers(heat_k=10)
    part.heat["substation_1"] = 0.0
    cool = engine.run(4 * 3600)["substation_1_room.temperature"][-1]
    part.heat["substation_1"] = 1.0
    block = engine.run(4 * 3600)
    assert block["substation_1_room.temperature"][-1] - cool == pytest.approx(10, abs=1.5)
    assert ((block["substation_1_room.humidity"] > 50) & (block["substation_1_room.humidity"] < 100)).all()


def test_the_truth_of_an_equipment_is_left_to_it() -> None:
    part, _ = chambers()
    assert "pump_room_1!state" not in part.channels
    assert "pump_room_1_room.persons" in part.channels


def test_any_cut_into_blocks_gives_the_same_chambers() -> None:
    whole, pieces = chambers(4)[1].run(9000), chambers(4)[1]
    cut = [pieces.run(n).values for n in (1, 1, 600, 7, 8391)]
    assert np.array_equal(np.concatenate(cut), whole.values)
    assert not np.isnan(whole.values).any()


@pytest.mark.parametrize("chamber", [{"patrol_min": [20, 10]}, {"patrols": 5}, {"patrol_min": [5, 45]}])
def test_what_is_no_patrol_is_refused(chamber: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChambersDesign.model_validate({"chambers": {"substation_1": chamber}})
