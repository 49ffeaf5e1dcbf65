"""What a caller may see of the mine: by mine, area, subsystem and class of data.

A scope is one or more bounds, all of which must hold. It can therefore only be narrowed: what a token may see is
its maker's bounds and its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from middleplatform.access.errors import AccessError
from models.site.model import Retention, Site

EVENTS = "events"
"""The class of data that events are; samples are of the class of their point's retention."""
CLASSES = (*(str(each) for each in Retention), EVENTS)
MOST = 200
"""Names that one bound may list."""
MOST_BOUNDS = 8
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """None: not bounded in this. An area holds those that lie in it; a subsystem is a category of equipment."""

    mines: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    subsystems: frozenset[str] | None = None
    classes: frozenset[str] | None = None

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Self:
        """From what a person or program wrote: lists by name. Raises AccessError."""
        names = [field.name for field in fields(cls)]
        for key in asked:
            if key not in names:
                raise _wrong(
                    f"没有 '{key!s:.40}'，可用 {'、'.join(names)}", f"takes {', '.join(names)}, not '{key!s:.40}'"
                )
        return cls(**{name: _named(name, asked[name]) for name in names if asked.get(name) is not None})

    def as_json(self) -> dict[str, list[str]]:
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: sorted(names) for name, names in found.items() if names is not None}


@dataclass(frozen=True, slots=True)
class Scope:
    """`bounds` must all hold; none: everything is seen."""

    bounds: tuple[Bounds, ...] = ()

    @classmethod
    def of(cls, asked: Mapping[str, Any] | None) -> Self:
        """One set of bounds as it was written. Raises AccessError."""
        bounds = Bounds.of(asked or {})
        return cls() if bounds == Bounds() else cls((bounds,))

    @classmethod
    def load(cls, text: str | None) -> Self:
        """From the relational store. Raises AccessError when it cannot be read: then nothing is seen."""
        try:
            found = json.loads(text) if text else []
            return cls(tuple(Bounds.of(each) for each in found))
        except (ValueError, TypeError, AttributeError) as error:
            raise AccessError("关系库中的数据范围无法读取 · a scope in the relational store cannot be read") from error

    def dump(self) -> str | None:
        """As the relational store keeps it; None for everything."""
        return json.dumps(self.as_json()) if self.bounds else None

    def as_json(self) -> list[dict[str, list[str]]]:
        return [each.as_json() for each in self.bounds]

    @property
    def everything(self) -> bool:
        return not self.bounds

    @property
    def events(self) -> bool:
        """Whether events are seen at all."""
        return all(each.classes is None or EVENTS in each.classes for each in self.bounds)

    def narrowed(self, by: Scope) -> Scope:
        """What both allow. Raises AccessError when it was narrowed too often."""
        both = tuple(dict.fromkeys((*self.bounds, *by.bounds)))
        if len(both) > MOST_BOUNDS:
            raise _wrong(f"范围叠加最多 {MOST_BOUNDS} 层", f"is narrowed at most {MOST_BOUNDS} times")
        return Scope(both)

    def points(self, site: Site) -> NDArray[np.bool_]:
        """For each of the site's points, in its order, whether it is seen."""
        seen = np.ones(len(site.points), np.bool_)
        for bounds in self.bounds:
            inside = _equipment(bounds, site)
            seen &= np.fromiter(
                (
                    point.equipment.rpartition("/")[2] in inside
                    and (bounds.classes is None or str(point.retention) in bounds.classes)
                    and (bounds.mines is None or point.path.partition("/")[0] in bounds.mines)
                    for point in site.points
                ),
                np.bool_,
                len(site.points),
            )
        return seen

    def equipment(self, site: Site) -> frozenset[str]:
        """The ids of the equipment within every bound, whatever is seen of it."""
        found = frozenset(site.equipment)
        for bounds in self.bounds:
            found &= _equipment(bounds, site)
        return found


EVERYTHING = Scope()


def _equipment(bounds: Bounds, site: Site) -> frozenset[str]:
    if bounds.mines is not None and site.code not in bounds.mines:
        return frozenset()
    return frozenset(
        name
        for name, equipment in site.equipment.items()
        if (bounds.areas is None or not bounds.areas.isdisjoint(site.areas_around(equipment.area)))
        and (bounds.subsystems is None or equipment.subsystem in bounds.subsystems)
    )


def _named(field: str, names: Any) -> frozenset[str]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise _wrong(f"{field} 须为列表", f"needs a list for {field}")
    found = list(names)
    if not 1 <= len(found) <= MOST:
        raise _wrong(f"{field} 须有 1 至 {MOST} 项", f"takes 1 to {MOST} names for {field}; leave it out for all")
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _wrong(f"{field} 中有无效名称 '{name!s:.40}'", f"has no name '{name!s:.40}' for {field}")
        if field == "classes" and name not in CLASSES:
            raise _wrong(f"数据类别应为 {'、'.join(CLASSES)}", f"knows the classes {', '.join(CLASSES)}, not '{name}'")
    return frozenset(found)


def _wrong(zh: str, en: str) -> AccessError:
    return AccessError(f"数据范围 {zh} · a scope {en}")
