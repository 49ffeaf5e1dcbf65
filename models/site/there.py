"""What there is in a site, for files that speak of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.site.problems import hinted

CALLED = {
    "area": "区域",
    "bound point": "已绑定的测点",
    "connection": "连接",
    "equipment": "设备",
    "gateway": "网关",
    "ring": "环网",
    "role": "角色",
    "sequence": "顺序控制",
}
"""What may be named, in Chinese."""


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
    """What to say of a name that is not there. `what`: one of CALLED."""
    return (
        None if name in known else hinted(f"没有{CALLED[what]} '{name}'", f"there is no {what} '{name}'", name, known)
    )
