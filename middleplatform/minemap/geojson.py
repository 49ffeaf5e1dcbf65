"""Shapes of a foreign GeoJSON, whatever coordinates it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from middleplatform.minemap.foreign import MOST_BYTES, Counting, MapRefused, Shape, sniffed

_LAYER = ("layer", "Layer", "LAYER", "图层", "类别")
_NAME = ("name", "Name", "NAME", "名称", "Text")
_ONE = {"Point": 0, "LineString": 1, "Polygon": 2}
_MANY = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}


def shapes(file: Path, counting: Counting, left: dict[str, int]) -> Iterator[Shape]:
    """`left`: kinds of geometry that are not drawn, counted. Raises MapRefused."""
    for feature in _features(file):
        if not isinstance(feature, Mapping):
            left["?"] = left.get("?", 0) + 1
            continue
        told = feature.get("properties")
        properties: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        layer, name = (_first(properties, names) for names in (_LAYER, _NAME))
        geometry = feature.get("geometry")
        for kind, where in _parts(geometry):
            if kind not in _ONE:
                left[kind] = left.get(kind, 0) + 1
                continue
            shape = _shape(layer or "0", kind, where, name)
            if counting.taken(shape):
                yield shape


def _features(file: Path) -> list[Any]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise MapRefused(
                f"“{file.name}”超过 {MOST_BYTES >> 20} MB：请分成几个文件",
                f"'{file.name}' is larger than {MOST_BYTES >> 20} MB: save it in several files",
            )
        data = file.read_bytes()
    except OSError as error:
        raise MapRefused(f"无法读取“{file}”", f"cannot read '{file}': {error.strerror}") from None
    sniffed(data[:32], file.name)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        where = f"{getattr(error, 'msg', 'nested too deep')}, line {getattr(error, 'lineno', '?')}"
        raise MapRefused(f"“{file.name}”不是 JSON（{where}）", f"'{file.name}' is not JSON ({where})") from None
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or found.get("type") != "FeatureCollection":
        raise MapRefused(
            f"“{file.name}”不是 GeoJSON FeatureCollection", f"'{file.name}' is no GeoJSON FeatureCollection"
        )
    return features


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        told = properties.get(name)
        if isinstance(told, Mapping):
            told = told.get("zh") or told.get("en")
        if isinstance(told, str | int) and str(told).strip():
            return "".join(c for c in str(told).strip()[:120] if c.isprintable())
    return ""


def _parts(geometry: Any) -> Iterator[tuple[str, Any]]:
    kind = str(geometry.get("type"))[:40] if isinstance(geometry, Mapping) else "?"
    where = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if kind in _MANY and isinstance(where, list):
        yield from ((_MANY[kind], each) for each in where)
    else:
        yield kind, where


def _shape(layer: str, kind: Any, where: Any, name: str) -> Shape:
    """A ring that is no list of positions is empty, and counts as broken."""
    rings = [[where]] if kind == "Point" else [where] if kind == "LineString" else where
    found = []
    for ring in rings if isinstance(rings, list) and rings else [None]:
        try:
            found.append(np.array([(position[0], position[1]) for position in ring], np.float64).reshape(-1, 2))
        except (TypeError, ValueError, IndexError, KeyError, OverflowError):
            found.append(np.empty((0, 2)))
    if kind == "LineString" and len(found[0]) < 2:
        found = [np.empty((0, 2))]
    if kind == "Polygon" and any(len(ring) < 4 or (ring[0] != ring[-1]).any() for ring in found):
        found = [np.empty((0, 2))]
    return Shape(layer, kind, tuple(found), name)
