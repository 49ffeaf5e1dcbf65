"""Faults begin and end where they belong: in machines, in the air, at sensors, at devices."""

from __future__ import annotations

import numpy as np
import pytest

from models.site.model import Kind
from simulators.faults.catalogue import FaultError
from simulators.faults.dispatch import Faults
from tests.simulators.faults.parts import START, Box, demo, engine

SITE = demo()
S = 1_000_000


@pytest.fixture
def mine():
    machines, tank = engine()
    box = Box()
    return Faults(SITE, machines, {"belt_plc": box}), machines, tank, box


def test_a_machine_slips_for_a_while_and_then_does_not(mine):
    faults, machines, _, _ = mine
    faults.begin("belt_slip", "belt_101", START, amount=0.3, for_s=5.0)
    slips = []
    for _ in range(8):
        block = machines.run(1)
        slips.append(block["belt_101.slip"][0])
        faults.advance(machines.now_us)
    assert slips == [0.3] * 5 + [0.0] * 3
    assert faults.running() == []


def test_a_place_of_air_may_be_named_plainly(mine):
    faults, machines, tank, _ = mine
    faults.begin("gas_rise", "face_1", START)
    assert tank.there["air_face_1", "gas_rise"] == 12.0
    assert machines.run(1)["air_face_1.gas"][0] == 12.0


def test_a_safety_sensor_breaks_in_its_model_and_any_other_point_on_its_wire(mine):
    faults, machines, _, _ = mine
    faults.begin("broken_wire", "ch4_t0", START)
    assert machines.run(1)["ch4_t0.state"][0] == 128.0
    point = next(p for p in SITE.points if p.kind is Kind.ANALOG and p.equipment == "belt_101")
    faults.begin("freeze", f"{point.equipment}/{point.key}", START)
    values = np.arange(6.0).reshape(3, 2)
    faults.distortions.apply(np.arange(3), values, {point.path: 0})
    assert values[:, 0].tolist() == [0.0, 0.0, 0.0]
    faults.end("freeze", f"{point.equipment}/{point.key}")
    assert len(faults.distortions) == 0


def test_devices_and_links_are_told_by_their_connection(mine):
    faults, _, _, box = mine
    faults.begin("device_hang", "belt_plc", START)
    faults.begin("link_delay", "belt_plc", START + 1, amount=2.5)
    faults.end("device_hang", "belt_plc")
    assert box.told == [("hang", 1.0), ("delay", 2.5), ("hang", 0.0)]
    assert [each.id for each in faults.running()] == ["link_delay"]


def test_beginning_again_changes_how_much_and_for_how_long(mine):
    faults, _, tank, _ = mine
    faults.begin("belt_slip", "belt_101", START, amount=0.4, for_s=5.0)
    faults.begin("belt_slip", "belt_101", START + 2 * S, amount=0.1)
    assert tank.there["belt_101", "slip"] == 0.1
    assert faults.advance(START + 100 * S) == []


@pytest.mark.parametrize(
    ("id_", "target", "options", "words"),
    [
        ("nonsense", "belt_101", {}, "there is no fault 'nonsense'"),
        ("belt_slip", "belt_999", {}, "these can: belt_101"),
        ("belt_deviation", "belt_101", {}, "nothing simulated here can"),
        ("belt_slip", "belt_101", {"amount": 0.94}, "torn in two"),
        ("belt_slip", "belt_101", {"amount": -1.0}, "must be"),
        ("belt_slip", "belt_101", {"for_s": 0.0}, "no possible duration"),
        ("gas_rise", "face_9", {}, "these can: air_face_1"),
        ("device_hang", "belt_plk", {}, "did you mean 'belt_plc'|there is belt_plc"),
        ("device_garbage", "belt_plc", {}, "it can have: hang, delay"),
        ("link_delay", "belt_plc", {"amount": 55.0}, "too long"),
        ("freeze", "belt_101/speeed", {}, "there is no point"),
        ("calibration", "belt_101/speed", {}, "cannot have 'calibration'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_happens(mine, id_, target, options, words):
    faults, _, tank, box = mine
    with pytest.raises(FaultError, match=words):
        faults.begin(id_, target, START, **options)
    assert faults.running() == []
    assert tank.there == {}
    assert box.told == []


def test_what_is_not_there_cannot_end(mine):
    with pytest.raises(FaultError, match="there are: none"):
        mine[0].end("belt_slip", "belt_101")
