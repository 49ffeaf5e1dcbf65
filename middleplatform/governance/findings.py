"""One point held against the rules of `standard.yaml`."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import yaml

from middleplatform.governance.register import Held
from models import vocabulary
from models.site.library import LIBRARY
from models.site.model import Kind, Name, Point
from models.units import UnitError, compile_unit
from models.words import halves

_CHINESE = re.compile(r"[㐀-鿿]")
_UNIT_IN_NAME = re.compile(r"[(（\[][^)）\]]*(?:%|[a-zA-Z℃Ω°]/?[a-zA-Z0-9³²]*)[)）\]]\s*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a point does not follow. `value` is what it has; `proposed` the field and value that would do, with
    factor and offset where values have to be converted (new = old * factor + offset); None when nobody can tell."""

    point: str
    rule: str
    value: str
    why: Name
    proposed: dict[str, Any] | None = None


Judged = tuple[str, Finding | None]
"""A rule that applies, and what is wrong by it."""


class Judge:
    """Holds points against the rules, one at a time."""

    def __init__(self, parameters: Mapping[str, Any], held: Held) -> None:
        self._equipment = re.compile(parameters["equipment_form"])
        self._key = re.compile(parameters["key_form"])
        self._longest = int(parameters["longest_name"])
        self._value_types: Mapping[str, list[str]] = parameters["value_types"]
        self._held = held

    def point(self, point: Point, names: Counter[tuple[str, str]]) -> Iterator[Judged]:
        """Every rule that applies to a point. `names`: how often an equipment has a Chinese name."""
        yield from self._paths(point)
        yield from self._names(point, names)
        yield from self._role(point)
        yield from self._code(point)
        yield from self._assigned(point)
        if point.kind is Kind.ANALOG:
            bounded = math.isfinite(point.low) and math.isfinite(point.high)
            why = Name("没有上限或下限，越限无法判断", "a bound is missing: nothing says what cannot be true")
            yield "range", None if bounded else Finding(point.path, "range", f"{point.low:g} … {point.high:g}", why)

    def _paths(self, point: Point) -> Iterator[Judged]:
        for rule, form, text in (("equipment_id", self._equipment, point.equipment), ("key", self._key, point.key)):
            if form.fullmatch(text):
                yield rule, None
                continue
            better = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
            better = better if better[:1].isalpha() else f"p_{better}" if rule == "key" else f"e_{better}"
            why = Name(f"“{text}”不是 {form.pattern}", f"'{text}' is not of the form {form.pattern}")
            yield rule, Finding(point.path, rule, text, why, {"field": rule, "value": better})

    def _names(self, point: Point, names: Counter[tuple[str, str]]) -> Iterator[Judged]:
        zh, en = point.name.zh, point.name.en
        role = vocabulary.roles().get(point.role)
        wrong = None
        if not _CHINESE.search(zh):
            wrong = Name("没有汉字", "has no Chinese character")
        elif _UNIT_IN_NAME.search(zh):
            wrong = Name("名称里写了单位", "holds the unit, which has a field of its own")
        elif len(zh) > self._longest:
            wrong = Name(f"超过 {self._longest} 字", f"is over {self._longest} characters")
        better = _UNIT_IN_NAME.sub("", zh).strip() if wrong is not None and _CHINESE.search(zh) else ""
        better = better[: self._longest] or (role.name.zh if role is not None else "")
        yield "name_zh", wrong and Finding(point.path, "name_zh", zh, wrong, _proposed("name_zh", better))
        wrong = None
        if not en.isascii() or not en.isprintable() or not any(c.isalpha() for c in en):
            wrong = Name("不是拉丁字符", "is not of Latin characters")
        elif len(en) > self._longest:
            wrong = Name(f"超过 {self._longest} 字符", f"is over {self._longest} characters")
        better = role.name.en if role is not None else ""
        yield "name_en", wrong and Finding(point.path, "name_en", en, wrong, _proposed("name_en", better))
        again = names[point.equipment, zh]
        wrong = Name(f"该设备有 {again} 个测点叫“{zh}”", f"{again} points of this equipment are named so")
        better = f"{zh} {point.key}"[: self._longest]
        yield (
            "name_once",
            Finding(point.path, "name_once", zh, wrong, _proposed("name_zh", better)) if again > 1 else None,
        )

    def _role(self, point: Point) -> Iterator[Judged]:
        role = vocabulary.roles().get(point.role)
        if role is None:
            why = Name("不在角色词表中", "is not in the vocabulary of roles: nothing binds to it")
            yield "role", Finding(point.path, "role", point.role, why, _proposed("role", _nearest_role(point)))
            return
        yield "role", None
        if role.kind is not point.kind:
            why = Name(f"角色为 {role.kind}", f"the role is of kind {role.kind}")
            yield "role_kind", Finding(point.path, "role_kind", point.kind, why, _proposed("kind", str(role.kind)))
            return
        yield "role_kind", None
        if point.kind in (Kind.ANALOG, Kind.COUNTER):
            yield from _unit(point, role.unit)

    def _code(self, point: Point) -> Iterator[Judged]:
        edition, known = self._held.codes
        usual = [code for code in codes_of_roles().get(point.role, ()) if code in known]
        if not point.sensor_code:
            if usual and point.kind is not Kind.TEXT:
                words = known[usual[0]]
                why = Name(f"同角色测点的编码为 {usual[0]} {words['zh']}", f"points of this role have {usual[0]}")
                yield "code", Finding(point.path, "code", "", why, _proposed("sensor_code", usual[0]))
            return
        yield "code", None
        found = known.get(point.sensor_code)
        if found is None:
            day = edition.effective_from.isoformat() if edition is not None else "—"
            why = Name(f"{day} 生效的字典中没有", f"is not in the dictionary that holds from {day}")
            near = usual[0] if usual else _nearest_code(point, known)
            yield (
                "code_known",
                Finding(point.path, "code_known", point.sensor_code, why, _proposed("sensor_code", near)),
            )
            return
        yield "code_known", None
        fits = point.kind in self._value_types.get(found["value_type"], ())
        why = Name(
            f"{point.sensor_code} {found['zh']} 为 {found['value_type']}，测点为 {point.kind}",
            f"{point.sensor_code} is of value type {found['value_type']}, the point of kind {point.kind}",
        )
        yield "code_kind", None if fits else Finding(point.path, "code_kind", point.sensor_code, why)

    def _assigned(self, point: Point) -> Iterator[Judged]:
        """Class and owner, where the mine has loaded any."""
        if self._held.classes[1]:
            why = Name("没有分类规则适用", "no rule of the classification names it")
            wrong = Finding(point.path, "class", "", why) if self._held.classified.of(point) is None else None
            yield "class", wrong
        if self._held.owners is not None and self._held.owners.entries:
            why = Name("没有责任人规则适用", "no rule of the owners names it")
            yield "owner", Finding(point.path, "owner", "", why) if self._held.owned.of(point) is None else None


def _unit(point: Point, standard: str) -> Iterator[Judged]:
    if point.unit == standard:
        yield "unit_fits", None
        yield "unit_standard", None
        return
    proposed: dict[str, Any] = {"field": "unit", "value": standard}
    try:
        way = compile_unit(point.unit, standard)
    except UnitError as error:
        why = Name(f"“{point.unit}”不能换算为“{standard}”", f"cannot be converted to '{standard}': {halves(error).en}")
        yield "unit_fits", Finding(point.path, "unit_fits", point.unit, why, proposed)
        return
    yield "unit_fits", None
    why = Name(f"角色的标准单位为“{standard}”", f"the role's standard unit is '{standard}'")
    proposed |= {"factor": way.factor, "offset": way.offset}
    yield "unit_standard", Finding(point.path, "unit_standard", point.unit, why, proposed)


def _proposed(field: str, value: str) -> dict[str, Any] | None:
    return {"field": field, "value": value} if value else None


@lru_cache(maxsize=4096)
def _near(word: str, kind: str, unit: str) -> str:
    """The role of that kind and unit that is nearest to a word, "" for none."""
    fits = [name for name, role in vocabulary.roles().items() if role.kind == kind and (not unit or role.unit == unit)]
    near = difflib.get_close_matches(word, fits, n=1, cutoff=0.5)
    return near[0] if near else fits[0] if len(fits) == 1 else ""


def _nearest_role(point: Point) -> str:
    return _near(point.role, str(point.kind), point.unit) or _near(
        point.key.replace("_", "."), str(point.kind), point.unit
    )


def _nearest_code(point: Point, known: Mapping[str, Mapping[str, str]]) -> str:
    """The code whose words are nearest to the point's name."""
    by_name = {entry["zh"]: code for code, entry in known.items()}
    near = difflib.get_close_matches(point.name.zh, list(by_name), n=1, cutoff=0.5)
    return by_name[near[0]] if near else ""


@cache
def codes_of_roles() -> dict[str, tuple[str, ...]]:
    """The national codes that the library's templates give to each role, the most usual first."""
    found: dict[str, Counter[str]] = {}
    for path in sorted(LIBRARY.glob("*.yaml")):
        template = yaml.load(path.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader of our own files
        for point in template["points"].values():
            if code := str(point.get("sensor_code") or ""):
                found.setdefault(point["role"], Counter())[code] += 1
    return {role: tuple(code for code, _ in codes.most_common()) for role, codes in found.items()}


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
