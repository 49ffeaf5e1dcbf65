"""People at their stations: nobody is lost or counted twice, and the shifts show."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from simulators.design.people import PeopleDesign
from simulators.engine.engine import Engine
from simulators.engine.part import Refused
from simulators.physics.people import People

START = 1_770_000_000_000_000
STATIONS = {
    "station_01": {},
    "station_02": {},
    "station_06": {"place": "face_1", "quota": 12},
    "station_08": {"place": "heading_1"},
    "station_04": {"place": "substation_1", "produce": 0, "maintain": 0, "idle": 0},
}


def people(seed: int = 1) -> tuple[People, Engine]:
    part = People(PeopleDesign.model_validate({"stations": STATIONS}), START, np.random.default_rng(seed))
    return part, Engine([part], lambda dt: None, start_us=START)


def test_who_came_in_and_did_not_go_out_is_underground() -> None:
    part, engine = people()
    for plan in (1, 0, 2, 1, 0):
        part.planned = {"face_1": plan, "heading_1": plan}
        block = engine.run(3600)
        seen = sum(block[f"{name}.persons"][-1] for name in STATIONS)
        assert seen == part.underground == part.entered - part.left
    assert part.left > 0


def test_places_fill_for_the_shift_and_empty_after_it() -> None:
    part, engine = people()
    part.planned = {"face_1": 1, "heading_1": 2}
    block = engine.run(3600)
    assert block["station_06.persons"][-1] == 9
    assert block["station_08.persons"][-1] == 16
    assert 1 <= block["station_01.persons"][-1] + block["station_02.persons"][-1] <= 12
    assert (np.diff(block["station_06.persons"][:60]) <= 1).all(), "they walk there one by one"
    part.planned = {"face_1": 0, "heading_1": 0}
    block = engine.run(3600)
    assert block["station_06.persons"][-1] == 1
    part.inside = {"substation_1": 2}
    assert engine.run(600)["station_04.persons"][-1] == 2


def test_crowds_calls_and_lost_links() -> None:
    part, engine = people()
    part.planned = {"face_1": 1}
    engine.run(1800)
    engine.disturb("station_06", "crowd", 8)
    block = engine.run(900)
    assert block["station_06.persons"][-1] == 17
    assert block["station_06.over_quota"][-1] == 1
    engine.disturb("station_06", "call_for_help", 1)
    engine.disturb("station_08", "link_lost", 1)
    engine.disturb("station_08", "supply_lost", 1)
    block = engine.run(2)
    assert block["station_06.call_for_help"][-1] == 1
    assert (block["station_08.state"][-1], block["station_08.supply"][-1]) == (1, 0)
    with pytest.raises(Refused, match="no place"):
        engine.disturb("station_01", "crowd", 5)


def test_any_cut_into_blocks_gives_the_same_people() -> None:
    def made() -> Engine:
        part, engine = people(3)
        part.planned = {"face_1": 1, "heading_1": 1}
        return engine

    whole, pieces = made().run(3000), made()
    assert np.array_equal(np.concatenate([pieces.run(n).values for n in (1, 1, 600, 7, 2391)]), whole.values)
    assert not np.isnan(whole.values).any()


@pytest.mark.parametrize("design", [{"entrance": "station_9"}, {"stations": {"station_01": {"place": "face_1"}}}])
def test_an_impossible_entrance_is_refused(design: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PeopleDesign.model_validate({"stations": STATIONS} | design)
