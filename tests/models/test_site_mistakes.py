"""Every mistake of a site is found in one go, each at its line or cell."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.site import SiteErrors, examine, load
from models.site import bindings as bindings_module
from models.site import files as files_module
from models.site.model import Connection, Point
from models.site.problems import MAX_PROBLEMS
from tests.models.sites import AREAS, CONNECTIONS, EQUIPMENT, POINTS, SITE, english, write

PLANTED = {
    "site_yaml": """\
code: 14052500009
nme: {zh: 矿, en: Mine}
capacity_kt: much
gas_class: lwo
time_zone: Asia/Jincheng
shifts:
  - {name: {zh: 早班, en: early}, start: 8 o'clock, end: 20:00}
run_style: red
""",
    "areas_yaml": """\
areas:
  mine: {name: {zh: 矿, en: Mine}}
  Face: {name: {zh: 面, en: Face}, parent: mine}
  roadway: {name: {zh: 巷道}, parent: mine}
  hole: {name: {zh: 洞, en: Hole}, parent: mien}
  a: {name: {zh: 甲, en: A}, parent: b}
  b: {name: {zh: 乙, en: B}, parent: a}
""",
    "connections_yaml": """\
connections:
  plc:
    gatway: edge1
    gateway: edge1
    adapter: modbus
    settings: {host: "${HOST}"}
    groups:
      fast: {period: 1, phase: 2}
  slow_plc:
    gateway: edge1
    adapter: modbus
    groups: {slow: {period: 0}}
  good:
    gateway: edge1
    adapter: modbus
    groups: {fast: {period: 1}, slow: {period: 5 s}}
""",
    "equipment__all_yaml": """\
equipment:
  belt: {template: belt_conveyor, name: {zh: 皮带, en: Belt}, area: mine}
  belt_2: {template: belt_conveyer, name: {zh: 皮带, en: Belt}, area: mine}
  belt_3: {template: belt_conveyor, name: {zh: 皮带, en: Belt}, area: mime}
  gas:
    template: methane_sensor
    limit_set: T9
    name: {zh: 甲烷, en: Methane}
    area: mine
  gas_2:
    template: methane_sensor
    name: {zh: 甲烷, en: Methane}
    area: mine
    defaults: {connection: good, group: slow}
    points:
      ch4: {address: a, silence: 30}
      state: {addres: b}
      co: {address: c}
""",
    "equipment__more_yaml": """\
equipment:
  belt: {template: belt_conveyor, name: {zh: 皮带, en: Belt}, area: mine}
""",
    "points__all_csv": """\
equipment,point,connection,group,address,type,order,scale,offset,unit,low,high,dead_band,silence,colour
belt,speed,good,fast,hr:0,float32,cdab,,,,,,,,
belt,sped,good,fast,hr:2,float32,cdab,,,,,,,,
bolt,speed,good,fast,hr:4,float32,cdab,,,,,,,,
belt,flow,god,fast,hr:6,float32,cdab,,,,,,,,
belt,power,good,fats,hr:8,float32,cdab,,,,,,,,
belt,speed,good,fast,hr:10,float32,cdab,,,,,,,,
belt,current_1,good,fast,hr:12,float32,cdab,one,,,,,,,
belt,current_2,good,fast,hr:14,float32,cdab,,,kV,,,,,
belt,tension,good,fast,hr:0,int16,cdab,,,,,,,,
belt,drum_temp,good,fast,hr:16,float32,cdab,,,,90,20,,,
belt,motor_temp_1,good,fast,hr:18,float32,cdab,,,,,,-1,,
belt,motor_temp_2,good,fast,,float32,cdab,,,,,,,,
belt,fault_code,good,fast,hr:22,float32,cdab,0,,,,,,,
belt,energy,good,,hr:24,float32,cdab,,,,,,,soon,
belt,coal_total,good,,hr:26,float32,cdab,,,,,,,,
belt,,good,fast,hr:28,float32,cdab,,,,,,,,
belt,slip,good,fast,hr:30,bool,,,,,,,,,red,extra
""",
}

EXPECTED = [
    ("site.yaml", "1", "14052500009 is not a mine code: 12 digits"),
    ("site.yaml", "2", "unknown key 'nme'; did you mean 'name'?"),
    ("site.yaml", "1", "'name' is missing"),
    ("site.yaml", "3", "'capacity_kt' must be a whole number, got 'much'"),
    ("site.yaml", "4", "'gas_class' must be one of 'low', 'high' or 'outburst', got 'lwo'"),
    ("site.yaml", "5", "there is no time zone 'Asia/Jincheng'; for China write Asia/Shanghai"),
    ("site.yaml", "7", "is not a time of day such as 08:00"),
    ("site.yaml", "8", "'run_style' must be one of 'grey' or 'green', got 'red'"),
    ("areas.yaml", "3", "the area id 'Face' is not 1 to 40 of a-z, 0-9, _ and -"),
    ("areas.yaml", "4", "'en' is missing"),
    ("areas.yaml", "5", "there is no area 'mien'; did you mean 'mine'?"),
    ("areas.yaml", "6", "the area 'a' lies within itself"),
    ("areas.yaml", "7", "the area 'b' lies within itself"),
    ("connections.yaml", "3", "unknown key 'gatway'; did you mean 'gateway'?"),
    ("connections.yaml", "6", "the environment variable HOST is not set"),
    ("connections.yaml", "12", "'period' must be above 0, got 0"),
    ("equipment/all.yaml", "3", "there is no template 'belt_conveyer'; did you mean 'belt_conveyor'?"),
    ("equipment/all.yaml", "4", "there is no area 'mime'; did you mean 'mine'?"),
    ("equipment/all.yaml", "7", "the template 'methane_sensor' has no limit set 'T9'"),
    ("equipment/all.yaml", "16", "a statutory point may be silent for 10 s at most, not 30 s"),
    ("equipment/all.yaml", "17", "unknown key 'addres'; did you mean 'address'?"),
    ("equipment/all.yaml", "18", "the template 'methane_sensor' has no point 'co'"),
    ("equipment/more.yaml", "2", "the equipment 'belt' is here twice; first at equipment/all.yaml:2"),
    ("points/all.csv", "O1", "unknown column 'colour'"),
    ("points/all.csv", "B3", "has no point 'sped'; did you mean 'speed'?"),
    ("points/all.csv", "A4", "there is no equipment 'bolt'; did you mean 'belt'?"),
    ("points/all.csv", "C5", "there is no connection 'god'; did you mean 'good'?"),
    ("points/all.csv", "D6", "the connection 'good' has no group 'fats'; did you mean 'fast'?"),
    ("points/all.csv", "B7", "belt/speed is bound twice; first at points/all.csv:B2"),
    ("points/all.csv", "H8", "'scale' must be a number, got 'one'"),
    ("points/all.csv", "J9", "'kV' cannot become 'A': they measure different things"),
    ("points/all.csv", "F10", "hr:0 is read as type 'int16' here and as 'float32' at points/all.csv:B2"),
    ("points/all.csv", "K11", "low 90 is above high 20 degC"),
    ("points/all.csv", "M12", "'dead_band' must be at least 0, got '-1'"),
    ("points/all.csv", "E13", "belt/motor_temp_2 has no address"),
    ("points/all.csv", "H14", "a scale of 0 makes every value the same"),
    ("points/all.csv", "N15", "'soon' is not a time span"),
    ("points/all.csv", "D16", "the group is missing: 'good' has fast, slow"),
    ("points/all.csv", "B17", "the point is missing"),
    ("points/all.csv", "P18", "a cell beyond the last column"),
]


def test_every_planted_mistake_is_found_at_its_place_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(SiteErrors) as refused:
        load(write(tmp_path, **PLANTED))
    found = [(problem.file, problem.where, problem.message) for problem in refused.value.problems]
    left = list(found)
    for file, where, words in EXPECTED:
        match = next((entry for entry in left if entry[:2] == (file, where) and words in entry[2]), None)
        assert match is not None, f"{file}:{where}: {words}\nnot among\n" + "\n".join(map(str, left))
        left.remove(match)
    assert left == []
    assert f"{len(found)} problems" in str(refused.value)


def only(folder: Path, **arguments: object) -> str:
    """The one problem of a site."""
    (problem,) = examine(folder, **arguments).problems  # type: ignore[arg-type]
    return str(problem)


Spoil = Callable[[str], str]


@pytest.mark.parametrize(
    ("files", "expected"),
    [  # a row is a spoilt file and the beginning of what must be said of it
        ({"site_yaml": SITE + "code: 1\n"}, "site.yaml:9: the key 'code' is here twice; first in line 1"),
        (
            {"site_yaml": SITE.replace("20:00}\n  - ", "21:00}\n  - ")},
            "site.yaml:6: the shifts '早班' and '晚班' overlap",
        ),
        ({"areas_yaml": "areas: [1\n"}, "areas.yaml:2: not YAML"),
        ({"areas_yaml": AREAS.replace("zh: 矿", "zh: &a 矿")}, "areas.yaml:2: anchors (&a) are not used"),
        ({"areas_yaml": AREAS + "area: {}\n"}, "areas.yaml:4: unknown key 'area'; did you mean 'areas'?"),
        ({"site_yaml": SITE.encode("gb18030")}, "site.yaml:2: is not UTF-8: save it as UTF-8"),
        ({"points__all_csv": POINTS.encode("utf-16")}, "points/all.csv: is UTF-16"),
        ({"points__all_csv": POINTS.encode() + b"\xff\xff\xff"}, "points/all.csv: is neither UTF-8 nor GBK"),
        ({"points__all_csv": "a\0b"}, "points/all.csv: has NUL characters"),
        ({"points__all_csv": POINTS.replace("point,", "pt,", 1)}, "points/all.csv:B1: unknown column 'pt'"),
        ({"points__all_xlsx": b"PK rubbish"}, "points/all.xlsx: is not an Excel workbook (.xlsx) that can be read"),
        ({"point__all_csv": POINTS}, "point: is not read; did you mean 'points'?"),
        ({"equipment__all_yaml": EQUIPMENT + "  9x!: 3\n"}, "equipment/all.yaml:12: the equipment id '9x!'"),
        (
            {"equipment__all_yaml": EQUIPMENT.replace('{address: "mine/gas#s"}', "7")},
            "equipment/all.yaml:11: a binding",
        ),
        (
            {"connections_yaml": CONNECTIONS.replace("${PORT:-502}", "${9}")},
            "connections.yaml:7: '${9}' is not ${NAME}",
        ),
        (
            {"connections_yaml": CONNECTIONS.replace("200 ms", "200 m")},
            "connections.yaml:9: '200 m' is not a time span",
        ),
        (
            {"connections_yaml": CONNECTIONS.replace("50 ms", "0.2")},
            "connections.yaml:9: the phase 0.2 s must be below",
        ),
        (
            {"points__all_csv": POINTS.replace("kg/s", "Kg/s")},
            "points/all.csv:J3: unknown unit 'Kg/s'; did you mean 'kg/s'?",
        ),
        (
            {"equipment__all_yaml": EQUIPMENT.replace("%LEL", "%")},
            "equipment/all.yaml:10: '%' cannot become '%CH4': they measure different things",
        ),
    ],
)
def test_one_mistake_is_named_once(tmp_path: Path, files: dict[str, str | bytes], expected: str) -> None:
    problems = [english(problem) for problem in examine(write(tmp_path, **files)).problems]
    assert problems and problems[0].startswith(expected), problems


def test_missing_files_are_named(tmp_path: Path) -> None:
    found = {str(problem) for problem in examine(tmp_path).problems}
    assert found == {
        "site.yaml: 文件不存在 · is missing",
        "areas.yaml: 文件不存在 · is missing",
        "connections.yaml: 文件不存在 · is missing",
        "equipment: 没有 .yaml 文件：矿井配置须有设备 · has no .yaml file: a site needs equipment",
    }


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "is not a folder" in only(tmp_path / "nowhere")


def test_a_link_out_of_the_folder_is_refused_and_one_within_is_read(tmp_path: Path) -> None:
    site = write(tmp_path / "site")
    (tmp_path / "secret").write_text(AREAS)
    (site / ".data").mkdir()
    (site / "areas.yaml").rename(site / ".data" / "areas.yaml")
    (site / "areas.yaml").symlink_to(site / ".data" / "areas.yaml")
    assert examine(site).problems == []
    (site / "areas.yaml").unlink()
    (site / "areas.yaml").symlink_to(tmp_path / "secret")
    assert "areas.yaml: is a link that leads out of the site's folder" in english(examine(site).problems[0])


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(write(tmp_path) / "points" / "pipe.csv")
    assert only(tmp_path) == "points/pipe.csv: 不是普通文件 · is not a plain file"


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "MAX_YAML", 100)
    with (write(tmp_path) / "areas.yaml").open("a") as file:
        file.truncate(9 * 1024 * 1024)
    assert "areas.yaml: has 9.4 MB, at most 8.4 MB are read" in english(examine(tmp_path).problems[0])


def test_two_paths_of_one_id_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings_module, "point_id", lambda path: 7 if "/belt/" in path else hash(path))
    assert only(write(tmp_path)) == (
        "points/all.csv:B3: '140525000099/belt/flow' 与 '140525000099/belt/speed' 的标识同为 7：请给其中一个改名 · "
        "'140525000099/belt/flow' and '140525000099/belt/speed' have the same id 7: "
        "rename one of them"
    )


def test_what_an_adapter_refuses_stands_at_its_address_or_setting(tmp_path: Path) -> None:
    def check_tag(connection: Connection, point: Point) -> None:
        if point.address == "hr:2":
            raise ValueError(f"{connection.adapter} will not")

    def check_settings(connection: Connection) -> list[tuple[tuple[str | int, ...], str]]:
        return [(("settings", "port"), "wrong port")] if connection.name == "plc" else []

    report = examine(write(tmp_path), check_tag=check_tag, check_settings=check_settings)
    assert [str(problem) for problem in report.problems] == [
        "connections.yaml:7: wrong port",
        "points/all.csv:E3: modbus will not",
    ]


def test_a_long_list_stops(tmp_path: Path) -> None:
    table = POINTS + "".join(f"belt,none_{n},plc,fast,hr:1\n" for n in range(MAX_PROBLEMS + 50))
    problems = examine(write(tmp_path, points__all_csv=table)).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert "more than 1000 problems" in problems[-1].message


def test_a_wrong_template_of_the_sites_own(tmp_path: Path) -> None:
    template = """\
id: toy
name: {zh: 玩具, en: Toy}
category: toys
points:
  a: {name: {zh: 甲, en: A}, role: toy.a, kind: analog, unit: Mpa}
  b: {name: {zh: 乙, en: B}, role: toy.b, kind: analog, low: 2, high: 1}
  c: {name: {zh: 丙, en: C}, role: toy.c, kind: state}
  d: {name: {zh: 丁, en: D}, role: toy.d, kind: analogue, retension: bulk}
  e:
    name: {zh: 戊, en: E}
    role: toy.e
    kind: analog
    limits:
      - {kind: hi, value: 5, source: s, effective_from: 2024-01-01}
      - {kind: hihi, value: 4, source: s, effective_from: 2024-01-01}
  f: {name: {zh: 己, en: F}, role: toy.f, kind: analog, retention: statutory, silence_s: 20}
"""
    problems = [
        (problem.where, problem.message) for problem in examine(write(tmp_path, templates__toy_yaml=template)).problems
    ]
    assert [where for where, _ in problems] == ["3", "5", "6", "7", "8", "8", "9", "16"]
    words = " | ".join(message for _, message in problems)
    for part in (
        "'category' must be one of", "did you mean 'MPa'", "low 2 must be below high 1", "needs its states",
        "'kind' must be one of", "unknown key 'retension'; did you mean 'retention'?",
        "the limit hi 5 must be below hihi 4", "silent for 10 s at most",
    ):  # fmt: skip
        assert part in words
