"""What a dictionary is, and what its rows may hold (`kinds.yaml`)."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.site.model import Name

FOLDER = Path(__file__).parent
MAX_TEXT = 500
"""Characters of one cell."""
MAX_ENTRIES = 20_000
Entry = Mapping[str, str]
"""A row: text by column, columns that are empty left out."""
Say = Callable[[int, str, str], None]
"""Tells a mistake: of the row (from 0), in the column, in words."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `form`: what its text must match whole, "" for anything; `one_of`: the only words, () for any."""

    name: str
    title: str
    form: str = ""
    one_of: tuple[str, ...] = ()
    key: bool = False
    needs: bool = False

    def wrong(self, text: str) -> str | None:
        """What is wrong with a cell's text; None when nothing is."""
        if not text:
            return f"“{self.title}”不能为空 · '{self.name}' may not be empty" if self.key or self.needs else None
        if len(text) > MAX_TEXT:
            return f"超过 {MAX_TEXT} 个字符 · over {MAX_TEXT} characters"
        if not text.isprintable():
            return "含不可见字符 · holds characters that cannot be seen"
        if self.form and not re.fullmatch(self.form, text):
            return f"'{text[:40]}' 格式应为 {self.form} · '{text[:40]}' must be of the form {self.form}"
        if self.one_of and text not in self.one_of:
            zh = f"'{text[:40]}' 应为 {'、'.join(self.one_of)} 之一"
            return f"{zh} · '{text[:40]}' must be one of {', '.join(self.one_of)}"
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of dictionary."""

    id: str
    name: Name
    means: Name
    columns: tuple[Column, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    def check(self, entries: Sequence[Entry], say: Say) -> None:
        """Tell every mistake in the rows of a dictionary of this kind."""
        names = {column.name for column in self.columns}
        first: dict[tuple[str, ...], int] = {}
        for row, entry in enumerate(entries):
            for name in entry.keys() - names:
                zh = f"没有此列，现有 {'、'.join(sorted(names))}"
                say(row, name, f"{zh} · there is no such column; there are {', '.join(sorted(names))}")
            for column in self.columns:
                if message := column.wrong(entry.get(column.name, "")):
                    say(row, column.name, message)
            key = tuple(entry.get(name, "") for name in self.keys)
            if (before := first.setdefault(key, row)) != row:
                said = f"'{'/'.join(key)}'"
                zh = f"{said} 重复，前一次在第 {before + 1} 行"
                say(row, self.keys[0], f"{zh} · {said} is here twice; first in row {before + 1}")
        if "parent" in names:
            self._check_parents(entries, say)

    def _check_parents(self, entries: Sequence[Entry], say: Say) -> None:
        above = {entry.get("code", ""): entry.get("parent", "") for entry in entries}
        for row, entry in enumerate(entries):
            parent = entry.get("parent", "")
            if parent and parent not in above:
                say(row, "parent", f"没有上级 '{parent}' · there is no entry '{parent}'")
                continue
            seen = {entry.get("code", "")}
            while parent:
                if parent in seen:
                    say(row, "parent", "上级成环 · it lies within itself")
                    break
                seen.add(parent)
                parent = above.get(parent, "")


@dataclass(frozen=True, slots=True)
class Dictionary:
    """One edition of a dictionary, which holds from the day `effective_from` on until another does."""

    kind: str
    edition: str
    effective_from: datetime.date
    source: str
    entries: tuple[Entry, ...]

    def digest(self) -> str:
        """Equal for equal content: 32 hexadecimal digits."""
        facts = [self.kind, self.edition, self.effective_from.isoformat(), self.source, [dict(e) for e in self.entries]]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its id."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "kinds.yaml").read_text("utf-8"))["kinds"]
    return {
        name: Kind(
            name,
            Name(facts["name"]["zh"], facts["name"]["en"]),
            Name(facts["means"]["zh"], facts["means"]["en"]),
            tuple(
                Column(
                    column,
                    about["title"],
                    about.get("form", ""),
                    tuple(about.get("one_of", ())),
                    about.get("key", False),
                    about.get("needs", False),
                )
                for column, about in facts["columns"].items()
            ),
        )
        for name, facts in found.items()
    }
