"""What the mines' simulation.yaml says is what the parts' designs take, and speaks of the site's own equipment."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from models.site.model import Site
from sevenones.site_check import examine
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


DESIGNS = [
    ("utilisation", "crew", "Utilisation", ""),
    ("crew", "crew", "CrewDesign", ""),
    ("belts", "transport", "BeltsDesign", ""),
    ("headings", "headings", "HeadingsDesign", "headings"),
    ("drainage", "drainage", "DrainageDesign", ""),
    ("compressors", "compressors", "CompressorsDesign", ""),
    ("chambers", "chambers", "ChambersDesign", "chambers"),
    ("people", "people", "PeopleDesign", ""),
    ("network", "network", "NetworkDesign", ""),
    ("power", "power", "PowerDesign", ""),
    ("ventilation", "air", "VentilationDesign", ""),
    ("sensors", "sensing", "SensorsDesign", ""),
    ("gas_lock", "sensing", "GasLockDesign", ""),
]
"""Section, module of simulators.design, its model, and the key that the section stands for."""


@pytest.mark.parametrize(("section", "module", "model", "below"), DESIGNS)
def test_a_section_is_what_its_design_takes(
    sections: dict[str, Any], section: str, module: str, model: str, below: str
) -> None:
    design = getattr(pytest.importorskip(f"simulators.design.{module}"), model)
    design.model_validate({below: sections[section]} if below else sections[section])


def test_the_longwalls_are_what_their_design_takes(sections: dict[str, Any]) -> None:
    pytest.importorskip("simulators.design.longwall")
    design = importlib.import_module("simulators.design.longwall").LongwallDesign
    for longwall in sections["longwalls"]:
        assert design.model_validate(longwall).supports.names[-1] == "support_120"


def test_every_section_has_a_design(sections: dict[str, Any]) -> None:
    assert set(sections) == {section for section, *_ in DESIGNS} | {"longwalls"}


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
