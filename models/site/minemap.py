"""A file of the map: GeoJSON in the site's own plane coordinates, [east, north] or [east, north, up] in m, whatever
order the axes of the coordinate system have. Features carry `layer`, `name`, and mostly `equipment` or `area`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, ValidationError

from models.site.files import MAX_YAML, Folder
from models.site.model import Feature
from models.site.problems import Problems
from models.site.schema import plain_words
from models.site.there import There, unknown
from models.thing import Names, Strict

FAR_M = 100_000.0
"""A mine is not wider than this: what lies further from its origin has its axes or its zone wrong."""

Layer = Literal[
    "base_grid", "boundary", "surface", "topo", "seam_contour", "fault", "collapse_column", "borehole", "hydro",
    "pillar", "goaf", "roadway", "shaft", "face", "heading", "chamber", "bunker", "vent_node", "vent_edge",
    "vent_facility", "fan", "sensor", "substation", "belt", "equipment", "support_line", "power", "pump", "network",
    "camera", "person_station", "person", "escape_route", "refuge", "hazard", "alarm",
]  # fmt: skip
FEWEST = {"Point": 1, "LineString": 2, "Polygon": 4}
"""Kind of geometry → how many positions it needs, an area for each of its rings."""
MAX_POSITIONS = 10_000


class Shown(Strict):
    """What a feature must say of itself; it may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    layer: Layer
    name: Names
    equipment: str | None = None
    area: str | None = None


def rings_of(geometry: object) -> list[list[list[float]]]:
    """The positions of a geometry, of an area by ring. Raises ValueError in plain words."""
    if not isinstance(geometry, dict) or str(geometry.get("type")) not in FEWEST:
        raise ValueError(f"几何类型须为 {'、'.join(FEWEST)} 之一 · the geometry must be one of {', '.join(FEWEST)}")
    kind, where = str(geometry["type"]), geometry.get("coordinates")
    rings = [[where]] if kind == "Point" else [where] if kind == "LineString" else where
    fewest = FEWEST[kind]
    found: list[list[list[float]]] = []
    for ring in rings if isinstance(rings, list) and rings else [None]:
        if not isinstance(ring, list) or not fewest <= len(ring) <= MAX_POSITIONS:
            raise ValueError(
                f"{kind} 的坐标须有 {fewest} 到 {MAX_POSITIONS} 个位置 · "
                f"the coordinates of a {kind} need {fewest} to {MAX_POSITIONS} positions"
            )
        for position in ring:
            if not _is_position(position):
                shown = json.dumps(position)[:60]
                raise ValueError(
                    f"{shown} 不是位置：写 [east, north] 或 [east, north, up] · "
                    f"{shown} is no position: write [east, north] or [east, north, up]"
                )
        found.append(ring)
        if kind == "Polygon" and ring[0] != ring[-1]:
            raise ValueError("区域的边界须首尾相接 · a ring of an area must end where it began")
    return found


def _is_position(position: object) -> bool:
    return (
        isinstance(position, list)
        and 2 <= len(position) <= 3
        and all(type(number) in (int, float) and math.isfinite(number) for number in position)
    )


def features(folder: Folder, path: Path, problems: Problems, there: There, seen: dict[str, str]) -> Iterator[Feature]:
    """Those of one file; every mistake is added to the problems. `seen`: features so far, and the file of each."""
    file = folder.name(path)
    text = folder.read_text(path, MAX_YAML)
    if text is None:
        return
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", error)
        problems.add(file, getattr(error, "lineno", ""), f"不是 JSON：{why} · is not JSON: {why}")
        return
    given = data.get("features") if isinstance(data, dict) else None
    if not isinstance(given, list) or data.get("type") != "FeatureCollection":
        problems.add(file, "", "不是 GeoJSON FeatureCollection · is no GeoJSON FeatureCollection")
        return
    for number, feature in enumerate(given, 1):
        known = feature.get("id") if isinstance(feature, dict) else None
        where = known[:80] if isinstance(known, str) and known else str(number)
        count = problems.count
        for message in _mistakes(feature, there):
            problems.add(file, where, message)
        if where in seen:
            message = (
                f"要素 '{where}' 出现两次；前一次在 {seen[where]} · "
                f"the feature '{where}' is here twice; first in {seen[where]}"
            )
            problems.add(file, where, message)
        seen[where] = file
        if problems.count == count:
            yield _feature(feature, there.origin or (0.0, 0.0))


def _feature(feature: Mapping[str, Any], origin: tuple[float, float]) -> Feature:
    """Of one in which no mistake was found."""
    properties, geometry = feature["properties"], feature["geometry"]
    shown = Shown.model_validate(properties)
    rings = tuple(np.array([position[:2] for position in ring]) - origin for ring in rings_of(geometry))
    more = {
        name: value
        for name, value in properties.items()
        if name not in Shown.model_fields and type(value) in (str, int, float)
    }
    name = shown.name.resolved()
    return Feature(feature["id"], shown.layer, name, geometry["type"], rings, shown.equipment, shown.area, more)


def _mistakes(feature: Any, there: There) -> Iterator[str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(feature.get("id"), str):
        yield "不是带 id 的 GeoJSON Feature · is no GeoJSON Feature with an id"
        return
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        yield "没有 properties · has no properties"
        return
    try:
        shown = Shown.model_validate(properties)
        far = _far(rings_of(feature.get("geometry")), there.origin)
    except ValidationError as found:
        yield from (plain_words(error, Shown) for error in found.errors(include_url=False))
        return
    except ValueError as error:
        yield str(error)
        return
    for name, what, known in ((shown.equipment, "equipment", there.equipment), (shown.area, "area", there.areas)):
        message = unknown(what, name, known) if name is not None else None
        if message:
            yield message
    if far:
        yield far


def _far(rings: list[list[list[float]]], origin: tuple[float, float] | None) -> str | None:
    if origin is None:
        return None
    for east, north, *_ in chain.from_iterable(rings):
        if max(abs(east - origin[0]), abs(north - origin[1])) > FAR_M:
            swapped = max(abs(north - origin[0]), abs(east - origin[1])) <= FAR_M
            zh = "东坐标与北坐标对调了" if swapped else "东坐标前是否缺少带号？"
            hint = "east and north are exchanged" if swapped else "is the zone before the easting missing?"
            here, begins = f"[{east:g}, {north:g}]", f"[{origin[0]:g}, {origin[1]:g}]"
            return f"{here} 不在本矿（原点 {begins}）：{zh} · {here} is not at this mine (origin {begins}): {hint}"
    return None
