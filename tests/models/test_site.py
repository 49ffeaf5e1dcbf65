"""A right site is loaded whole: units, scales, defaults, limits, order, version."""

import math
from pathlib import Path

import pytest

from models import thing
from models.identity import point_id
from models.site import SiteErrors, examine, load
from models.site.library import LIBRARY
from models.site.model import Kind, Limit, Name, Retention
from tests.models.sites import CONNECTIONS, EQUIPMENT, POINTS, SITE, write

DEMO = Path(__file__).resolve().parents[2] / "simulators" / "mines" / "demo"
SECRETS = {"SEVENONES_OPCUA_PASSWORD": "a", "SEVENONES_MQTT_PASSWORD": "b"}


def test_a_right_site_is_loaded_whole(tmp_path: Path) -> None:
    site = load(write(tmp_path))
    assert (site.code, site.name, site.time_zone) == ("140525000099", Name("测试矿", "Test mine"), "Asia/Shanghai")
    assert [point.path for point in site.points] == [
        "140525000099/belt/flow",
        "140525000099/belt/speed",
        "140525000099/gas/ch4",
        "140525000099/gas/state",
    ]
    assert [point.id for point in site.points] == [point_id(point.path) for point in site.points]
    assert site.gateways() == ("edge1",)
    assert [shift.start for shift in site.shifts] == ["08:00", "20:00"]


def test_scale_and_unit_become_one_factor_and_offset(tmp_path: Path) -> None:
    points = {point.key: point for point in load(write(tmp_path)).points}
    # (raw × 0.5 + 10) kg/s × 3.6 = t/h
    assert points["flow"].unit == "t/h"
    assert 100 * points["flow"].factor + points["flow"].offset == pytest.approx((100 * 0.5 + 10) * 3.6)
    assert (points["ch4"].factor, points["ch4"].offset, points["ch4"].unit) == (0.05, 0.0, "%CH4")


def test_what_a_point_leaves_out_comes_from_defaults_template_and_limit_set(tmp_path: Path) -> None:
    ch4 = next(point for point in load(write(tmp_path)).points if point.key == "ch4")
    assert (ch4.connection, ch4.group, dict(ch4.options)) == ("broker", "default", {"time": "ts"})
    assert (ch4.retention, ch4.silence_s, ch4.kind, ch4.role) == (Retention.STATUTORY, 10.0, Kind.ANALOG, "ch4")
    assert (ch4.low, ch4.high) == (0.0, 100.0)
    assert {(limit.kind, limit.value) for limit in ch4.limits} == {("hi", 1.0), ("hihi", 1.0)}
    assert all(limit.source and limit.effective_from == "2022-04-01" for limit in ch4.limits)
    assert isinstance(ch4.limits[0], Limit)


def test_a_row_overrides_the_template_and_the_defaults(tmp_path: Path) -> None:
    table = (
        "equipment,point,connection,group,address,low,high,dead_band,silence,name_zh,name_en,options\n"
        'belt,speed,plc,slow,hr:9,0.5,6,0.1,5 s,主带速,Main speed,"{""a"": [1]}"\n'
        "belt,current_1,plc,slow,hr:10,,,,,电流,,a=1; b=x\n"
    )
    speed, current = load(write(tmp_path, points__all_csv=table)).points[1::-1]
    assert (speed.low, speed.high, speed.dead_band, speed.silence_s) == (0.5, 6.0, 0.1, 5.0)
    assert (speed.name, dict(speed.options)) == (Name("主带速", "Main speed"), {"a": [1]})
    assert (current.name, dict(current.options)) == (Name("电流", "Motor 1 current"), {"a": 1, "b": "x"})


def test_no_bound_is_nan_and_groups_keep_period_and_phase(tmp_path: Path) -> None:
    table = POINTS + "belt,coal_total,plc,slow,hr:7,uint32,,,,\n"
    site = load(write(tmp_path, points__all_csv=table))
    total = next(point for point in site.points if point.key == "coal_total")
    assert total.low == 0 and math.isnan(total.high)
    fast, slow = site.connections["plc"].groups.values()
    assert (fast.period_s, fast.phase_s, slow.period_s, slow.phase_s) == (0.2, 0.05, 5.0, None)


def test_control_mode_has_the_houses_own_states(tmp_path: Path) -> None:
    site = load(write(tmp_path, points__all_csv=POINTS + "belt,mode,plc,slow,hr:8,uint16,,,,\n"))
    mode = next(point for point in site.points if point.role == "control.mode")
    assert {value: name.en for value, name in mode.states.items()} == {
        0: "unknown", 1: "local", 2: "remote", 3: "auto", 4: "inspection",
    }  # fmt: skip


def test_the_environment_fills_settings(tmp_path: Path) -> None:
    write(tmp_path)
    assert load(tmp_path).connections["plc"].settings["port"] == "502"
    assert load(tmp_path, environment={"PORT": "1502"}).connections["plc"].settings["port"] == "1502"
    write(tmp_path, connections_yaml=CONNECTIONS.replace("127.0.0.1\n", "$${A} ${A:-}-${B:-x:-y}\n"))
    assert load(tmp_path).connections["plc"].settings["host"] == "${A} -x:-y"


def test_a_variable_that_is_not_set_is_a_mistake_or_a_note(tmp_path: Path) -> None:
    write(tmp_path, connections_yaml=CONNECTIONS.replace("${PORT:-502}", "${PORT}"))
    with pytest.raises(SiteErrors) as refused:
        load(tmp_path)
    assert [str(p) for p in refused.value.problems] == [
        "connections.yaml:7: 环境变量 PORT 没有设置 · the environment variable PORT is not set"
    ]

    def wrong(connection: object) -> list[tuple[tuple[str | int, ...], str]]:
        return [(("settings", "port"), "not a number")]

    # The unset port of `plc` is not judged; `broker` has no port, so its settings' line is named.
    report = examine(tmp_path, require_environment=False, check_settings=wrong)
    assert [(problem.file, problem.where) for problem in report.problems] == [("connections.yaml", "14")]
    said = "环境变量 PORT 在此没有设置 · the environment variable PORT is not set here"
    assert next(note.message for note in report.notes) == said


def test_the_version_is_of_what_was_read_and_of_nothing_else(tmp_path: Path) -> None:
    one = load(write(tmp_path)).version
    (tmp_path / "README.md").write_text("words")
    assert load(tmp_path).version == one
    assert load(tmp_path, environment={"PORT": "1"}).version == one
    changed = EQUIPMENT.replace("皮带", "胶带")
    assert load(write(tmp_path, equipment__all_yaml=changed)).version != one


def test_unbound_points_are_notes_and_no_mistakes(tmp_path: Path) -> None:
    report = examine(write(tmp_path))
    assert report.site is not None and not report.problems
    (note,) = (note for note in report.notes if "not bound" in note.message)
    assert (note.file, note.where) == ("equipment/all.yaml", "2")
    unbound = note.message.partition("not bound: ")[2].split(", ")
    assert "coal_total" in unbound and "speed" not in unbound


def test_one_register_may_feed_many_equipments(tmp_path: Path) -> None:
    equipment = EQUIPMENT + "  belt2: {template: belt_conveyor, name: {zh: 二, en: Two}, area: mine}\n"
    table = POINTS + "belt2,speed,plc,fast,hr:0,float32,cdab,,,\n"
    site = load(write(tmp_path, equipment__all_yaml=equipment, points__all_csv=table))
    assert [point.address for point in site.points if point.key == "speed"] == ["hr:0", "hr:0"]


def test_a_site_brings_its_own_template(tmp_path: Path) -> None:
    template = (LIBRARY / "co_sensor.yaml").read_text().replace("id: co_sensor", "id: toy")
    equipment = EQUIPMENT.replace("methane_sensor", "toy").replace("    limit_set: T2\n", "").replace("ch4:", "co:")
    equipment = equipment.replace('"%LEL"', "ppm")
    site = load(write(tmp_path, templates__toy_yaml=template, equipment__all_yaml=equipment))
    assert "140525000099/gas/co" in {point.path for point in site.points}


def test_a_role_that_is_nearly_the_houses_is_noted(tmp_path: Path) -> None:
    template = (LIBRARY / "co_sensor.yaml").read_text().replace("id: co_sensor", "id: toy")
    slip = template.replace("role: sensor.state", "role: sensor.sate")
    (note,) = (n for n in examine(write(tmp_path, templates__toy_yaml=slip)).notes if "vocabulary" in n.message)
    assert str(note).endswith("the role 'sensor.sate' is not in the vocabulary; did you mean 'sensor.state'?")
    assert (note.file, note.where) == ("templates/toy.yaml", str(1 + slip[: slip.index("sensor.sate")].count("\n")))
    own = template.replace("role: sensor.state", "role: toy.colour")
    assert not [n for n in examine(write(tmp_path, templates__toy_yaml=own)).notes if "vocabulary" in n.message]


def test_the_demo_mine_is_right() -> None:
    site = load(DEMO, environment=SECRETS)
    assert site.code.startswith("140525") and 60 <= len(site.points) <= 110
    adapters = {connection.adapter for connection in site.connections.values()}
    assert adapters == {"modbus", "opcua", "mqtt"} and site.gateways() == ("edge1",)
    roles = {point.role for point in site.points}
    assert {"belt.speed", "control.mode", "ch4", "sensor.state", "shearer.position", "sump.level"} <= roles
    statutory = [point for point in site.points if point.retention is Retention.STATUTORY]
    assert {point.role for point in statutory} >= {"ch4", "co"} and all(p.silence_s <= 10 for p in statutory)


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_template_of_the_library_is_whole(path: Path) -> None:
    from models.site.problems import Problems
    from models.site.schema import validate
    from models.site.yamlfile import parse

    problems = Problems()
    document = parse(path.read_text(), path.name, problems)
    assert document is not None
    template = validate(thing.Template, document.data, document, (), problems)
    assert template is not None and not problems.found and template.id == path.stem
    for key, point in template.points.items():
        assert any("一" <= sign <= "鿿" for sign in point.name.zh), key
        assert point.name.en.isascii(), key
        if point.kind is Kind.ANALOG:
            assert point.low is not None and point.high is not None, key


def test_what_runs_is_grey_unless_the_site_says_green(tmp_path: Path) -> None:
    assert load(write(tmp_path / "a")).run_style == "grey"
    assert load(write(tmp_path / "b", site_yaml=f"{SITE}run_style: green\n")).run_style == "green"
