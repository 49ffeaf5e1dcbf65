"""A mine whose plan has very many lines, and sensors by the thousand: how the map bears it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from models.identity import point_id
from models.site.model import Equipment, Feature, Kind, Name, Site
from tests.middleplatform.api.build import CODE, site

SEGMENTS_OF_LINE = 10


def large(segments: int, sensors: int, belts: int = 12) -> Site:
    """`segments` of lines in a field of 6 by 4 km, as roadways, contours and air ways, sensors each with one point, and
    belts that run."""
    rng = np.random.default_rng(1)
    base = site()
    sample = base.points[0]
    features: list[Feature] = []
    layers = ("roadway", "topo", "seam_contour", "roadway", "vent_edge", "power")
    for number in range(segments // SEGMENTS_OF_LINE):
        start = rng.uniform((0, 0), (6_000, 4_000))
        turn = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 0.25, SEGMENTS_OF_LINE))
        steps = np.column_stack([np.cos(turn), np.sin(turn)]) * rng.uniform(4, 14)
        ring = np.vstack([start, start + np.cumsum(steps, axis=0)])
        name = Name(f"巷道{number}", f"road {number}")
        features.append(Feature(f"l{number}", layers[number % 6], name, "LineString", (ring,), None, None, {}))
    equipment, points = dict(base.equipment), []
    for number in range(sensors + belts):
        belt = number >= sensors
        of, key = f"{'b' if belt else 's'}{number}", "running" if belt else "value"
        name = Name(f"传感器{number}", f"sensor {number}")
        equipment[of] = Equipment(of, "belt_conveyor" if belt else "ch4", name, "face1", "transport")
        path = f"{CODE}/{of}/{key}"
        role, kind = ("run.state", Kind.STATE) if belt else ("ch4", Kind.ANALOG)
        told = {"path": path, "id": point_id(path), "equipment": of, "key": key, "name": name}
        points.append(replace(sample, **told, role=role, kind=kind, states={}, limits=()))
        at = rng.uniform((0, 0), (6_000, 4_000))
        ring = np.array([at, at + np.array([400, 150])]) if belt else at[None]
        layer, shape = ("belt", "LineString") if belt else ("sensor", "Point")
        features.append(Feature(f"e{number}", layer, name, shape, (ring,), of, "face1", {}))
    known = tuple(sorted((*base.points, *points), key=lambda point: point.path))
    return replace(base, equipment=equipment, points=known, features=tuple(features))
