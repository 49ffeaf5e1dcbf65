"""Ranked search over points, one point after the other: what the index must give.

Every word of the question must be found. A Chinese word that is nowhere whole is taken apart into pairs of characters,
of which more than half must be found ("一号带速" finds the speed of 一号带式输送机); a word's synonyms count nearly as
much as itself. A point ranks by how well (whole, at a word's start, inside) and where (name before equipment before
area) each word was found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.dictionaries.shape import Entry
from models.site.model import Name, Point, Site

MOST_WORDS = 10
_WEIGHTS = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)
"""Of a point's fields: name and key, path and id, role and code, equipment, area and template, unit and address."""
_WHOLE, _START, _INSIDE, _PAIRS = 1.0, 0.7, 0.5, 0.3
_SYNONYM = 0.8
_OWN = 0.5
_CHINESE = re.compile(r"[㐀-鿿]{3,}")


def plain(text: str) -> str:
    """Text as it is compared: full-width forms, case and accents of width made equal."""
    return unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of the question: the ways to find it, each with its share."""

    ways: tuple[tuple[str, float], ...]
    pairs: tuple[str, ...]


class Search:
    """The words of a site's points, made once. Indices are those of `site.points`."""

    def __init__(self, site: Site, codes: dict[str, Name] | None = None) -> None:
        """`codes`: the words of the national sensor codes."""
        self._fields = [_fields(point, site, codes or {}) for point in site.points]
        self._texts = ["\n".join(fields) for fields in self._fields]

    def find(self, q: str, among: Iterable[int], synonyms: Sequence[Entry] = ()) -> list[int]:
        """Those of `among` that have every word of `q`, the best first; of equal ones in their order. All of them when
        `q` has no word."""
        words = [_word(text, synonyms) for text in plain(q).split()[:MOST_WORDS]]
        if not words:
            return list(among)
        scored = []
        for index in among:
            text = self._texts[index]
            if all(_has(word, text) for word in words):
                scored.append((-sum(_score(word, self._fields[index], text) for word in words), index))
        return [index for _, index in sorted(scored)]


def _word(text: str, synonyms: Sequence[Entry]) -> _Word:
    standard = {plain(entry["term"]): plain(entry["means"]) for entry in synonyms}
    group = standard.get(text, text if text in standard.values() else None)
    ways = {text: 1.0}
    if group is not None:
        for other in (group, *(term for term, means in standard.items() if means == group)):
            ways.setdefault(other, _SYNONYM)
    pairs = [run[i : i + 2] for run in _CHINESE.findall(text) for i in range(0, len(run) - 1)]
    rest = [part for part in _CHINESE.split(text) if part]
    return _Word(tuple(ways.items()), (*pairs, *rest) if pairs else ())


def _has(word: _Word, text: str) -> bool:
    if any(way in text for way, _ in word.ways):
        return True
    # Half of the pairs may span two words of the name: those need not be found.
    return bool(word.pairs) and 2 * sum(pair in text for pair in word.pairs) >= len(word.pairs) + 1


def _score(word: _Word, fields: Sequence[str], text: str) -> float:
    best = 0.0
    for weight, field in zip(_WEIGHTS, fields, strict=True):
        for way, share in word.ways:
            best = max(best, weight * share * _match(way, field))
    if best == 0.0:
        best = _PAIRS * _share(word.pairs, text)
    # Of the points of an equipment whose name holds the word, those named by a part of it come first.
    return best + _OWN * _share(word.pairs, fields[0])


def _share(pairs: Sequence[str], text: str) -> float:
    return sum(pair in text for pair in pairs) / len(pairs) if pairs else 0.0


def _match(way: str, field: str) -> float:
    at = field.find(way)
    if at < 0:
        return 0.0
    parts = field.split("\t")
    if way in parts:
        return _WHOLE
    starts = any(part.startswith(way) or re.search(rf"[\s/_.-]{re.escape(way)}", part) for part in parts)
    return _START if starts else _INSIDE


def _fields(point: Point, site: Site, codes: dict[str, Name]) -> tuple[str, ...]:
    equipment = site.equipment.get(point.equipment)
    names = (equipment.id, equipment.name.zh, equipment.name.en) if equipment is not None else (point.equipment,)
    areas = [
        site.areas[area] for area in site.areas_around(equipment.area if equipment else None) if area in site.areas
    ]
    code = codes.get(point.sensor_code)
    template = site.templates.get(equipment.template) if equipment is not None else None
    fields = (
        (point.name.zh, point.name.en, point.key),
        (point.path, str(point.id), f"{point.equipment}/{point.key}"),
        (point.role, point.sensor_code, *((code.zh, code.en) if code is not None else ())),
        names,
        (
            *(word for area in areas for word in (area.id, area.name.zh, area.name.en)),
            *((template.id, template.name.zh, template.name.en) if template is not None else ()),
        ),
        (point.unit, point.address, point.connection),
    )
    return tuple(plain("\t".join(field)) for field in fields)
