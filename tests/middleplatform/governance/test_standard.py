"""The standardisation report: each rule finds what breaks it and proposes what would do, and nothing else."""

from __future__ import annotations

import csv
import datetime
import io
import math
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

import simulators
from middleplatform.governance.dictionaries import load
from middleplatform.governance.register import Register
from middleplatform.governance.standard import HEADING, report, rows, rules
from middleplatform.governance.table import as_csv, as_xlsx
from models.dictionaries.read import read
from models.site import load as load_site
from models.site.model import Kind, Name
from sevenones.commands.standard import app

DAY = datetime.date(2026, 6, 1)
DEMO = Path(simulators.__file__).parent / "mines" / "demo"


@pytest.fixture(scope="module")
def site():
    return load_site(DEMO, environment={"SEVENONES_MQTT_PASSWORD": "-", "SEVENONES_OPCUA_PASSWORD": "-"})


@pytest.fixture
def judged(site, tmp_path):
    """The findings of a site of which one point is altered: rule → proposed."""

    def with_point(path: str, **facts: object) -> dict[str, dict | None]:
        points = tuple(replace(p, **facts) if p.path.endswith(path) else p for p in site.points)
        altered = replace(site, points=points)
        before = {(f.point, f.rule) for f in report(site, Register(tmp_path, site).held(DAY), DAY).findings}
        found = report(altered, Register(tmp_path, altered).held(DAY), DAY).findings
        return {f.rule: f.proposed for f in found if (f.point, f.rule) not in before}

    return with_point


def test_the_library_follows_its_own_standard(site, tmp_path):
    found = report(site, Register(tmp_path, site).held(DAY), DAY)
    broken = {f.rule for f in found.findings if rules()[f.rule].severity == "must"}
    assert broken <= {"code", "code_kind", "unit_standard"}, [f for f in found.findings if f.rule in broken][:5]
    assert found.following > 0.6 * found.points
    summary = found.summary()
    assert summary["points"] == len(site.points)
    assert {each["rule"]: each["assessed"] for each in summary["rules"]}["owner"] == 0


@pytest.mark.parametrize(
    ("path", "facts", "wanted"),
    [
        ("belt_101/speed", {"unit": "km/h"}, {"unit_standard": {"field": "unit", "value": "m/s"}}),
        ("belt_101/speed", {"unit": "kW"}, {"unit_fits": {"field": "unit", "value": "m/s"}}),
        ("belt_101/speed", {"role": "belt.sped"}, {"role": {"field": "role", "value": "belt.speed"}}),
        ("belt_101/speed", {"key": "Belt Speed"}, {"key": {"field": "key", "value": "belt_speed"}}),
        ("belt_101/speed", {"name": Name("speed", "Belt speed")}, {"name_zh": {"field": "name_zh", "value": "带速"}}),
        (
            "belt_101/speed",
            {"name": Name("带速(m/s)", "Belt speed")},
            {"name_zh": {"field": "name_zh", "value": "带速"}},
        ),
        ("belt_101/speed", {"name": Name("带速", "带速")}, {"name_en": {"field": "name_en", "value": "belt speed"}}),
        ("methane_t1/ch4", {"sensor_code": ""}, {"code": {"field": "sensor_code", "value": "0001"}}),
        ("methane_t1/ch4", {"sensor_code": "9999"}, {"code_known": {"field": "sensor_code", "value": "0001"}}),
        ("methane_t1/ch4", {"sensor_code": "1008"}, {"code_kind": None}),
        ("methane_t1/ch4", {"low": math.nan}, {"range": None}),
    ],
)
def test_a_rule_finds_what_breaks_it_and_proposes_what_would_do(judged, path, facts, wanted):
    found = judged(path, **facts)
    assert set(found) == set(wanted)
    for rule, proposed in wanted.items():
        if proposed is None:
            assert found[rule] is None
        else:
            assert {name: found[rule][name] for name in proposed} == proposed


def test_a_proposed_unit_says_how_values_are_converted(judged):
    found = judged("belt_101/speed", unit="km/h")["unit_standard"]
    assert found["factor"] == pytest.approx(1 / 3.6) and found["offset"] == 0


def test_two_points_of_one_name_are_told_apart(judged, site):
    speed = next(p for p in site.points if p.path.endswith("belt_101/speed"))
    assert judged("belt_101/flow", name=speed.name)["name_once"]["value"] in {
        f"{speed.name.zh} flow",
        f"{speed.name.zh} speed",
    }


def test_a_kind_that_is_not_the_roles(judged):
    assert judged("belt_101/speed", kind=Kind.COUNTER)["role_kind"] == {"field": "kind", "value": "analog"}


def test_class_and_owner_are_asked_for_once_there_are_any(site, tmp_path):
    facts = {"kind": "owners", "edition": "1", "source": "x", "effective_from": "2026-01-01"}
    load(tmp_path, read(b"applies_to,owner\nequipment:belt_*,Li\n", "o.csv", facts), "olga")
    found = report(site, Register(tmp_path, site).held(DAY), DAY)
    without = {f.point for f in found.findings if f.rule == "owner"}
    assert without == {p.path for p in site.points if not p.equipment.startswith("belt_")}
    assert not any(f.rule == "class" for f in found.findings)
    before = report(site, Register(tmp_path, site).held(datetime.date(2025, 1, 1)), DAY)
    assert not any(f.rule == "owner" for f in before.findings)


def test_tables_hold_text_that_nothing_calculates():
    told = [("=1+1", "-5", "+cmd", "正常")]
    cells = list(csv.reader(io.StringIO(as_csv(("a", "b", "c", "d"), told).decode("utf-8-sig"))))[1]
    assert cells == ["'=1+1", "-5", "'+cmd", "正常"]
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(("a", "b", "c", "d"), told, "t")))
    assert [(cell.value, cell.data_type) for cell in book.active[2]] == [(text, "s") for text in told[0]]


def test_the_report_over_the_api(platform):
    found = platform.get("standard/report").json()
    assert found["points"] == 6 and {each["rule"] for each in found["rules"]} == set(rules())
    assert {f["rule"] for f in found["findings"]} >= {"role", "range"}
    only = platform.get("standard/report", about="range", equipment="pump1").json()
    assert {(f["about"], f["point"].split("/")[1]) for f in only["findings"]} == {("range", "pump1")}
    table = platform.get("standard/report", format="csv")
    assert table.headers["content-disposition"].endswith('.csv"')
    lines = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert lines[0] == list(HEADING) and len(lines) == found["total"] + 1
    book = openpyxl.load_workbook(io.BytesIO(platform.get("standard/report", format="xlsx").content))
    assert book.active.max_row == found["total"] + 1
    assert platform.get("standard/report", about="rubbish").status_code == 400


def test_the_command_writes_the_whole_report(site, tmp_path):
    table = tmp_path / "report.csv"
    done = CliRunner().invoke(
        app, ["report", "--site", str(DEMO), "--home", str(tmp_path), "--to", str(table), "--most", "1"]
    )
    assert done.exit_code == 0, done.output
    assert f"{len(site.points)} 个测点" in done.output
    found = report(site, Register(tmp_path, site).held(DAY), DAY)
    assert len(table.read_text("utf-8-sig").splitlines()) == len(list(rows(found.findings))) + 1
    wrong = CliRunner().invoke(app, ["report", "--site", str(DEMO), "--home", str(tmp_path), "--to", "x.pdf"])
    assert wrong.exit_code == 1 and ".xlsx" in wrong.output
