"""The whole face: what goes in comes out, in the right order, however the time is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.design.longwall import LongwallDesign
from simulators.engine.block import Block
from simulators.engine.engine import Engine
from simulators.engine.part import TRUTH, Refused
from simulators.physics.longwall.face import Longwall
from simulators.physics.longwall.moves import ADVANCE, FOLLOW, PUSH, DrumCorrection, Event, SupportAction, Web
from simulators.physics.order import Order

BY_HAND, AUTOMATIC = Order(produce=True), Order(produce=True, intelligent=True, mode=3)
ELECTRIC = ("shearer_1", "afc_1", "loader_1", "crusher_1")


def face(seed: int = 1, dt: float = 1.0, **design: object) -> tuple[Longwall, Engine]:
    part = Longwall(LongwallDesign(**design), np.random.default_rng(seed))
    return part, Engine([part], lambda dt: None, start_us=0, dt=dt)


def day(seed: int, order: Order, **design: object) -> tuple[Longwall, Block]:
    """Eight hours; the machines' channels alone, as those of all supports are half a gigabyte."""
    part, engine = face(seed, **design)
    part.order = order
    names = [name for name in part.channels if not name.startswith("support_")]
    ts, values = [], []
    for _ in range(48):
        block = engine.run(600)
        ts.append(block.ts)
        values.append(block.pick(names))
    return part, Block(np.concatenate(ts), np.concatenate(values), {name: n for n, name in enumerate(names)})


@pytest.fixture(scope="module")
def shift() -> tuple[Longwall, Block, list[Event]]:
    """Eight hours of producing intelligently, nothing goes wrong."""
    part, block = day(11, AUTOMATIC, shearer={"id": "shearer_1", "cutting_share": 0.6})
    return part, block, part.events()


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=2, max_size=6), st.integers(0, 99), st.sampled_from([0.1, 0.5, 1.0]))
def test_any_cut_into_blocks_gives_the_same_face(cut, seed, dt):
    whole, pieces = face(seed, dt), face(seed, dt)
    whole[0].order = pieces[0].order = AUTOMATIC
    expected = whole[1].run(sum(cut)).values
    assert np.array_equal(np.concatenate([pieces[1].run(steps).values for steps in cut]), expected)
    assert np.isfinite(expected).all()


def test_mass_balances(shift):
    part, block, _ = shift
    afc, loader = part.afc, part.loader
    assert part.shearer.cut_t > 1000
    assert part.shearer.cut_t == pytest.approx(afc.out_t + afc.trough.mass, rel=1e-9)
    assert afc.out_t == pytest.approx(loader.out_t + loader.trough.mass, rel=1e-9)
    solid = sum(part.seam.face) * 1.5 * 3.0 * 1.4 - 20 * 0.8 * 1.5 * 3.0 * 1.4
    assert part.shearer.cut_t == pytest.approx(solid, rel=1e-9)
    assert block["shearer_1!tonnes"][-1] == part.shearer.cut_t
    assert block["loader_1!tonnes"][-1] == pytest.approx(loader.out_t)


def test_energy_is_the_sum_of_power(shift):
    _, block, _ = shift
    for equipment in ("afc_1", "loader_1", "crusher_1"):
        used = np.cumsum(block[f"{equipment}.power"]) / 3600.0
        assert np.allclose(block[f"{equipment}!kwh"], used, rtol=1e-9)
        assert np.array_equal(block[f"{equipment}!kwh"], block[f"{equipment}.energy"])
    tonnes = block["shearer_1!tonnes"][-1]
    used = sum(block[f"{equipment}!kwh"][-1] for equipment in ELECTRIC)
    assert 0.8 < used / tonnes < 3.5


def test_what_meters_count_is_what_consumers_took():
    part, engine = face(10)
    part.order = AUTOMATIC
    rows = np.empty((900, len(part.channels)))
    taken = dict.fromkeys(part.power_kw, 0.0)
    for row in rows:
        part.step(1.0, row)
        for name, kw in part.power_kw.items():
            taken[name] += kw / 3600.0
    part.observe(1.0, rows)
    counted = {name: rows[-1, engine.columns[f"{name}!kwh"]] for name in taken}
    assert counted == pytest.approx(taken, rel=1e-9) and min(counted.values()) > 0.5


def test_the_shearer_never_jumps(shift):
    _, block, _ = shift
    assert np.abs(np.diff(block["shearer_1.position"])).max() <= 12.0 / 60.0 + 1e-9
    assert np.abs(np.diff(block["shearer_1.support_number"])).max() <= 1
    cutting = block["shearer_1.speed"] > 0.5
    assert set(np.unique(block["shearer_1.direction"][cutting])) == {1.0, 2.0}


def test_the_supports_see_the_shearer():
    part, engine = face(6, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    block = engine.run(900)
    here = np.stack([block[f"support_{n:03d}.shearer_here"] for n in range(1, 121)], axis=1)
    at = block["shearer_1.support_number"].astype(int) - 1
    assert here[np.arange(len(at)), at].all() and here.sum(axis=1).max() <= 5


def test_started_against_the_flow_of_coal_and_stopped_with_it():
    part, engine = face(2, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    started = engine.run(120)
    first = {
        name: int(np.argmax(started[f"{name}.{key}"] > 0))
        for name, key in zip(ELECTRIC, ("running", "chain_speed", "running", "running"), strict=True)
    }
    assert 0 < first["crusher_1"] < first["loader_1"] < first["afc_1"] < first["shearer_1"]
    part.order = AUTOMATIC
    engine.run(600)
    part.order = Order()
    stopped = engine.run(1200)
    last = {name: int(np.argmin(stopped[f"{name}!kwh"] < stopped[f"{name}!kwh"][-1])) for name in ELECTRIC}
    assert last["shearer_1"] < last["afc_1"] < last["loader_1"] <= last["crusher_1"] < 1199
    assert part.afc.trough.mass + part.loader.trough.mass < 0.1
    assert part.shearer.cut_t == pytest.approx(part.loader.out_t, abs=0.1)


def test_coal_arrives_as_late_as_the_chains_are_long():
    part, engine = face(3, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    block = engine.run(600)
    way = 30.0 / 1.1 + 45.0 / 1.4
    cut, out = (int(np.argmax(block[f"{name}!tonnes"] > 0)) for name in ("shearer_1", "loader_1"))
    assert out - cut == pytest.approx(way, abs=4)


@pytest.mark.parametrize("lost", ["belts", "gas"])
def test_what_has_no_way_on_stops_at_once(lost):
    part, engine = face(4, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    engine.run(400)
    assert part.coal_t_per_h > 100
    part.transport_ready, part.power_allowed = lost != "belts", lost != "gas"
    engine.run(1)
    assert part.power_kw["shearer_1"] == part.power_kw["afc_1"] == part.power_kw["loader_1"] == 0
    assert (part.power_kw["crusher_1"] > 0) is (lost == "belts")
    assert part.power_kw["emulsion_1"] > 0
    on, cut = part.afc.trough.mass + part.loader.trough.mass, part.shearer.cut_t
    engine.run(100)
    assert on > 1 and part.shearer.cut_t == cut and part.coal_t_per_h == 0
    part.transport_ready = part.power_allowed = True
    engine.run(200)
    assert part.shearer.cut_t > cut
    balance = part.loader.out_t + part.afc.trough.mass + part.loader.trough.mass
    assert part.shearer.cut_t == pytest.approx(balance, rel=1e-9)


def actions(part: Longwall, events: list[Event]) -> list[SupportAction]:
    zone = part.design.supports.end_zone
    within = range(zone, part.design.supports.count - zone)
    return [e for e in events if isinstance(e, SupportAction) and e.support in within and e.action in (ADVANCE, PUSH)]


def test_supports_follow_the_shearer_by_themselves(shift):
    part, block, events = shift
    taken = actions(part, events)
    automatic = [e for e in taken if e.source == FOLLOW]
    assert len(taken) > 300 and len(automatic) >= 0.9 * len(taken)
    at, step = block["shearer_1.support_number"], block["shearer_1.step"]
    for event in automatic:
        now = event.step - 1
        towards = 1 if step[now] in (6, 7, 10, 11, 5) else -1
        behind = (at[now] - 1 - event.support) * towards
        if event.action == ADVANCE:
            assert 6 <= behind <= 22, event
    webs = [e for e in events if isinstance(e, Web)]
    assert [web.number for web in webs] == list(range(1, len(webs) + 1)) and len(webs) >= 4
    assert all(web.tonnes == pytest.approx(3.0 * 0.8 * 180.0 * 1.4, rel=0.01) for web in webs[1:])


def test_corrections_of_the_drums_are_logged(shift):
    part, block, events = shift
    corrections = [e for e in events if isinstance(e, DrumCorrection)]
    assert len(corrections) == part.shearer.drums.corrections > 0
    for event in corrections:
        assert block["shearer_1.mode"][event.step - 1] == 3
        assert block["shearer_1.position"][event.step - 1] == event.position


def test_what_was_commanded_can_be_read_back():
    part, engine = face(7)
    part.order = AUTOMATIC
    engine.run(5)
    engine.command("afc_1", "mode_command", 2)
    engine.command("afc_1", "command", 2)
    engine.command("shearer_1", "speed_set", 3.0)
    block = engine.run(5)
    assert (block["afc_1.mode_command"] == 2).all() and (block["afc_1.command"] == 2).all()
    assert (block["shearer_1.speed_set"] == 3.0).all() and (block["afc_1.mode"] == 2).all()
    for equipment, key, value in (("afc_1", "speed_set", 1), ("afc_1", "command", 8), ("support_001", "command", 1)):
        with pytest.raises(Refused):
            engine.command(equipment, key, value)


def test_a_stopped_conveyor_stops_what_feeds_it_until_it_is_started():
    part, engine = face(8, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    engine.run(300)
    engine.command("loader_1", "command", 2)
    engine.run(2)
    assert part.power_kw["shearer_1"] == part.power_kw["afc_1"] == part.power_kw["loader_1"] == 0
    engine.run(120)
    assert part.power_kw["loader_1"] == 0
    engine.command("loader_1", "command", 1)
    engine.run(120)
    assert part.power_kw["shearer_1"] > 0


def test_by_hand_is_by_hand():
    part, block = day(12, BY_HAND)
    taken = actions(part, part.events())
    assert sum(e.source != FOLLOW for e in taken) >= 0.15 * len(taken) > 20
    assert set(np.unique(block["shearer_1.mode"])) == {1.0}
    assert block["face_1!producing"].mean() > 0.3 and not block["face_1!intelligent"].any()


def test_truth_of_the_three_machines(shift):
    part, block, _ = shift
    producing = block["face_1!producing"] > 0
    assert (block["shearer_1.speed"][producing] > 0.5).all()
    assert (block["shearer_1.left_cut_current"][producing] > 0.2 * part.shearer.rated_a).all()
    assert (block["afc_1!state"][producing] == 2).all()
    intelligent = block["face_1!intelligent"] > 0
    assert intelligent.sum() >= 0.93 * producing.sum() and producing[intelligent].all()
    assert np.isin(block["shearer_1!mode"][intelligent], (2, 3)).all()
    known = {name.partition("!")[2] for name in part.channels if "!" in name}
    assert known - {"weighting", "follow_share"} == set(TRUTH)


def test_a_loaded_crusher_draws_more_than_fifty_amperes(shift):
    _, block, _ = shift
    flow = np.diff(block["loader_1!tonnes"], prepend=0.0) * 3600.0
    steady = np.convolve(flow > 500, np.ones(30), "full")[: len(flow)] == 30
    current = block["crusher_1.current"]
    assert steady.sum() > 1000 and (current[steady] > 50).mean() > 0.95
    assert 0 < current[(flow == 0) & (block["crusher_1.running"] > 0)].mean() < 50


def test_pressure_and_demand(shift):
    _, block, _ = shift
    pressure = block["emulsion_1.pressure"][600:]
    assert np.quantile(pressure, 0.01) >= 30.0 - 0.2 and pressure.max() < 33.0
    assert 3.0 < block["emulsion_1.concentration"].mean() < 5.0
    assert block["emulsion_1.tank_level"].min() > 66.7


def test_faults_show():
    part, engine = face(5, shearer={"id": "shearer_1", "cutting_share": 0.95})
    part.order = AUTOMATIC
    engine.run(300)
    engine.disturb("afc_1", "chain_break", 1)
    broken = engine.run(30)
    assert broken["afc_1.chain_break"].all() and not broken["afc_1!producing"][2:].any() and not part.shearer.on
    engine.disturb("afc_1", "chain_break", 0)
    engine.run(100)
    assert part.shearer.on
    engine.disturb("emulsion_1", "emulsion_pressure_low", 6)
    assert engine.run(120)["emulsion_1.pressure"][-60:].max() < 27
    engine.disturb("face_1", "weighting", 1)
    engine.run(1500)
    assert part.weighting > 0.9
    for equipment, kind, amount in (("afc_1", "flood", 1), ("ghost_1", "chain_break", 1), ("afc_1", "chain_break", -1)):
        with pytest.raises(Refused):
            engine.disturb(equipment, kind, amount)


def test_designs_that_cannot_be_are_refused():
    for wrong in (
        {"height_m": 20},
        {"supports": {"count": 45}},
        {"afc": {"id": "afc_1", "length_m": 90}},
        {"colour": 1},
    ):
        with pytest.raises(ValueError, match=r"length|height|snake|colour"):
            LongwallDesign(**wrong)
