"""Ranked search over points, in Chinese and English alike.

Every word of the question must be found. A Chinese word that is nowhere whole is taken apart into pairs of characters,
of which more than half must be found ("一号带速" finds the speed of 一号带式输送机); a word's synonyms count nearly as
much as itself. A point ranks by how well (whole, at a word's start, inside) and where (name before equipment before
area) each word was found.

Points share most of their words, so each field is kept as its distinct texts and asked of all of them at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.dictionaries.shape import Entry
from models.site.model import Equipment, Name, Point, Site

MOST_WORDS = 10
_WEIGHTS = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)
"""Of a point's fields: name and key, path and id, role and code, equipment, area and template, unit and address."""
_PATHS = 1
"""The place of paths and ids among them."""
_WHOLE, _START, _INSIDE, _PAIRS = 1.0, 0.7, 0.5, 0.3
_SYNONYM = 0.8
_OWN = 0.5
_CHINESE = re.compile(r"[㐀-鿿]{3,}")
_BEFORE = ("\t", " ", "/", "_", ".", "-")
"""What stands before the start of a word; a tab parts the texts of a field."""
_BLANK = re.compile(r"[^\S\t]")

Rows = NDArray[np.intp]


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
        around = {name: _around(equipment, site) for name, equipment in site.equipment.items()}
        rows = [_fields(point, around, codes or {}) for point in site.points]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(_WEIGHTS)
        self._fields = [_Paths(texts) if place == _PATHS else _Field(texts) for place, texts in enumerate(columns)]

    def find(self, q: str, among: Iterable[int], synonyms: Sequence[Entry] = ()) -> list[int]:
        """Those of `among` that have every word of `q`, the best first; of equal ones in their order. All of them when
        `q` has no word."""
        rows: Rows = np.fromiter(among, np.intp)
        words = [_word(text, synonyms) for text in plain(q).split()[:MOST_WORDS]]
        if not words or not len(rows):
            return rows.tolist()
        score = np.zeros(len(rows))
        for word in words:
            found, part = self._found(word, rows)
            rows, score = rows[found], (score + part)[found]
        return rows[np.lexsort((rows, -score))].tolist()

    def _found(self, word: _Word, rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Which of the rows have a word, and how well."""
        best = np.zeros(len(rows))
        for weight, field in zip(_WEIGHTS, self._fields, strict=True):
            for way, share in word.ways:
                best = np.maximum(best, weight * share * field.match(way, rows))
        found = best > 0.0
        if not word.pairs:
            return found, best
        anywhere, own = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for pair in word.pairs:
            there = [field.holds(pair, rows) for field in self._fields]
            anywhere += np.any(there, axis=0)
            own += there[0]
        best = np.where(found, best, _PAIRS * (anywhere / len(word.pairs)))
        # Half of the pairs may span two words of the name: those need not be found. Of the points of an equipment
        # whose name holds the word, those named by a part of it come first.
        return found | (2 * anywhere > len(word.pairs)), best + _OWN * (own / len(word.pairs))


class _Field:
    """One field of all points: the distinct texts, and which of them each point has."""

    def __init__(self, texts: Sequence[str]) -> None:
        places: dict[str, int] = {}
        self._of: Rows = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.intp, len(texts))
        made = [_BLANK.sub(" ", f"\t{plain(text)}\t") for text in places]
        self._texts = pa.array(made, pa.large_string())
        self._plain_letters = all(text.isascii() for text in made)

    def match(self, way: str, rows: Rows) -> NDArray[np.float64]:
        """How well each row has it: whole, at a word's start, inside, or not at all."""
        of, places = self._distinct(rows)
        share = np.zeros(len(places))
        inside = self._with(way, places)
        if len(inside):
            texts = self._texts.take(pa.array(places[inside]))
            starts = np.any([_holds(texts, before + way) for before in _BEFORE], axis=0)
            whole = _holds(texts, f"\t{way}\t")
            share[inside] = np.where(whole, _WHOLE, np.where(starts, _START, _INSIDE))
        return share[of]

    def holds(self, part: str, rows: Rows) -> NDArray[np.bool_]:
        """Which of the rows have it anywhere."""
        of, places = self._distinct(rows)
        there = np.zeros(len(places), bool)
        there[self._with(part, places)] = True
        return there[of]

    def _distinct(self, rows: Rows) -> tuple[Rows, Rows]:
        """The place of each row's text among those to look at, and these."""
        of = self._of[rows]
        if 4 * len(rows) > len(self._texts):
            return of, np.arange(len(self._texts))
        places, of = np.unique(of, return_inverse=True)
        return of, places

    def _with(self, part: str, places: Rows) -> Rows:
        """Those of the texts, as indices into `places`, that have it."""
        if self._plain_letters and not part.isascii():
            return np.empty(0, np.intp)
        texts = self._texts if len(places) == len(self._texts) else self._texts.take(pa.array(places))
        return np.flatnonzero(_holds(texts, part))


class _Paths(_Field):
    """The field of paths and ids, of which no two are the same: what has no slash lies within a part of the path, and
    of these there are few, or within the id."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(texts)
        paths = [text.split("\t") for text in texts]
        columns = list(zip(*(path.split("/", 2) for path, *_ in paths), strict=True)) if paths else []
        self._parts = [_Field(column) for column in columns]
        self._ids = _Field([number for _, number, *_ in paths])

    def match(self, way: str, rows: Rows) -> NDArray[np.float64]:
        if "/" in way:
            return super().match(way, rows)
        found = [np.minimum(part.match(way, rows), _START) for part in self._parts]  # a part is not the whole path
        if _is_number(way):
            found.append(self._ids.match(way, rows))
        return np.max(found, axis=0)

    def holds(self, part: str, rows: Rows) -> NDArray[np.bool_]:
        if "/" in part:
            return super().holds(part, rows)
        fields = [*self._parts, self._ids] if _is_number(part) else self._parts
        return np.any([field.holds(part, rows) for field in fields], axis=0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _holds(texts: pa.Array, part: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring(texts, part).to_numpy(zero_copy_only=False)
    return found


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


def _around(equipment: Equipment, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of an equipment, and of the areas around it and its template."""
    areas = [site.areas[area] for area in site.areas_around(equipment.area) if area in site.areas]
    template = site.templates.get(equipment.template)
    return (
        (equipment.id, equipment.name.zh, equipment.name.en),
        (
            *(word for area in areas for word in (area.id, area.name.zh, area.name.en)),
            *((template.id, template.name.zh, template.name.en) if template is not None else ()),
        ),
    )


def _fields(
    point: Point, around: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]], codes: dict[str, Name]
) -> tuple[str, ...]:
    names, places = around.get(point.equipment, ((point.equipment,), ()))
    code = codes.get(point.sensor_code)
    fields = (
        (point.name.zh, point.name.en, point.key),
        (point.path, str(point.id), f"{point.equipment}/{point.key}"),
        (point.role, point.sensor_code, *((code.zh, code.en) if code is not None else ())),
        names,
        places,
        (point.unit, point.address, point.connection),
    )
    return tuple("\t".join(field) for field in fields)
