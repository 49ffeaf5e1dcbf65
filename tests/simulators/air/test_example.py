"""A whole mine's air from its sections: it loads, its facts agree with the library, and a shift looks like one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from simulators.design.air import VentilationDesign
from simulators.design.sensing import GasLockDesign, SensorsDesign, kinds, rules
from simulators.engine.engine import Engine
from simulators.physics.air.ventilation import Ventilation
from simulators.physics.sensing.gas_lock import GasLock
from simulators.physics.sensing.sensors import Sensors

ROOT = Path(__file__).parents[3]


def template(name: str) -> dict[str, dict[str, object]]:
    return dict(yaml.safe_load((ROOT / f"models/library/{name}.yaml").read_text(encoding="utf-8")))


MINES = sorted((ROOT / "simulators/mines").glob("*/simulation.yaml"))


def build(path: Path) -> tuple[Engine, Ventilation, Sensors, GasLock]:
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    air = Ventilation(VentilationDesign.model_validate(sections["ventilation"]), np.random.default_rng(1))
    sensors = Sensors(SensorsDesign.model_validate(sections["sensors"]), air, np.random.default_rng(2))
    lock = GasLock(GasLockDesign.model_validate(sections["gas_lock"]), sensors)
    return Engine([air, sensors, lock], lambda dt: None, start_us=0), air, sensors, lock


@pytest.fixture
def mine() -> tuple[Engine, Ventilation, Sensors, GasLock]:
    return build(Path(__file__).parent / "example.yaml")


@pytest.mark.parametrize("path", MINES, ids=lambda path: path.parent.name)
def test_the_mines_that_come_with_it_have_air_to_work_in_without_alarm(path: Path) -> None:
    engine, air, sensors, lock = build(path)
    air.coal_t_per_h[:] = [80.0 if "heading" in name else 1200.0 for name in air.workings]
    block = engine.run(3600)
    states = block.pick([f"{name}.state" for name in sensors.at.sensors])
    alarmed = {name for name, said in zip(sensors.at.sensors, states.T, strict=True) if not np.isin(said, (0, 4)).all()}
    assert alarmed == set()
    assert all(lock.allowed.values())
    for door in air.design.doors:
        assert "door_open" in engine.disturbances()[door]


def test_kinds_of_sensors_are_those_of_the_library() -> None:
    for name, kind in kinds().items():
        points = template(name)["points"]
        assert set(points) - {"state"} == set(kind.points), name
        for key, point in kind.points.items():
            known = points[key]
            assert (known["kind"] == "analog") == (point.resolution is not None), f"{name}.{key}"
            if point.resolution is not None:
                assert point.low >= known["low"], f"{name}.{key}"
                assert point.high <= known["high"], f"{name}.{key}"


def test_every_limit_set_of_the_methane_sensor_has_a_rule_of_the_same_name() -> None:
    assert set(template("methane_sensor")["limit_sets"]) == set(rules())


def test_fans_speak_in_the_keys_of_their_templates(mine: tuple[Engine, Ventilation, Sensors, GasLock]) -> None:
    channels = mine[1].channels
    for name, equipment in (("main_fan", "main_fan_1"), ("auxiliary_fan", "aux_fan_1a")):
        spoken = {each.removeprefix(f"{equipment}.") for each in channels if each.startswith(f"{equipment}.")}
        assert spoken == {key for key, point in template(name)["points"].items() if not point.get("writable")}
        assert {f"{equipment}!{key}" for key in ("state", "mode", "producing", "intelligent", "kwh")} <= set(channels)


def test_a_shift_looks_like_one(mine: tuple[Engine, Ventilation, Sensors, GasLock]) -> None:
    engine, air, _, lock = mine

    def work(minutes: int, **t_per_h: float) -> np.ndarray:
        air.coal_t_per_h[:] = [t_per_h.get(name, 0.0) for name in air.workings]
        block = engine.run(minutes * 60)
        names = [f"ch4_face_{t}.ch4" for t in ("t0", "t1", "t2", "t3")] + ["ch4_heading1_t1.ch4", "ch4_main_return.ch4"]
        return np.append(
            block.pick(names), block.pick(["dust_face.dust", "co_face.co", "temp_face.temperature"]), axis=1
        )

    before = work(30)
    coal = {"face_1": 1100.0, "heading_1": 70.0, "belt_road_101": 1100.0}
    cutting = work(90, **coal)[-1800:].mean(axis=0)
    after = work(90)[-1800:].mean(axis=0)
    idle = before[-600:].mean(axis=0)
    assert np.all(cutting[[0, 1, 2, 4, 5]] > idle[[0, 1, 2, 4, 5]] + [0.1, 0.1, 0.1, 0.05, 0.02])
    assert np.all(after[[0, 1, 2, 4]] < cutting[[0, 1, 2, 4]] - [0.1, 0.1, 0.1, 0.05])
    assert np.all(cutting[:4] < [1.0, 1.0, 1.0, 0.5]), "a quiet shift stays below all alarms"
    assert 1.3 <= cutting[0] / cutting[2] <= 2.0
    assert cutting[6] > idle[6] + 1.0
    assert 24.0 > cutting[7] > 3.0
    assert 22.0 < cutting[8] < 28.0
    assert all(lock.allowed.values())


def test_the_lock_knows_every_machine_once_for_all_its_ranges(
    mine: tuple[Engine, Ventilation, Sensors, GasLock],
) -> None:
    engine, _, _, lock = mine
    engine.disturb("ch4_roadheader1", "broken_wire", 1.0)
    engine.run(5)
    assert not lock.allowed["roadheader_1"]
    assert lock.allowed_range["heading_1"]
    assert lock.allowed["bolter_1"]
    assert lock.allowed["shearer_1"]
