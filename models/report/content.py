"""A report's content: the same in every language and form, with the code that it is known by.

Texts are in Chinese and English; numbers are as they were reckoned, not as they are rounded for a page. The canonical
document of a content holds all of it, and the digests of the days that it was made of; the code is its digest, short.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from models.kpi.period import Mine
from models.site.model import Name

Value = str | int | float | Name | None
"""None: not known, or not so. Text is written as it is; a `Name` in the reader's language."""

CODE_CHARACTERS = 20


class Kind(StrEnum):
    """Of reports: of a mine's shift, day, month; of a month of several mines for the bureau."""

    SHIFT = "shift"
    DAILY = "daily"
    MONTHLY = "monthly"
    BUREAU = "bureau"


class Form(StrEnum):
    """What a cell holds, and so how it is written. `SHARE` is a part of 1, written in per cent."""

    TEXT = "text"
    SHARE = "share"
    HOURS = "hours"
    COUNT = "count"
    NUMBER = "number"


class Total(StrEnum):
    """How the last row of a table follows from those above. `FORMULA`: as a row's own cell; `WEIGHTED`: their mean by
    the column `weight`, over rows that have one."""

    NONE = ""
    SUM = "sum"
    FORMULA = "formula"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True)
class Column:
    """`formula`: how a cell follows from others of its row, with columns' keys in braces; a reader may check it. The
    cell's value stands beside it all the same. `wide`: characters that it should have room for, 0: a number's."""

    key: str
    title: Name
    form: Form = Form.TEXT
    formula: str = ""
    total: Total = Total.NONE
    wide: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of columns (`series`) by what stands in the column `label`; `line`: joined points in place of bars.
    `target`: a line across, None for none."""

    title: Name
    label: str
    series: tuple[str, ...]
    line: bool = False
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: cells in the columns' order; `total`: the last row, None where there is none; `note`: what is to be known
    of it. A table without rows says so."""

    key: str
    title: Name
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None = None
    chart: Chart | None = None
    note: Name | None = None


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """What a reader looks for first. `bounds`: least and most; `coverage`: of what part it is known."""

    title: Name
    value: Value
    form: Form
    bounds: tuple[float, float] | None = None
    coverage: float | None = None
    words: Name | None = None


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A kept document that it was made of, named by its digest."""

    mine: str
    section: str
    day: date
    revision: int
    digest: str


@dataclass(frozen=True, slots=True)
class Content:
    """`shift`: the key of the stretch of a shift's report, "" of others; `shifts`: names of shifts by their keys;
    `left_out`: sections that are not kept, in words; `versions`: what → its version, the program's among them."""

    kind: Kind
    title: Name
    mines: tuple[Mine, ...]
    first: date
    last: date
    shift: str
    shifts: Mapping[str, Name]
    keys: tuple[KeyFigure, ...]
    tables: tuple[Table, ...]
    definitions: tuple[Name, ...]
    left_out: tuple[Name, ...]
    versions: Mapping[str, str]
    sources: tuple[Source, ...] = field(repr=False)

    def document(self) -> str:
        """As canonical JSON: the same content gives the same text."""
        return json.dumps(_plain(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def code(self) -> str:
        """The verification code: groups of four of A-Z and 2-7, 100 bits of the document's SHA-256."""
        return code_of(self.document())

    @staticmethod
    def read(document: str) -> Content:
        """What `document` wrote. Raises ValueError for what it cannot have written."""
        try:
            return _content(json.loads(document))
        except (KeyError, TypeError, AttributeError, RecursionError) as wrong:
            raise ValueError(f"this is no report's content: {wrong!r}") from wrong


def code_of(document: str) -> str:
    """The code of a canonical document."""
    letters = base64.b32encode(hashlib.sha256(document.encode()).digest()).decode()[:CODE_CHARACTERS]
    return "-".join(letters[at : at + 4] for at in range(0, CODE_CHARACTERS, 4))


def normal_code(text: str) -> str | None:
    """A code as somebody typed it; None where it cannot be one."""
    letters = "".join(each for each in text.upper() if not each.isspace() and each != "-")
    if len(letters) != CODE_CHARACTERS or not set(letters) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return None
    return "-".join(letters[at : at + 4] for at in range(0, CODE_CHARACTERS, 4))


def _plain(each: Any) -> Any:
    if isinstance(each, Name):
        return {"zh": each.zh, "en": each.en}
    if isinstance(each, date):
        return each.isoformat()
    if isinstance(each, Mapping):
        return {key: _plain(value) for key, value in each.items()}
    if isinstance(each, tuple):
        return [_plain(value) for value in each]
    if hasattr(each, "__dataclass_fields__"):
        return {name: _plain(getattr(each, name)) for name in each.__dataclass_fields__}
    return each


def _content(facts: Mapping[str, Any]) -> Content:
    return Content(
        Kind(facts["kind"]),
        _name(facts["title"]),
        tuple(Mine(**{**each, "name": _name(each["name"])}) for each in facts["mines"]),
        date.fromisoformat(facts["first"]),
        date.fromisoformat(facts["last"]),
        facts["shift"],
        {key: _name(each) for key, each in facts["shifts"].items()},
        tuple(_key(each) for each in facts["keys"]),
        tuple(_table(each) for each in facts["tables"]),
        tuple(map(_name, facts["definitions"])),
        tuple(map(_name, facts["left_out"])),
        facts["versions"],
        tuple(Source(**{**each, "day": date.fromisoformat(each["day"])}) for each in facts["sources"]),
    )


def _key(facts: Mapping[str, Any]) -> KeyFigure:
    bounds = facts["bounds"]
    return KeyFigure(
        _name(facts["title"]),
        _value(facts["value"]),
        Form(facts["form"]),
        None if bounds is None else (bounds[0], bounds[1]),
        facts["coverage"],
        _optional(facts["words"]),
    )


def _table(facts: Mapping[str, Any]) -> Table:
    chart, total = facts["chart"], facts["total"]
    return Table(
        facts["key"],
        _name(facts["title"]),
        tuple(_column(each) for each in facts["columns"]),
        tuple(tuple(map(_value, row)) for row in facts["rows"]),
        None if total is None else tuple(map(_value, total)),
        None if chart is None else _chart(chart),
        _optional(facts["note"]),
    )


def _column(facts: Mapping[str, Any]) -> Column:
    kinds = {"title": _name(facts["title"]), "form": Form(facts["form"]), "total": Total(facts["total"])}
    return Column(**{**facts, **kinds})


def _chart(facts: Mapping[str, Any]) -> Chart:
    return Chart(**{**facts, "title": _name(facts["title"]), "series": tuple(facts["series"])})


def _value(each: Any) -> Value:
    if isinstance(each, dict):
        return _name(each)
    if each is None or isinstance(each, (str, int, float)):
        return each
    raise TypeError(f"{each!r} is no cell")


def _name(facts: Mapping[str, str]) -> Name:
    return Name(facts["zh"], facts["en"])


def _optional(facts: Mapping[str, str] | None) -> Name | None:
    return None if facts is None else _name(facts)
