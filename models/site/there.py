"""What there is in a site, for files that speak of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.site.problems import nearest


@dataclass(frozen=True)
class There:
    """What there is. `bound`: points as equipment/key. `gateways`: connection → gateway, "" where its own entry is
    wrong and named already."""

    equipment: Collection[str]
    areas: Collection[str]
    bound: Collection[str]
    gateways: Mapping[str, str]
    origin: tuple[float, float] | None
    """East and north, m."""


def unknown(what: str, name: str, known: Collection[str]) -> str | None:
    """What to say of a name that is not there."""
    return None if name in known else f"there is no {what} '{name}'" + nearest(name, known)
