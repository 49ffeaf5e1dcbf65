"""Which belt's coal falls onto which, as the mine's map has it: the lines of belts run the way that the coal goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.site.model import Site

NEAR_M = 40.0
"""From the end of a belt to the belt under it, at most, as plans are drawn."""


def feeds(site: Site) -> dict[str, str]:
    """Belt → the belt that it feeds, both of the site's equipment. One whose end lies near no other is left out."""
    lines = {
        feature.equipment: feature.rings[0]
        for feature in site.features
        if feature.layer == "belt" and feature.geometry == "LineString" and feature.equipment in site.equipment
    }
    found: dict[str, str] = {}
    for belt, line in lines.items():
        away = {other: _distance(line[-1], under) for other, under in lines.items() if other != belt}
        nearest = min(away, key=away.__getitem__, default=None)
        if belt and nearest and away[nearest] <= NEAR_M:
            found[belt] = nearest
    return found


def _distance(point: NDArray[np.float64], line: NDArray[np.float64]) -> float:
    """From a point to the nearest place of a line, m."""
    start, step = line[:-1], np.diff(line, axis=0)
    length = np.maximum((step**2).sum(axis=1), 1e-9)
    part = np.clip(((point - start) * step).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(start + part[:, None] * step - point).T).min())
