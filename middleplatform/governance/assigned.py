"""Which owner and which class a point has, by the patterns of the dictionaries.

A pattern is `<what>:<glob>`: `point:belt_101/*`, `equipment:belt_*`, `role:ch4`, `template:methane_sensor`,
`area:face_3205` (those inside it too), `subsystem:safety` (the template's category), or `*` for every point. Several
are separated by blanks or `;`. The closest holds: a point's own before its equipment's, and so on down to `*`; of two
as close the longer pattern, then the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate

from models.dictionaries.shape import Entry
from models.site.model import Point, Site

WHAT = ("*", "subsystem", "area", "template", "role", "equipment", "point")
"""From the farthest to the closest."""


class Assigned:
    """Finds for points the row of a dictionary that applies to them."""

    def __init__(self, entries: Sequence[Entry], site: Site) -> None:
        self._site = site
        self._rules: list[tuple[tuple[int, int, int], str, re.Pattern[str], Entry]] = []
        for row, entry in enumerate(entries):
            for part in _split(entry.get("applies_to", "")):
                what, _, glob = part.partition(":")
                if what in WHAT:
                    rank = (WHAT.index(what), len(glob), -row)
                    self._rules.append((rank, what, re.compile(translate(glob or "*")), entry))
        self._rules.sort(key=lambda rule: rule[0], reverse=True)
        self._known: dict[str, Entry | None] = {}

    def touching(self, points: Iterable[Point]) -> list[Entry]:
        """The rows that apply to one of these points at least, whether or not a closer one does too; in their order."""
        seen = [self._words(point) for point in points]
        held = {
            -rank[2]: entry
            for rank, what, pattern, entry in self._rules
            if any(pattern.match(word) for words in seen for word in words[what])
        }
        return [held[row] for row in sorted(held)]

    def of(self, point: Point) -> Entry | None:
        """The row that applies to a point; None when none does."""
        if not self._rules:
            return None
        if point.path not in self._known:
            self._known[point.path] = self._find(point)
        return self._known[point.path]

    def _find(self, point: Point) -> Entry | None:
        words = self._words(point)
        for _, what, pattern, entry in self._rules:
            if any(pattern.match(word) for word in words[what]):
                return entry
        return None

    def _words(self, point: Point) -> dict[str, tuple[str, ...]]:
        """What each kind of pattern is held against."""
        equipment = self._site.equipment.get(point.equipment)
        template = equipment.template if equipment is not None else ""
        return {
            "*": ("",),
            "point": (f"{point.equipment}/{point.key}", point.path),
            "equipment": (point.equipment,),
            "role": (point.role,),
            "template": (template,),
            "area": tuple(self._site.areas_around(equipment.area)) if equipment is not None else (),
            "subsystem": (equipment.subsystem,) if equipment is not None else (),
        }


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[\s;；]+", text) if part]
