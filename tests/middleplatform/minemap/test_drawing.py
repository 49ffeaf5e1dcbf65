"""The map as it is told: where things are, and only to those who may see them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simulators
from middleplatform.minemap.drawing import drawing
from models.site.model import Site
from models.site.problems import SiteErrors
from sevenones.backfill.mine import site_of

MIDDLE = Path(simulators.__file__).parent / "mines" / "middle"


@pytest.fixture(scope="module")
def middle() -> Site:
    return site_of(MIDDLE, {})


def test_every_feature_of_the_files_is_told_where_it_lies(middle: Site) -> None:
    told = {each["id"]: each for each in drawing(middle, whole=True)["features"]}
    origin = drawing(middle, whole=True)["origin"]
    count = 0
    for path in sorted((MIDDLE / "map").glob("*.geojson")):
        for feature in json.loads(path.read_text("utf-8"))["features"]:
            count += 1
            found = told[feature["id"]]
            where = feature["geometry"]["coordinates"]
            first = where if found["kind"] == "Point" else where[0] if found["kind"] == "LineString" else where[0][0]
            assert np.allclose(np.array(found["rings"][0][:2]) / 100 + origin, first[:2], atol=0.006), feature["id"]
            assert found["layer"] == feature["properties"]["layer"]
    assert count == len(told) > 300


def test_of_a_part_of_the_mine_nothing_else_is_told(middle: Site) -> None:
    part = replace(
        middle,
        areas={"face_1": middle.areas["face_1"]},
        equipment={name: each for name, each in middle.equipment.items() if each.area == "face_1"},
    )
    told = drawing(part, whole=False)["features"]
    assert told
    assert all(each["equipment"] in part.equipment or each["area"] == "face_1" for each in told)
    assert not any(each["area"] not in (None, "face_1") and each["equipment"] is None for each in told)


def test_a_feature_with_a_mistake_is_refused_with_its_name(tmp_path: Path) -> None:

    shutil.copytree(MIDDLE, tmp_path / "site")
    path = tmp_path / "site" / "map" / "surface.geojson"
    data = json.loads(path.read_text("utf-8"))
    data["features"][0]["geometry"]["coordinates"][0][0] = ["east", 1]
    path.write_text(json.dumps(data))
    with pytest.raises(SiteErrors, match=data["features"][0]["id"]):
        site_of(tmp_path / "site", {})
