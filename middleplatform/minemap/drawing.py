"""The features of a site's map as columns of numbers and few words, for a page that draws them all."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.site.model import Feature, Site

CENTIMETRES = 100
"""Positions are told in whole centimetres: finer than any survey underground, and short as text."""


def drawing(site: Site, *, whole: bool) -> dict[str, Any]:
    """`origin`: [east, north] in m that positions are relative to; null where the site has no coordinate system. Of a
    feature: `rings`, each [east, north, east, north, …] in cm. `whole`: also what belongs to no area or equipment."""
    seen = [each for each in site.features if _seen(each, site, whole=whole)]
    place = site.coordinates
    return {
        "system": place.system if place else None,
        "origin": [place.origin[1], place.origin[0]] if place else None,
        "features": [_told(each) for each in seen],
    }


def _seen(feature: Feature, site: Site, *, whole: bool) -> bool:
    """A part of the mine has the features that name equipment or an area in it, and none that names any outside."""
    if feature.equipment is not None:
        return feature.equipment in site.equipment
    return feature.area in site.areas if feature.area is not None else whole


def _told(feature: Feature) -> dict[str, Any]:
    return {
        "id": feature.id,
        "layer": feature.layer,
        "name": {"zh": feature.name.zh, "en": feature.name.en},
        "kind": feature.geometry,
        "rings": [np.rint(ring * CENTIMETRES).astype(np.int64).ravel().tolist() for ring in feature.rings],
        "equipment": feature.equipment,
        "area": feature.area,
        "facts": dict(feature.facts),
    }
