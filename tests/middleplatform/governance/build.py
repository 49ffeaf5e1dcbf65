"""Small changes of a small site."""

from __future__ import annotations

from dataclasses import replace

from models.site.model import Point, Site
from tests.middleplatform.api.build import path_of, site


def changed(version: str, without: str = "", **of_speed: object) -> Site:
    """The API tests' site as another version: one point left out, facts of belt1/speed others."""
    whole = site()
    points: list[Point] = []
    for point in whole.points:
        if without and point.path == path_of(without):
            continue
        points.append(replace(point, **of_speed) if point.path == path_of("belt1/speed") else point)  # type: ignore[arg-type]
    return replace(whole, version=version, points=tuple(points))
