"""The three simulated mines: whole, of the size they say, and what their descriptions say."""

from __future__ import annotations

from pathlib import Path

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
    assert sorted(behind) == [feeder for feeder in sorted(power.FEEDERS) if power.substation_of(feeder) in (2, 3)]


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
