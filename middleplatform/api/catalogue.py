"""The points of the site as callers name and find them."""

from __future__ import annotations

import copy
import difflib
import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.access.scope import EVERYTHING, Scope
from middleplatform.api.errors import ApiError, shown
from models.site.model import Name, Point, Site

MAX_POINTS = 200
"""Points that one request for history may name."""
_COMPARED = 2_000
"""Names that a wrong one is compared with at most: to name the nearest must not be a burden."""
_VIEWS = 64
"""Views by scope that are kept."""


class Catalogue:
    """Points by index: 0 … n-1 in the site's order, which the live table shares. `ids` is uint64.

    `within` gives a view that holds what one caller may see. It keeps the indices: `points` and `ids` are those of
    the whole site there too, to be read at indices that the view itself gave, and never gone through; `rows` are the
    indices of what is seen, and `site` holds nothing else.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.scope = EVERYTHING
        self.points = site.points
        self.ids: NDArray[np.uint64] = site.ids()
        self._by_id = {point.id: index for index, point in enumerate(self.points)}
        self._by_path = {point.path: index for index, point in enumerate(self.points)}
        self._of: dict[str, list[int]] = {equipment: [] for equipment in site.equipment}
        for index, point in enumerate(self.points):
            self._of.setdefault(_short(point.equipment), []).append(index)
        self._facts = [_facts(point, site) for point in self.points]
        self._search = [_searched(point, site) for point in self.points]
        self.rows: NDArray[np.intp] = np.arange(len(self.points), dtype=np.intp)
        self._views: OrderedDict[Scope, Catalogue] = OrderedDict()

    def __len__(self) -> int:
        """How many points are seen."""
        return len(self.rows)

    def within(self, scope: Scope) -> Catalogue:
        """What a scope lets be seen: everything else is unknown to the view. From the whole catalogue only; views
        are kept, so this is cheap. For the event loop's thread."""
        if scope.everything:
            return self
        view = self._views.get(scope)
        if view is None:
            view = self._views[scope] = self._view(scope)
            if len(self._views) > _VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(scope)
        return view

    def visible_ids(self) -> NDArray[np.uint64]:
        """The ids of the points that are seen, ascending: what an answer may hold."""
        return np.sort(self.ids[self.rows])

    def events_of(self, equipment: str | None) -> list[str] | None:
        """`<mine code>/<equipment>` of those whose events may be asked for when one is named or none is; None for
        all, whether the site knows them or not. Raises ApiError 404."""
        if equipment:
            path = self.equipment_path(equipment)
            return [path] if self.scope.events else []
        if self.scope.everything:
            return None
        return [f"{self.site.code}/{name}" for name in self.site.equipment] if self.scope.events else []

    def _view(self, scope: Scope) -> Catalogue:
        seen = scope.points(self.site)
        view = copy.copy(self)
        view.scope = scope
        view.rows = np.flatnonzero(seen)
        here = [self.points[row] for row in view.rows.tolist()]
        view._by_id = {point.id: self._by_id[point.id] for point in here}
        view._by_path = {point.path: self._by_path[point.path] for point in here}
        with_points = {_short(point.equipment) for point in here}
        within = scope.equipment(self.site)
        view._of = {
            name: [row for row in rows if seen[row]]
            for name, rows in self._of.items()
            if name in with_points or (name in within and (scope.events or not rows))
        }
        equipment = {name: found for name, found in self.site.equipment.items() if name in view._of}
        areas = {area for found in equipment.values() for area in self.site.areas_around(found.area)}
        connections = {point.connection for point in here}
        templates = {found.template for found in equipment.values()}
        paths = view._by_path.keys()
        view.site = replace(
            self.site,
            points=tuple(here),
            equipment=equipment,
            areas={name: area for name, area in self.site.areas.items() if name in areas},
            connections={name: found for name, found in self.site.connections.items() if name in connections},
            templates={name: found for name, found in self.site.templates.items() if name in templates},
            sequences={name: found for name, found in self.site.sequences.items() if found.points() <= paths},
            chambers={
                name: found
                for name, found in self.site.chambers.items()
                if found.points() <= paths and {_short(each) for each in found.equipment} <= equipment.keys()
            },
            rotations={name: found for name, found in self.site.rotations.items() if found.points() <= paths},
        )
        return view

    def facts(self, index: int) -> dict[str, Any]:
        """What a point is, as JSON has it. Not to be changed."""
        return self._facts[index]

    def index_of_id(self, number: int) -> int | None:
        return self._by_id.get(number)

    def resolve(self, names: Iterable[str], most: int, where: str = "point") -> NDArray[np.intp]:
        """Indices of points named by path, by path without the mine code, or by id; each name may be a
        comma list; in the order named, without repeats. Raises ApiError: too many, unknown."""
        wanted = list(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
        if len(wanted) > most:
            raise ApiError(
                400,
                "too_many_points",
                f"请求了 {len(wanted)} 个测点，一次最多 {most} 个，请分多次请求",
                f"{len(wanted)} points are named, at most {most} are answered at once: ask in several requests",
                where,
                limit=most,
            )
        found = [self._find(name) for name in wanted]
        unknown = [name for name, index in zip(wanted, found, strict=True) if index is None]
        if unknown:
            raise self._unknown(unknown, where)
        return np.array(list(dict.fromkeys(found)), np.intp)

    def one(self, name: str, where: str = "point") -> int:
        """The index of the one point named. Raises ApiError: none, more than one, unknown."""
        found = self.resolve([name], 1, where)
        if not len(found):
            raise ApiError(400, "no_point", "请指明一个测点", "name a point: its path or its id", where)
        return int(found[0])

    def equipment(self, names: Iterable[str], where: str = "equipment") -> NDArray[np.intp]:
        """Indices of the points of equipments, ascending. Raises ApiError 404 for one that is not there."""
        indices: set[int] = set()
        for name in dict.fromkeys(part.strip() for each in names for part in each.split(",") if part.strip()):
            found = self._of.get(_short(name)) if self._ours(name) else None
            if found is None:
                nearest = difflib.get_close_matches(_short(name)[:60], list(self._of)[:_COMPARED], 5, 0.4)
                raise ApiError(
                    404,
                    "unknown_equipment",
                    f"没有设备“{shown(name)}”{_perhaps_zh(nearest)}",
                    f"there is no equipment '{shown(name)}'{_perhaps(nearest)}",
                    where,
                    nearest=nearest,
                )
            indices.update(found)
        return np.array(sorted(indices), np.intp)

    def equipment_path(self, name: str) -> str:
        """`<mine code>/<equipment>` of one equipment, named with or without the code. Raises ApiError 404."""
        if "," in name:
            raise ApiError(
                400, "one_equipment", "此处只能指明一台设备", "one equipment can be named here, not a list", "equipment"
            )
        self.equipment([name])
        return f"{self.site.code}/{_short(name.strip())}"

    def search(self, q: str, equipment: Sequence[str], role: str, kind: str) -> list[int]:
        """Indices of points that hold every word of `q` in path, names, unit or role, ascending."""
        words = q.casefold().split()[:10]
        chosen = self.equipment(equipment).tolist() if any(equipment) else self.rows.tolist()
        return [
            index
            for index in chosen
            if (not role or self.points[index].role == role)
            and (not kind or self.points[index].kind == kind)
            and all(word in self._search[index] for word in words)
        ]

    def paths_of(self, ids: NDArray[np.uint64]) -> pa.DictionaryArray:
        """Paths of a column of ids, each of which is in the catalogue."""
        used, place = np.unique(ids, return_inverse=True)
        paths = pa.array([self.points[self._by_id[number]].path for number in used.tolist()], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), paths)

    def _find(self, name: str) -> int | None:
        index = self._by_path.get(name)
        if index is None and name.count("/") == 1:
            index = self._by_path.get(f"{self.site.code}/{name}")
        if index is None and name.isascii() and name.isdigit() and len(name) <= 20:
            index = self._by_id.get(int(name))
        return index

    def _ours(self, name: str) -> bool:
        return "/" not in name or name.split("/", maxsplit=1)[0] == self.site.code

    def _unknown(self, names: Sequence[str], where: str) -> ApiError:
        nearest = list(dict.fromkeys(path for name in names[:3] for path in self._nearest(name)))[:5]
        listed = ", ".join(f"'{shown(name)}'" for name in names[:5])
        return ApiError(
            404,
            "unknown_point",
            f"没有测点 {listed}{_perhaps_zh(nearest)}",
            f"there is no point {listed}{_perhaps(nearest)}",
            where,
            unknown=[shown(name) for name in names[:20]],
            nearest=nearest,
        )

    def _nearest(self, name: str) -> list[str]:
        """Paths whose equipment and key look like those named."""
        parts = name[:130].lower().split("/")
        equipments = list(self._of)[:_COMPARED]
        if len(parts) > 1:
            equipments = difflib.get_close_matches(parts[-2], equipments, 3, 0.4) or equipments
        keys: dict[str, list[str]] = {}
        for index in (i for equipment in equipments for i in self._of[equipment]):
            keys.setdefault(self.points[index].key, []).append(self.points[index].path)
            if len(keys) >= _COMPARED:
                break
        close = difflib.get_close_matches(parts[-1][:40], list(keys), 3, 0.4)
        return [path for key in close for path in keys[key][:3]]


def _short(equipment: str) -> str:
    """An equipment's id without the mine code."""
    return equipment.rpartition("/")[2]


def _perhaps(nearest: Sequence[str]) -> str:
    return f"; did you mean {', '.join(nearest)}?" if nearest else ""


def _perhaps_zh(nearest: Sequence[str]) -> str:
    return f"；是否指 {'、'.join(nearest)}？" if nearest else ""


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _facts(point: Point, site: Site) -> dict[str, Any]:
    equipment = site.equipment.get(_short(point.equipment))
    name = equipment.name if equipment is not None else Name(_short(point.equipment), _short(point.equipment))
    return {
        "point": point.path,
        "id": str(point.id),
        "equipment": {"id": _short(point.equipment), "name": name.words()},
        "key": point.key,
        "name": point.name.words(),
        "unit": point.unit,
        "role": point.role,
        "kind": str(point.kind),
        "retention": str(point.retention),
        "range": {"low": _number(point.low), "high": _number(point.high)},
        "limits": [
            {"kind": limit.kind, "value": _number(limit.value), "restore": limit.restore} for limit in point.limits
        ],
        "states": {str(code): words.words() for code, words in point.states.items()},
        "silence_s": point.silence_s,
        "writable": point.writable,
    }


def _searched(point: Point, site: Site) -> str:
    equipment = site.equipment.get(_short(point.equipment))
    names = (equipment.name.zh, equipment.name.en) if equipment is not None else ()
    return "\n".join((point.path, point.name.zh, point.name.en, point.unit, point.role, *names)).casefold()
