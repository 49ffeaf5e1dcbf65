"""A foreign drawing as files of the site's map: what each of its layers becomes, where it lies, what is left out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import yaml

from middleplatform.minemap import dxf, geojson
from middleplatform.minemap.foreign import MOST_IN_SHAPE, Counting, MapRefused, Shape
from middleplatform.minemap.transform import Positions, Transform, control_points, found, of_system, similarity
from models.site.minemap import FAR_M, Layer

LAYERS: tuple[str, ...] = get_args(Layer)
SKIP = "-"
"""What a drawing's layer is mapped to that is not taken."""
FILE_BYTES = 6 * 1024 * 1024
"""A site's files are read up to 8 MB: a larger map is written as several."""
POINTS = frozenset({"sensor", "borehole", "vent_node", "person_station", "camera", "fan", "pump", "substation"})
LINES = frozenset(
    {"roadway", "belt", "vent_edge", "escape_route", "network", "seam_contour", "topo", "fault", "power", "heading"}
)
"""Layers whose closed lines stay lines: a closed roadway is no area."""
_READERS = {".dxf": dxf.shapes, ".geojson": geojson.shapes, ".json": geojson.shapes}
_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Choice:
    """What the asker says; the rest is found. `layers`: the drawing's layer → ours, or SKIP; `axes`: en or ne."""

    system: str = "auto"
    zone: int | None = None
    axes: str = "en"
    control: Path | None = None
    tolerance_m: float = 0.5
    layers: Mapping[str, str] = field(default_factory=dict)
    to: str = ""


@dataclass(frozen=True)
class Planned:
    """`files`: below the site's folder. `taken`: (its layer, ours) → shapes; `left`: its layer, or kind of entity →
    shapes that are not taken; `broken`: layer → those without a finite position or extent."""

    files: dict[str, bytes]
    transform: Transform
    taken: dict[tuple[str, str], int]
    left: dict[str, int]
    kinds: dict[str, int]
    broken: dict[str, int]
    box: tuple[float, float, float, float]
    gone: tuple[str, ...]
    """Files of an earlier import of the same name that are empty now."""


def proposals() -> list[tuple[str, list[str]]]:
    data = yaml.safe_load((Path(__file__).parent / "layers.yaml").read_text(encoding="utf-8"))
    return [(each["layer"], each["words"]) for each in data["proposals"]]


def proposed(name: str, known: list[tuple[str, list[str]]]) -> str | None:
    """What a drawing's layer is by its name; None where nothing in it says so."""
    lowered = name.lower()
    if lowered in LAYERS:
        return lowered
    return next((layer for layer, words in known if any(word in lowered for word in words)), None)


def chosen(told: Mapping[str, Any], where: str) -> dict[str, str]:
    """A mapping as somebody wrote it, checked. Raises MapRefused."""
    for name, layer in told.items():
        if layer != SKIP and layer not in LAYERS:
            raise MapRefused(
                f"{where}：“{name}”对应的“{layer}”不是图层；可用：{', '.join(LAYERS)}，或 {SKIP} 不导入",
                f"{where}: '{layer}' for '{name}' is no layer; there are {', '.join(LAYERS)}, or {SKIP}: left out",
            )
    return {str(name): str(layer) for name, layer in told.items()}


def planned(file: Path, site: Path, system: str, origin: tuple[float, float], choice: Choice) -> Planned:
    """`system`, `origin` (east, north): of the site. Raises MapRefused."""
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise MapRefused(
            f"“{file.name}”：只能导入 .dxf 与 .geojson", f"'{file.name}': only .dxf and .geojson can be imported"
        )
    target = of_system(system)
    counting, kinds = Counting(), Counter[str]()
    drawn = list(reader(file, counting, kinds))
    known, left, taken = proposals(), Counter[str](), Counter[tuple[str, str]]()
    ours: dict[str, str | None] = {}
    kept: list[tuple[Shape, str]] = []
    for shape in drawn:
        if shape.layer not in ours:
            ours[shape.layer] = choice.layers.get(shape.layer) or proposed(shape.layer, known)
        layer = ours[shape.layer]
        if layer is None or layer == SKIP:
            left[shape.layer] += 1
            continue
        taken[shape.layer, layer] += 1
        kept.append((shape, layer))
    if not kept:
        named = "、".join(sorted(left)[:20])
        raise MapRefused(
            f"没有可导入的图层（图中有：{named or '无'}）：请用 --layer 名称=图层 指定",
            f"none of its layers is known ({named or 'there are none'}): say what they are by --layer NAME=layer",
        )
    xy = np.concatenate([ring for shape, _ in kept for ring in shape.rings])
    if choice.axes == "ne":
        xy = xy[:, ::-1]
    transform = _transform(xy, target, choice)
    placed = transform.apply(xy)
    _check_near(placed, origin)
    stem = _ID.sub("_", (choice.to or file.stem).lower()).strip("_")[:40] or "drawing"
    files = dict(_files(stem, kept, placed, system))
    earlier = {f"map/{each.name}" for each in (site / "map").glob(f"imported_{stem}*.geojson")
               if re.fullmatch(rf"imported_{stem}(_\d+)?\.geojson", each.name)}  # fmt: skip
    gone = tuple(sorted(earlier - files.keys()))
    files |= {name: _collection([], system) for name in gone}
    low, high = placed.min(axis=0), placed.max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Planned(files, transform, dict(taken), dict(left), dict(kinds), counting.broken, box, gone)


def _transform(xy: Positions, target: Any, choice: Choice) -> Transform:
    if choice.control is not None:
        names, local, there = control_points(choice.control)
        if choice.axes == "ne":
            local = local[:, ::-1]
        return similarity(names, local, there, choice.tolerance_m)
    if choice.system == "local":
        raise MapRefused(
            "矿区独立坐标系须给出控制点文件 --control（列 x,y,east,north）",
            "a grid of the mine's own needs control points: --control FILE with the columns x,y,east,north",
        )
    return found(xy, target, choice.system, choice.zone)


def _check_near(placed: Positions, origin: tuple[float, float]) -> None:
    if not np.isfinite(placed).all():
        raise MapRefused("有坐标无法转换到配置的坐标系", "some positions have no place in the site's coordinate system")
    off = abs(placed - np.array(origin)).max(axis=1)
    far = int((off > FAR_M).sum())
    if far:
        east, north = placed[int(off.argmax())]
        where = f"{FAR_M / 1000:g} km", f"{east:.1f}, {north:.1f}"
        raise MapRefused(
            f"{far} 个坐标离矿井原点超过 {where[0]}（如 {where[1]}）：带号、坐标系或纵横坐标（--axes ne）有误",
            f"{far} positions lie over {where[0]} from the mine's origin (such as {where[1]}): "
            "the zone, the system or the order of the axes (--axes ne) is wrong",
        )


def _files(stem: str, kept: list[tuple[Shape, str]], placed: Positions, system: str) -> Iterator[tuple[str, bytes]]:
    lines: list[str] = []
    size, number = 0, 1
    for line in _lines(stem, kept, placed):
        size += len(line.encode())
        if lines and size > FILE_BYTES:
            yield f"map/imported_{stem}_{number}.geojson", _collection(lines, system)
            lines, size, number = [], len(line.encode()), number + 1
        lines.append(line)
    yield f"map/imported_{stem}{'' if number == 1 else f'_{number}'}.geojson", _collection(lines, system)


def _collection(lines: list[str], system: str) -> bytes:
    head = f'"type": "FeatureCollection", "coordinate_system": {json.dumps(system)}, "axes": ["east", "north"]'
    return ("{" + head + ', "features": [\n' + ",\n".join(lines) + "\n]}\n").encode()


def _lines(stem: str, kept: list[tuple[Shape, str]], placed: Positions) -> Iterator[str]:
    at, number = 0, 0
    for shape, layer in kept:
        rings = []
        for ring in shape.rings:
            rings.append(np.round(placed[at : at + len(ring)], 3))
            at += len(ring)
        for kind, where in _geometries(shape, layer, rings):
            number += 1
            name = shape.name or shape.layer
            properties = {"layer": layer, "name": {"zh": name, "en": name}, "drawing_layer": shape.layer}
            geometry = {"type": kind, "coordinates": where}
            feature = {
                "type": "Feature",
                "id": f"imported.{stem}.{number}",
                "geometry": geometry,
                "properties": properties,
            }
            yield json.dumps(feature, ensure_ascii=False)


def _geometries(shape: Shape, layer: str, rings: list[Positions]) -> Iterator[tuple[str, Any]]:
    """A symbol of a layer of points is its middle; a line that is too long is cut where the next part begins."""
    if shape.kind == "Point":
        yield "Point", rings[0][0].tolist()
    elif layer in POINTS and shape.kind == "Polygon":
        yield "Point", rings[0][:-1].mean(axis=0).round(3).tolist()
    elif shape.kind == "Polygon" and layer not in LINES and max(map(len, rings)) <= MOST_IN_SHAPE:
        yield "Polygon", [ring.tolist() for ring in rings]
    else:
        for ring in rings:
            for start in range(0, len(ring) - 1, MOST_IN_SHAPE - 1):
                yield "LineString", ring[start : start + MOST_IN_SHAPE].tolist()
