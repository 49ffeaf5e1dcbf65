"""The three simulated mines: whole, of the size they say, and what their descriptions say."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.site.loader import Report
from models.site.model import Kind
from sevenones.site_check import examine
from tools.mines import connections, power
from tools.mines.__main__ import ROOT, main, stale
from tools.mines.description import MINES, read


@pytest.fixture(scope="module", params=MINES)
def mine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def report(mine: str) -> Report:
    return examine(ROOT / mine, environment={})


def test_a_mine_has_no_mistake_and_about_two_thousand_points(report: Report) -> None:
    assert report.problems == []
    assert report.site is not None and 1900 <= len(report.site.points) <= 2300


def test_all_that_is_noted_is_unbound_or_a_password(report: Report) -> None:
    for note in report.notes:
        assert "not bound" in note.message or "_PASSWORD is not set" in note.message, note


def test_the_folder_is_what_the_description_says(mine: str) -> None:
    assert stale(mine) == [], "run python -m tools.mines"


def names(value: object) -> Iterator[str]:
    """The texts of every name in two languages in a file."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            yield from value.values()
        else:
            yield from (text for each in value.values() for text in names(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in names(each))


def test_no_name_has_an_id_in_it(mine: str) -> None:
    told = [
        f"{path.name}: {text}"
        for path in sorted((ROOT / mine).rglob("*"))
        if path.suffix in (".yaml", ".geojson")
        for text in names(yaml.safe_load(path.read_text(encoding="utf-8")))
    ]
    assert len(told) > 500
    assert [text for text in told if re.search(r"[a-z0-9]_[a-z0-9]", text.partition(": ")[2])] == []


def test_a_file_that_was_changed_by_hand_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.mines.__main__.ROOT", tmp_path)
    assert main([]) == 0 and main(["--check"]) == 0
    (tmp_path / "low" / "areas.yaml").write_text("areas: {}\n")
    (tmp_path / "high" / "points" / "more.csv").write_text("equipment\n")
    assert main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "low/areas.yaml" in said and "high/points/more.csv" in said and "middle" not in said.splitlines()[-1]


def test_its_equipment_is_read_over_every_protocol_and_by_three_gateways(report: Report) -> None:
    assert report.site is not None
    read_over = {connection.adapter for connection in report.site.connections.values()}
    assert read_over == {"modbus", "opcua", "mqtt", "sparkplug", "kj", "sql"}
    assert {connection.gateway for connection in report.site.connections.values()} == {"edge1", "edge2", "edge3"}
    transports = {connection.settings.get("transport", "tcp") for connection in report.site.connections.values()}
    assert transports == {"tcp", "rtu-over-tcp"}
    assert {point.order for point in report.site.points} >= {"", "abcd", "cdab", "badc"}


def test_no_two_connections_listen_on_one_port() -> None:
    taken: dict[int, str] = {}
    for name in MINES:
        for connection, (_, port) in connections.ports(read(name)).items():
            shared = "broker" if port % 1000 == 40 else connection
            assert taken.setdefault(port, f"{name}/{shared}") == f"{name}/{shared}"


def test_every_consumer_has_a_meter_and_one_feeder(report: Report) -> None:
    assert report.site is not None
    fed = [name for names in power.FEEDERS.values() for name in names]
    assert len(fed) == len(set(fed))
    for name in fed:
        assert name in report.site.equipment
        assert name.startswith("transformer_") or f"meter_{name}" in report.site.equipment
    behind = [feeder for feeders in power.TRANSFORMERS.values() for feeder in feeders]
    assert len(behind) == len(set(behind)) and set(behind) <= set(power.FEEDERS)
    assert {feeder for feeder in power.FEEDERS if power.substation_of(feeder) >= 2} <= set(behind)


def test_what_can_be_commanded_says_so_in_its_template(report: Report) -> None:
    assert report.site is not None
    written = {point.key for point in report.site.points if point.writable}
    assert written == {"command", "mode_command", "speed_set"}
    for point in report.site.points:
        assert point.writable == point.role.startswith("command.")
        if point.key == "mode_command":
            assert point.kind is Kind.STATE and set(point.states) == {0, 1, 2, 3, 4}


def test_the_mines_have_codes_of_their_own_and_utilisations_far_apart() -> None:
    mines = [read(name) for name in MINES]
    assert len({mine.code for mine in mines}) == 3
    assert all(mine.code[:6] in {"140581", "140525", "140521"} and mine.code[6:9] == "999" for mine in mines)
    means = [sum(mine.utilisation.values()) / 5 for mine in mines]
    assert means == pytest.approx([0.28, 0.55, 0.85])


def test_the_codes_of_the_bureau_are_28_long_and_each_its_own(report: Report) -> None:
    assert report.site is not None
    codes = {
        point.address.partition("#")[0]: point.equipment
        for point in report.site.points
        if point.connection == "safety_files"
    }
    assert all(len(code) == 28 and code.startswith(report.site.code) for code in codes)
    assert len(codes) == len(set(codes.values())) > 40


def test_the_yaml_says_what_was_meant() -> None:
    from tools.mines.text import document

    value = {
        "a": {
            "code": "140525999201",
            "on": "no",
            "n": 1.5,
            "t": "200 ms",
            "中文": "二、三 号",
            "none": "",
            "q": 'a "b"',
        }
    }
    assert yaml.safe_load(document(value, 2)) == value
    assert yaml.safe_load(document(value, 1)) == value


def features(mine: str) -> dict[str, dict[str, Any]]:
    """Every feature of a mine's map by id."""
    found = {}
    for path in sorted((ROOT / mine / "map").glob("*.geojson")):
        found |= {feature["id"]: feature for feature in json.loads(path.read_text(encoding="utf-8"))["features"]}
    return found


def test_the_map_shows_every_equipment_and_every_area(mine: str, report: Report) -> None:
    assert report.site is not None
    shown = {feature["properties"].get("equipment") for feature in features(mine).values()}
    assert set(report.site.equipment) - shown <= {"scale_101", "scale_104"} - shown
    areas = {feature["properties"].get("area") for feature in features(mine).values()}
    assert set(report.site.areas) <= areas | {"mine", "surface", "district_1"}


def test_the_map_has_the_layers_of_a_mine(mine: str) -> None:
    layers = {feature["properties"]["layer"] for feature in features(mine).values()}
    assert layers >= {"boundary", "shaft", "roadway", "face", "heading", "chamber", "goaf", "fault", "seam_contour"}
    assert layers >= {"vent_edge", "vent_node", "fan", "sensor", "belt", "support_line", "power", "pump", "network"}
    assert layers >= {"person_station", "escape_route", "refuge"}


def test_the_air_goes_from_the_intakes_to_the_return_shaft(mine: str) -> None:
    """Following the edges in their direction, the face's air comes from the inclines and ends at the fan."""
    edges = [f["properties"] for f in features(mine).values() if f["properties"]["layer"] == "vent_edge"]
    onward: dict[str, set[str]] = {}
    for edge in edges:
        onward.setdefault(edge["start"], set()).add(edge["end"])
    reached, front = set(), {edge["start"] for edge in edges if edge["road"] == "main_incline"}
    while front:
        reached |= front
        front = {node for at in front for node in onward.get(at, ())} - reached
    last = next(edge["end"] for edge in edges if edge["road"] == "main_return_road" and edge["end"] not in onward)
    assert last in reached
    assert {edge["start"] for edge in edges if edge["road"] == "face_line_1"} <= reached


def test_a_belt_ends_where_the_next_begins_to_carry(mine: str) -> None:
    """A head lies over its next belt, within a few metres, and lengths are those of the simulation."""
    design = yaml.safe_load((ROOT / mine / "simulation.yaml").read_text(encoding="utf-8"))["belts"]["belts"]
    shown = {name: features(mine)[name]["geometry"]["coordinates"] for name in design}
    for name, belt in design.items():
        if "onto" in belt:
            head, (tail, end) = shown[name][-1], shown[belt["onto"]]
            assert _off(head, tail, end) < 60, name
        length = math.dist(shown[name][0], shown[name][-1])
        assert abs(length - belt["length_m"]) < 0.25 * belt["length_m"] + 60, name


def _off(point: list[float], one: list[float], other: list[float]) -> float:
    """How far a point is from the line between two, m, seen from above."""
    (x, y), (x0, y0), (x1, y1) = (position[:2] for position in (point, one, other))
    length = math.dist((x0, y0), (x1, y1))
    share = max(0.0, min(1.0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length**2))
    return math.dist((x, y), (x0 + share * (x1 - x0), y0 + share * (y1 - y0)))


def test_heights_fall_from_the_collar_to_the_seam(mine: str) -> None:
    belt = features(mine)["belt_101"]["geometry"]["coordinates"]
    described = read(mine)
    assert belt[-1][2] == described.origin[2]
    assert belt[-1][2] - belt[0][2] == pytest.approx(described.lift_m, abs=1)
