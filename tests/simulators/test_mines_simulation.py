"""What the mines' simulation.yaml says is what the parts' designs take, and speaks of the site's own equipment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from models.site.model import Site
from sevenones.site_check import examine
from simulators.design.mine import load_design
from simulators.plant.plant import Plant
from tools.mines.__main__ import ROOT
from tools.mines.description import MINES


@pytest.fixture(scope="module", params=MINES)
def mine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sections(mine: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / mine / "simulation.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site(mine: str) -> Site:
    found = examine(ROOT / mine, environment={}).site
    assert found is not None
    return found


def test_the_design_takes_the_whole_file(mine: str, sections: dict[str, Any]) -> None:
    design = load_design(ROOT / mine)
    assert design is not None and set(sections) == design.model_fields_set
    assert design.longwalls[0].supports.names[-1] == "support_120"
    assert design.loads_onto() == {"face_1": "belt_104", "heading_1": "belt_105", "heading_2": "belt_106"}


def test_a_sensor_cuts_in_the_lock_at_what_its_threshold_says(mine: str) -> None:
    """Two lists of one mine's settings: the sensors' own, and the one that alarms are expected by."""
    design = load_design(ROOT / mine)
    assert design is not None and design.sensors is not None
    listed = {one.sensor: one for one in design.thresholds if one.side == "above"}
    for name, sensor in design.sensors.sensors.items():
        if sensor.ranges:
            threshold, levels = listed[name], sensor.levels
            assert (threshold.alarm, threshold.cut, threshold.cut_restore) == (levels.alarm, levels.cut, levels.restore)


@pytest.fixture(scope="module")
def plant(mine: str, site: Site) -> Plant:
    design = load_design(ROOT / mine)
    assert design is not None
    return Plant(site, design, seed=1, start_us=1_790_000_000_000_000)


def test_what_is_read_and_not_commanded_is_simulated(plant: Plant, site: Site) -> None:
    texts = plant.texts()
    missing = [
        name
        for point in site.points
        if not point.role.startswith("command.")
        and (name := f"{point.equipment}.{point.key}") not in plant.columns
        and name not in texts
    ]
    assert missing == []


def test_twenty_minutes_of_the_mine_stays_within_what_its_points_can_be(plant: Plant, site: Site) -> None:
    shown = [point for point in site.points if f"{point.equipment}.{point.key}" in plant.columns]
    columns = [plant.columns[f"{point.equipment}.{point.key}"] for point in shown]
    values = np.concatenate([plant.run(600).values[:, columns] for _ in range(2)])
    assert np.isfinite(values).all()
    least, most = values.min(axis=0), values.max(axis=0)
    outside = {
        f"{point.equipment}/{point.key}: {least[n]:g} … {most[n]:g}"
        for n, point in enumerate(shown)
        if least[n] < point.low
        or most[n] > point.high
        or (point.states and not set(np.unique(values[::7, n])) <= set(point.states))
    }
    assert outside == set()


def test_the_equipment_that_is_simulated_is_the_site_s(sections: dict[str, Any], site: Site) -> None:
    power, lock = sections["power"], sections["gas_lock"]["ranges"].values()
    named = {
        *sections["belts"]["belts"],
        *(belt["scale"] for belt in sections["belts"]["belts"].values() if "scale" in belt),
        *(name for heading in sections["headings"].values() for name in heading.values()),
        *(part["id"] for part in sections["longwalls"][0].values() if isinstance(part, dict) and "first" not in part),
        *sections["drainage"]["pumps"],
        *sections["compressors"]["machines"],
        *sections["people"]["stations"],
        *sections["network"]["switches"],
        *sections["network"]["stations"],
        *power["feeders"],
        *power["transformers"],
        *power["consumers"],
        *(f"meter_{consumer}" for consumer in power["consumers"]),
        *sections["ventilation"]["main_fans"]["names"],
        *(fan for heading in sections["ventilation"]["headings"].values() for fan in heading["fans"]),
        *sections["ventilation"]["doors"],
        *sections["sensors"]["sensors"],
        *(name for cut in lock for name in cut["equipment"]),
        *(name for cut in lock if "wind" in cut for name in (cut["wind"]["duct"], *cut["wind"]["fans"])),
        "meter_incoming", "pump_room_1",
    }  # fmt: skip
    supports = {f"support_{n:03d}" for n in range(1, sections["longwalls"][0]["supports"]["count"] + 1)}
    assert named | supports == set(site.equipment)


def test_sensors_are_of_their_template_and_hang_in_a_place_that_has_air(sections: dict[str, Any], site: Site) -> None:
    air = sections["ventilation"]
    places = {"main_return", *air["roads"], *air["chambers"], *(f"{name}.return" for name in air["districts"])}
    places |= {f"{name}.{part}" for name in air["faces"] for part in ("intake", "face", "corner", "return")}
    places |= {f"{name}.{part}" for name in air["headings"] for part in ("face", "return")}
    for name, sensor in sections["sensors"]["sensors"].items():
        assert site.equipment[name].template == sensor["template"]
        assert "source" in sensor or sensor["place"] in places, name
        assert all(cut in sections["gas_lock"]["ranges"] for cut in sensor.get("ranges", ())), name


def test_a_consumer_s_rating_covers_its_motors(sections: dict[str, Any]) -> None:
    """A feeder is set for what hangs on it; what a machine's motors can take must not be more than that."""
    consumers = sections["power"]["consumers"]
    for name, belt in sections["belts"]["belts"].items():
        motors = belt.get("motors", 2) * belt.get("motor_kw", 250)
        assert consumers[name]["kw"] >= motors, name


def test_coal_finds_its_way_to_the_surface(sections: dict[str, Any]) -> None:
    belts = sections["belts"]["belts"]
    for name in belts:
        at, passed = name, [name]
        while "onto" in belts[at]:
            at = belts[at]["onto"]
            assert at not in passed
            passed.append(at)
            assert belts[at]["capacity_t_per_h"] >= belts[name]["capacity_t_per_h"]
        assert at == "belt_101"


def test_the_mean_of_the_shares_is_what_the_mine_is_known_for(mine: str, sections: dict[str, Any]) -> None:
    shares = sections["utilisation"]
    assert sum(shares.values()) / 5 == pytest.approx({"low": 0.28, "middle": 0.55, "high": 0.85}[mine])
    assert len(set(shares.values())) == 5
