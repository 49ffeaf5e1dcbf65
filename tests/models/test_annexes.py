"""A site's map, network and rules: every thing they name must be there, and be where the mine is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.site.loader import examine
from tests.models.sites import write

SITE = """\
code: 140525000009
name: {zh: 一, en: One}
capacity_kt: 1200
gas_class: low
time_zone: Asia/Shanghai
coordinates: {system: EPSG:4526, origin: {x: 3929500, y: 38395600, z: 320}}
"""
RULE = """\
rules:
  stop:
    name: {zh: 停, en: stop}
    when: {any: [{point: belt/slip, equals: 1}]}
    then: [{point: belt/running, equals: 0}]
    within: 2 s
    by: mine
    source: test
"""
POINTS = "equipment,point,connection,group,address\nbelt,slip,plc,fast,di:0\nbelt,running,plc,fast,di:1\n"


def feature(
    called: str = "f1", at: Any = (38395700.0, 3929600.0, 300.0), kind: str = "Point", **properties: Any
) -> Any:
    shown = {"layer": "belt", "name": {"zh": "一", "en": "one"}, **properties}
    return {"type": "Feature", "id": called, "geometry": {"type": kind, "coordinates": at}, "properties": shown}


def problems(folder: Path, *features: Any, **files: str) -> list[str]:
    site = write(folder, site_yaml=SITE, points__all_csv=POINTS, **files)
    if features:
        (site / "map").mkdir()
        text = json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False)
        (site / "map" / "all.geojson").write_text(text, encoding="utf-8")
    return [str(problem) for problem in examine(site).problems]


def test_a_right_map_and_right_rules_are_taken(tmp_path: Path) -> None:
    line = feature("f2", [[38395700, 3929600], [38395800, 3929650]], "LineString", area="mine")
    assert problems(tmp_path, feature(equipment="belt"), line, rules__gas_yaml=RULE) == []


def test_without_coordinates_a_map_may_lie_anywhere(tmp_path: Path) -> None:
    site = write(tmp_path, points__all_csv=POINTS)
    (site / "map").mkdir()
    (site / "map" / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature(at=[1, 2])]}))
    assert examine(site).problems == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (feature(equipment="belr"), "there is no equipment 'belr'; did you mean 'belt'?"),
        (feature(area="nowhere"), "there is no area 'nowhere'"),
        (feature(at=[3929600.0, 38395700.0]), "east and north are exchanged"),
        (feature(at=[395700.0, 3929600.0]), "is the zone before the easting missing?"),
        (feature(layer="roadways"), "'layer' must be one of"),
        (feature(name={"zh": "一"}), "'en' is missing"),
        (feature(at=[38395700.0]), "is no position"),
        (feature(at=[float("nan"), 3929600.0]), "is no position"),
        (feature(kind="Circle"), "must be one of Point"),
        (feature(kind="LineString", at=[[38395700.0, 3929600.0]]), "need 2 to"),
        (
            feature(kind="Polygon",
                    at=[[[38395700, 3929600], [38395800, 3929600], [38395800, 3929700], [38395750, 3929700]]]),
            "must end where it began",
        ),
        ({"type": "Feature", "id": "f1", "geometry": None}, "has no properties"),
        ([], "no GeoJSON Feature"),
    ],
)  # fmt: skip
def test_a_wrong_feature_is_named(tmp_path: Path, wrong: Any, said: str) -> None:
    found = problems(tmp_path, wrong)
    assert len(found) == 1 and found[0].startswith("map/all.geojson:") and said in found[0], found


def test_one_id_is_one_feature_in_all_files(tmp_path: Path) -> None:
    found = problems(tmp_path, feature(), feature())
    assert found == [
        "map/all.geojson:f1: 要素 'f1' 出现两次；前一次在 map/all.geojson · "
        "the feature 'f1' is here twice; first in map/all.geojson"
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "Feature"}', '{"type": "FeatureCollection"}', "[" * 100_000])
def test_what_is_no_map_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    site = write(tmp_path, site_yaml=SITE, points__all_csv=POINTS)
    (site / "map").mkdir()
    (site / "map" / "all.geojson").write_text(text)
    found = [str(problem) for problem in examine(site).problems]
    assert len(found) == 1 and "map/all.geojson" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("belt/slip", "belt/slap", "no bound point 'belt/slap'; did you mean 'belt/slip'?"),
        ("belt/running", "belt/speed", "no bound point 'belt/speed'"),
        ("equals: 1", "equals: 1, at_least: 2", "one of at_least, at_most, above, below, equals"),
        ("any:", "some:", "unknown key 'some'"),
        ("within: 2 s", "within: soon", "is not a time span"),
        ("by: mine", "by: god", "'by' must be one of"),
        ("    source: test\n", "", "'source' is missing"),
        ("then: [{point: belt/running, equals: 0}]", "command: {belt/running: 1}", "is not commanded"),
        ("then: [{point: belt/running, equals: 0}]", "then: []", "a rule says what follows"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, rules__gas_yaml=RULE.replace(old, new))
    assert found and found[0].startswith("rules/gas.yaml:") and said in " ".join(found), found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gateways: {edge9: {switch: belt, connections: []}}\n", "there is no gateway 'edge9'"),
        ("gateways: {edge1: {switch: switch_1, connections: [plc]}}\n", "there is no equipment 'switch_1'"),
        ("gateways: {edge1: {switch: belt, connections: [pls]}}\n", "there is no connection 'pls'"),
        ("links: {a: {between: [belt, other], medium: fibre}}\n", "there is no equipment 'other'"),
        ("links: {a: {between: [belt, belt], medium: fibre, ring: core}}\n", "there is no ring 'core'"),
        ("links: {a: {between: [belt], medium: fibre}}\n", "network.yaml:1"),
        ("rings: {core: {name: {zh: 环, en: ring}, switches: [belt], mbit_per_s: 1, heals_in: 1 s}}\n", "yaml:1"),
        ("switches: {}\n", "unknown key 'switches'"),
    ],
)  # fmt: skip
def test_a_wrong_network_is_named(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, network_yaml=text)
    assert found and found[0].startswith("network.yaml:") and said in found[0], found
