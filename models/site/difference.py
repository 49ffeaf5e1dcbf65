"""What differs between two versions of a site: connections, equipment, points, linkages, interlocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from models.site.interlocks import Interlock
from models.site.model import Connection, Equipment, Linkage, Point, Site

SHOWN = 20
"""Lines of one kind of change."""
_SIGNS = {"added": "+", "changed": "~", "removed": "-"}
_WORDS = {"added": ("新增", "added"), "changed": ("修改", "changed"), "removed": ("删除", "removed")}


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of what was added, changed (with the names of the fields) and removed."""

    added: tuple[str, ...]
    changed: Mapping[str, tuple[str, ...]]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @staticmethod
    def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
        """Between two mappings from names to dataclasses."""
        both = sorted(old.keys() & new.keys())
        changed = {name: found for name in both if (found := _fields(old[name], new[name]))}
        return Changes(tuple(sorted(new.keys() - old.keys())), changed, tuple(sorted(old.keys() - new.keys())))


@dataclass(frozen=True, slots=True)
class Difference:
    """From one site to another."""

    connections: Changes
    equipment: Changes
    points: Changes
    linkages: Changes
    interlocks: Changes

    def __bool__(self) -> bool:
        return bool(self.connections or self.equipment or self.points or self.linkages or self.interlocks)

    def lines(self) -> list[str]:
        """For a terminal, zh and en: counts, then names with what changed. No values: one may be secret."""
        found: list[str] = []
        for zh, en, changes in (
            ("连接", "connections", self.connections),
            ("设备", "equipment", self.equipment),
            ("测点", "points", self.points),
            ("联动", "linkages", self.linkages),
            ("联锁", "interlocks", self.interlocks),
        ):
            parts = {"added": changes.added, "changed": tuple(changes.changed), "removed": changes.removed}
            for kind, names in parts.items():
                if not names:
                    continue
                found.append(f"{zh}{_WORDS[kind][0]} · {en} {_WORDS[kind][1]}: {len(names)}")
                found += [f"  {_SIGNS[kind]} {name}{_what(changes.changed.get(name))}" for name in names[:SHOWN]]
                if len(names) > SHOWN:
                    found.append(f"    … {len(names) - SHOWN}")
        return found or ["没有差异 · no difference"]


def difference(old: Site | None, new: Site) -> Difference:
    """From `old` (None: nothing) to `new`."""
    connections: Mapping[str, Connection] = {} if old is None else old.connections
    equipment: Mapping[str, Equipment] = {} if old is None else old.equipment
    points: Mapping[str, Point] = {} if old is None else {point.path: point for point in old.points}
    linkages: Mapping[str, Linkage] = {} if old is None else {one.id: one for one in old.linkages}
    interlocks: Mapping[str, Interlock] = {} if old is None else {one.id: one for one in old.interlocks}
    return Difference(
        Changes.between(connections, new.connections),
        Changes.between(equipment, new.equipment),
        Changes.between(points, {point.path: point for point in new.points}),
        Changes.between(linkages, {one.id: one for one in new.linkages}),
        Changes.between(interlocks, {one.id: one for one in new.interlocks}),
    )


def _fields(one: Any, other: Any) -> tuple[str, ...]:
    # By their text, for a bound that is not there is NaN, which equals nothing.
    return tuple(
        field.name for field in fields(one) if repr(getattr(one, field.name)) != repr(getattr(other, field.name))
    )


def _what(changed: tuple[str, ...] | None) -> str:
    return "" if not changed else f"  ({', '.join(changed)})"
