"""Which parts of a site one caller may see, whatever version they are from."""

from __future__ import annotations

from collections.abc import Callable

from models.site.model import Site

Sees = Callable[[str, str], bool]
"""Whether a part, by kind and name, is seen."""


def sees(whole: Site, seen: Site) -> Sees:
    """`seen` is what the caller may see of the `whole` site. Who sees all of it sees also what is gone from it;
    anybody else sees of the past what it sees of the present."""
    if seen is whole:
        return lambda kind, name: True
    points = {point.path for point in seen.points}
    names = {
        "mine": {seen.code},
        "area": set(seen.areas),
        "template": {equipment.template for equipment in seen.equipment.values()},
        "equipment": set(seen.equipment),
        "connection": set(seen.connections),
        "point": points,
        "linkage": {one.id for one in whole.linkages if points.issuperset((*one.command, *one.points()))},
    }
    return lambda kind, name: name in names[kind]
