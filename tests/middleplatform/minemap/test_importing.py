"""A drawing becomes files of the map that the site accepts; what is hostile or broken is refused in plain words."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import ezdxf
import numpy as np
import pytest
from typer.testing import CliRunner

from middleplatform.minemap import dxf, foreign
from middleplatform.minemap.foreign import MapRefused
from middleplatform.minemap.importing import Choice, chosen, planned, proposals, proposed
from models import site as sites
from sevenones.commands.map import app

ORIGIN = (38_402_480.0, 3_963_900.0)
SITE = Path(__file__).parents[3] / "simulators" / "mines" / "low"


def drawing(path: Path, shift: tuple[float, float] = ORIGIN) -> Path:
    """A DXF as a mine's office has it: Chinese layers, curves, a block in a block, texts, and one thing of no layer."""
    made = ezdxf.new("R2010", setup=True)
    space = made.modelspace()

    def at(x: float, y: float) -> tuple[float, float]:
        return shift[0] + x, shift[1] + y

    for name in ("巷道_主运大巷", "采空区", "断层F1", "钻孔", "奇怪的图层"):
        made.layers.add(name)
    space.add_line(at(0, 0), at(500, 20), dxfattribs={"layer": "巷道_主运大巷"})
    space.add_lwpolyline(
        [(*at(0, 30), 0.3), (*at(300, 30), 0), (*at(300, 90), 0)], format="xyb", dxfattribs={"layer": "巷道_主运大巷"}
    )
    space.add_lwpolyline(
        [at(600, 0), at(800, 0), at(800, 200), at(600, 200)], close=True, dxfattribs={"layer": "采空区"}
    )
    space.add_spline([at(0, 300), at(200, 340), at(400, 300)], dxfattribs={"layer": "断层F1"})
    hole = made.blocks.new("hole")
    hole.add_circle((0, 0), 4, dxfattribs={"layer": "钻孔"})
    outer = made.blocks.new("holes")
    outer.add_blockref("hole", (10, 0))
    outer.add_blockref("hole", (50, 0))
    space.add_blockref("holes", at(100, 100))
    space.add_text("主运大巷", dxfattribs={"layer": "巷道_主运大巷"}).set_placement(at(50, 5))
    space.add_line(at(1, 1), at(2, 2), dxfattribs={"layer": "奇怪的图层"})
    made.saveas(path)
    return path


def plan(file: Path, tmp_path: Path, **choice):
    return planned(file, tmp_path, "EPSG:4526", ORIGIN, Choice(**choice))


def features(found) -> list[dict]:
    return [each for data in found.files.values() for each in json.loads(data)["features"]]


def test_a_drawing_becomes_layers_of_the_map(tmp_path):
    found = plan(drawing(tmp_path / "采掘.dxf"), tmp_path, to="mining")
    assert found.taken == {
        ("巷道_主运大巷", "roadway"): 2,
        ("采空区", "goaf"): 1,
        ("断层F1", "fault"): 1,
        ("钻孔", "borehole"): 2,
    }
    assert (found.left, found.kinds, found.broken) == ({"奇怪的图层": 1}, {"TEXT": 1}, {})
    assert list(found.files) == ["map/imported_mining.geojson"]
    by_layer = {}
    for feature in features(found):
        by_layer.setdefault(feature["properties"]["layer"], []).append(feature["geometry"])
    assert by_layer["roadway"][0] == {
        "type": "LineString",
        "coordinates": [[ORIGIN[0], ORIGIN[1]], [ORIGIN[0] + 500, ORIGIN[1] + 20]],
    }
    assert by_layer["goaf"][0]["type"] == "Polygon" and len(by_layer["goaf"][0]["coordinates"][0]) == 5
    holes = sorted(each["coordinates"] for each in by_layer["borehole"])
    assert np.abs(np.array(holes) - ORIGIN - np.array([(110, 100), (150, 100)])).max() < 0.01, "a symbol is its middle"
    bulged = np.array(by_layer["roadway"][1]["coordinates"]) - ORIGIN
    assert bulged[:, 1].min() == pytest.approx(30 - 0.3 * 150, abs=0.1), "the arc bows out by its bulge"


def test_a_zone_without_its_number_and_north_before_east_come_out_at_the_same_place(tmp_path):
    want = features(plan(drawing(tmp_path / "a.dxf"), tmp_path))
    plain = drawing(tmp_path / "b.dxf", (ORIGIN[0] - 38e6, ORIGIN[1]))
    got = features(plan(plain, tmp_path, zone=38))
    for one, other in zip(want, got, strict=True):
        assert (
            np.abs(np.array(one["geometry"]["coordinates"]) - np.array(other["geometry"]["coordinates"])).max() < 0.01
        )
    with pytest.raises(MapRefused, match="origin"):
        plan(plain, tmp_path, zone=37)
    with pytest.raises(MapRefused, match=r"axes ne|no zone"):
        plan(drawing(tmp_path / "c.dxf", (ORIGIN[1], ORIGIN[0])), tmp_path)


def test_layers_are_what_the_asker_says_and_else_what_they_are_called(tmp_path):
    known = proposals()
    for name, layer in (("避灾路线", "escape_route"), ("3煤底板等高线", "seam_contour"), ("GOAF-2026", "goaf"),
                        ("1401回风顺槽", "vent_edge"), ("roadway", "roadway"), ("0", None)):  # fmt: skip
        assert proposed(name, known) == layer, name
    file = drawing(tmp_path / "a.dxf")
    found = plan(file, tmp_path, layers={"奇怪的图层": "hazard", "采空区": "-"})
    assert found.taken["奇怪的图层", "hazard"] == 1 and found.left == {"采空区": 1}
    with pytest.raises(MapRefused, match="is no layer"):
        chosen({"采空区": "nowhere"}, "--layer")
    with pytest.raises(MapRefused, match="奇怪的图层"):
        plan(file, tmp_path, layers=dict.fromkeys(("巷道_主运大巷", "采空区", "断层F1", "钻孔"), "-"))


def test_geojson_of_degrees_with_many_parts(tmp_path):
    ring = [[112.9, 35.8], [112.91, 35.8], [112.91, 35.81], [112.9, 35.8]]
    given = [
        {"geometry": {"type": "MultiPolygon", "coordinates": [[ring], [ring]]}, "properties": {"Layer": "goaf"}},
        {
            "geometry": {"type": "Point", "coordinates": [112.9, 35.8, 12.0]},
            "properties": {"图层": "钻孔", "名称": "ZK1"},
        },
        {"geometry": {"type": "Polygon", "coordinates": [ring[:2]]}, "properties": {"Layer": "goaf"}},
        {"geometry": {"type": "GeometryCollection", "geometries": []}, "properties": {"Layer": "goaf"}},
        {"geometry": None, "properties": None},
        7,
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": given}), encoding="utf-8")
    found = plan(tmp_path / "a.geojson", tmp_path)
    assert (found.taken, found.broken) == ({("goaf", "goaf"): 2, ("钻孔", "borehole"): 1}, {"goaf": 1})
    assert found.kinds == {"GeometryCollection": 1, "?": 2}
    assert features(found)[2]["properties"]["name"]["zh"] == "ZK1"
    assert "4490" in found.transform.words


def bomb(path: Path, levels: int) -> Path:
    made = ezdxf.new()
    last = made.blocks.new("b0")
    last.add_line((0, 0), (1, 1))
    for level in range(1, levels):
        block = made.blocks.new(f"b{level}")
        for k in range(10):
            block.add_blockref(f"b{level - 1}", (k, 0))
    for k in range(10):
        made.modelspace().add_blockref(f"b{levels - 1}", (k, 0))
    made.saveas(path)
    return path


def test_hostile_and_broken_files_are_refused_in_plain_words(tmp_path, monkeypatch):
    def refused(name: str, data: bytes, words: str) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MapRefused, match=words) as told:
            plan(tmp_path / name, tmp_path)
        assert told.value.zh and "Traceback" not in str(told.value)

    refused("a.dxf", b"PK\x03\x04" + bytes(100), "unpack it first")
    refused("b.dxf", b"AC1032" + bytes(100), "save it as DXF")
    refused("c.dxf", b"", "is empty")
    refused("d.dxf", b"this is no drawing\n" * 50, "no DXF")
    refused("e.pdf", b"%PDF", "only .dxf")
    refused("f.geojson", b"[" * 100_000, "not JSON")
    refused("g.geojson", b'{"type": "FeatureCollection"}', "FeatureCollection")
    nowhere = {"geometry": {"type": "Point", "coordinates": [float("nan"), 1e999]}, "properties": {"layer": "goaf"}}
    collection = {"type": "FeatureCollection", "features": [nowhere]}
    refused("h.geojson", json.dumps(collection).encode(), "none of its layers")
    monkeypatch.setattr(dxf, "MOST_ENTITIES", 5_000)
    with pytest.raises(MapRefused, match="unfold to more than 5000"):
        plan(bomb(tmp_path / "bomb.dxf", 7), tmp_path, layers={"0": "roadway"}, system="site")
    monkeypatch.setattr(dxf, "MOST_BYTES", 1_000)
    with pytest.raises(MapRefused, match="larger than"):
        plan(drawing(tmp_path / "large.dxf"), tmp_path)
    monkeypatch.setattr(foreign, "MOST_SHAPES", 3)
    monkeypatch.setattr(dxf, "MOST_BYTES", 1 << 20)
    with pytest.raises(MapRefused, match="more than 3 shapes"):
        plan(drawing(tmp_path / "many.dxf"), tmp_path)


def test_drawings_that_were_damaged_are_refused_or_taken_and_never_crash(tmp_path):
    whole = drawing(tmp_path / "whole.dxf").read_bytes()
    rng = random.Random(7)
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] = rng.choice(b"\0n9-. \n\xff")
        (tmp_path / "damaged.dxf").write_bytes(data[: rng.randrange(len(data) // 2, len(data))])
        try:
            found = plan(tmp_path / "damaged.dxf", tmp_path)
        except MapRefused:
            continue
        assert np.isfinite(found.box).all()


def test_the_command_shows_first_writes_on_yes_and_takes_it_back(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    before = sorted(path.name for path in (site / "map").iterdir())
    file = drawing(tmp_path / "2026采掘工程平面图.dxf")
    runner = CliRunner()
    asked = ["import", str(file), "--site", str(site), "--to", "plan"]
    seen = runner.invoke(app, asked)
    assert seen.exit_code == 0, seen.output
    for words in ("zone 38", "采空区 → goaf  1", "奇怪的图层  1", "a preview, nothing was written"):
        assert words in seen.output
    assert sorted(path.name for path in (site / "map").iterdir()) == before
    assert runner.invoke(app, [*asked, "--yes"]).exit_code == 0
    read = [
        each
        for each in sites.examine(site, require_environment=False).site.features
        if each.id.startswith("imported.plan.")
    ]
    assert len(read) == 6 and {each.layer for each in read} == {"roadway", "goaf", "fault", "borehole"}
    assert runner.invoke(app, ["import", "--undo", "--site", str(site)]).exit_code == 0
    assert sorted(path.name for path in (site / "map").iterdir()) == before
    wrong = runner.invoke(app, [*asked, "--layer", "采空区=nowhere"])
    assert wrong.exit_code != 0 and "is no layer" in wrong.output
