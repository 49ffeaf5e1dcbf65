"""The mine's own cut-off: in time, only by what was transmitted, and never back too soon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.design.sensing import GasLockDesign
from simulators.engine.part import Refused
from simulators.physics.sensing.gas_lock import CUT, LIVE, WAITING, GasLock
from tests.simulators.air.mine import LOCK, guarded, win


def test_gas_at_the_corner_cuts_the_face_within_two_seconds_and_only_the_face() -> None:
    engine, air, _, lock = guarded(dt=0.5)
    win(air, face_1=1000.0)
    engine.run(600)
    assert lock.allowed == {"shearer_1": True, "afc_1": True, "roadheader_1": True}
    engine.disturb("air_face_1", "gas_rise", 18.0)
    block = engine.run(3600)
    over = (block["ch4_face_t0.ch4"] >= 1.5) | (block["ch4_face_t1.ch4"] >= 1.5) | (block["ch4_face_t2.ch4"] >= 1.0)
    seen = int(np.argmax(over))
    cut = int(np.argmax(block["lock_face_1!commanded"] == 1))
    assert 0 < cut - seen <= 4
    assert lock.allowed == {"shearer_1": False, "afc_1": False, "roadheader_1": True}
    assert block["feed_face.feed"][-1] == 0
    assert block["feed_face.state"][-1] == 0
    assert block["ch4_face_t0.state"][-1] == 2


def test_power_comes_back_only_below_restore_and_after_somebody_closed_it() -> None:
    engine, _, _, _ = guarded()
    engine.disturb("air_face_1", "gas_rise", 30.0)
    engine.run(900)
    engine.disturb("air_face_1", "gas_rise", 0.0)
    block = engine.run(5000)
    state = block["lock_face_1!state"]
    back = int(np.argmax(state == LIVE))
    waiting = int(np.argmax(state == WAITING))
    assert state[0] == CUT
    assert 0 < waiting < back
    assert back - waiting == pytest.approx(600, abs=60)
    for name, restore in (("ch4_face_t0", 1.0), ("ch4_face_t1", 1.0), ("ch4_face_t2", 1.0), ("ch4_face_t3", 0.5)):
        assert block[f"{name}.ch4"][back] < restore


def test_a_heading_without_air_is_cut_and_needs_a_reset_after_air_and_gas_are_well() -> None:
    engine, _, _, lock = guarded()
    engine.run(60)
    engine.disturb("air_heading_1", "aux_fan_stop", 1.0)
    block = engine.run(1800)
    dead = int(np.argmax(block["duct_heading1.duct"] == 0))
    stopped = int(np.argmax(block["fan_state_1a.running"] == 0))
    cut = int(np.argmax(block["lock_heading_1!commanded"] == 1))
    assert 0 <= cut - min(dead, stopped) <= 2
    assert block["aux_fan_1a.wind_lock"][-1] == 1
    assert block["aux_fan_2a.wind_lock"][-1] == 0
    assert not lock.allowed["roadheader_1"]
    with pytest.raises(Refused, match="still locked"):
        engine.command("lock_heading_1", "command", 3)
    engine.disturb("air_heading_1", "aux_fan_stop", 0.0)
    block = engine.run(3600)
    assert block["lock_heading_1!state"][-1] == WAITING
    assert not lock.allowed["roadheader_1"]
    engine.command("lock_heading_1", "command", 3)
    assert engine.run(5)["lock_heading_1!state"][-1] == LIVE
    assert engine.run(5)["aux_fan_1a.wind_lock"][-1] == 0


def test_a_change_to_the_standby_fan_within_the_ducts_inertia_is_noticed_by_the_lock() -> None:
    engine, _, _, _ = guarded()
    engine.run(60)
    engine.disturb("aux_fan_1a", "aux_fan_stop", 1.0)
    block = engine.run(60)
    # No fan runs for the seconds of the change-over: the wind-electric lock does not wait for it.
    assert block["lock_heading_1!commanded"].max() == 1


def test_calibration_gas_does_not_cut_but_a_broken_wire_does() -> None:
    engine, _, sensors, lock = guarded()
    engine.run(60)
    engine.disturb("ch4_face_t1", "calibration", 2.0)
    block = engine.run(300)
    assert block["ch4_face_t1.ch4"][-1] == pytest.approx(2.0, abs=0.05)
    assert lock.allowed["shearer_1"]
    engine.disturb("ch4_face_t1", "calibration", 0.0)
    engine.run(120)
    assert sensors.words.special[sensors.index["ch4_face_t1"]] == 0
    engine.disturb("ch4_face_t2", "broken_wire", 1.0)
    engine.run(5)
    assert not lock.allowed["shearer_1"]
    engine.disturb("ch4_face_t2", "broken_wire", 0.0)
    assert engine.run(1200)["lock_face_1!state"][-1] == LIVE


def test_unmarked_calibration_gas_cuts_as_gas_does() -> None:
    engine, _, _, lock = guarded()
    engine.run(60)
    engine.disturb("ch4_face_t1", "unmarked_calibration", 2.0)
    engine.run(120)
    assert not lock.allowed["shearer_1"]


def test_a_breaker_that_does_not_open_is_feed_abnormal() -> None:
    engine, _, _, lock = guarded()
    assert "feed_abnormal" in engine.disturbances()["feed_face"]
    engine.disturb("feed_face", "feed_abnormal", 1.0)
    engine.run(60)
    assert lock.allowed["shearer_1"]
    engine.disturb("air_face_1", "gas_rise", 30.0)
    block = engine.run(900)
    assert block["lock_face_1!commanded"][-1] == 1
    assert block["feed_face.feed"][-1] == 1
    assert block["feed_face.state"][-1] == 3
    assert lock.allowed["shearer_1"]
    engine.disturb("lock_face_1", "feed_abnormal", 0.0)
    block = engine.run(10)
    assert block["feed_face.feed"][-1] == 0
    assert block["feed_face.state"][-1] == 0
    assert not lock.allowed["shearer_1"]


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 1000))
def test_whatever_the_gas_does_no_range_is_live_two_seconds_after_a_cut_off_value(seed: int) -> None:
    engine, air, sensors, _ = guarded(seed)
    dice = np.random.default_rng(seed)
    mine = [name for name in sensors.cutting if "face_1" in sensors.design.sensors[name].ranges]
    over_s = 0
    for _ in range(14):
        engine.disturb("air_face_1", "gas_rise", float(dice.choice([0.0, 8.0, 25.0])))
        win(air, face_1=float(dice.choice([0.0, 1200.0])))
        block = engine.run(200)
        live = block["lock_face_1!live"]
        over = np.zeros(len(live), bool)
        for name in mine:
            cut = sensors.cut[sensors.cutting.index(name)]
            over |= (block[f"{name}.ch4"] >= cut) & (block[f"{name}.state"] != 4)
        for step, is_over in enumerate(over):
            over_s = over_s + 1 if is_over else 0
            assert over_s <= 2 or not live[step]


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ({"face_1": {"feed": "nobody"}, "heading_1": {}}, "no such sensor"),
        ({"face_1": {}}, "no such range"),
        (
            {"face_1": {}, "heading_1": {"wind": {"heading": "h", "duct": "duct_heading1", "fans": ["fan_state_1a"]}}},
            "no such heading",
        ),
    ],
)
def test_a_lock_that_names_what_is_not_there_is_refused(ranges: dict[str, object], why: str) -> None:
    _, _, sensors, _ = guarded()
    with pytest.raises(ValueError, match=why):
        GasLock(GasLockDesign.model_validate(LOCK | {"ranges": ranges}), sensors)
