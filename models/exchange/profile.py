"""A profile: the separators, names and record layouts of one family of exchange files, from a data file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.site.model import Name

FOLDER = Path(__file__).parent / "profiles"
KINDS = ("code", "text", "number", "int", "time", "date")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is of KINDS; `longest` in characters; a record without a `required` one is bad."""

    name: str
    kind: str
    longest: int
    required: bool

    @staticmethod
    def read(name: str, words: str) -> Field:
        kind, *more = words.split()
        if kind not in KINDS:
            raise ValueError(f"the field '{name}' is of the unknown kind '{kind}'")
        lengths = [int(word) for word in more if word.isdigit()]
        return Field(name, kind, lengths[0] if lengths else 40, "required" in more)


@dataclass(frozen=True, slots=True)
class Layout:
    """One type of file: its header's and its records' fields. A record has `fewest` fields or more."""

    kind: str
    name: Name
    header: tuple[Field, ...]
    fields: tuple[Field, ...]
    fewest: int


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name says: the mine's code, the type without the profile's prefix, and its stamp
    (yyyyMMddHHmmss, local time)."""

    mine: str
    kind: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of files. `most_bad`: the part of the records that may be bad, 0 to 1."""

    id: str
    name: Name
    source: str
    effective_from: str
    field_end: str
    record_end: str
    file_end: str
    type_prefix: str
    encoding: str
    file_name: re.Pattern[str]
    most_bad: float
    layouts: Mapping[str, Layout]

    def read_name(self, name: str) -> FileName | None:
        """What a file's name says, None when it is no name of this family."""
        found = self.file_name.fullmatch(name)
        if found is None or not found[2].startswith(self.type_prefix):
            return None
        return FileName(found[1], found[2].removeprefix(self.type_prefix), found[3])


def _facts(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    base = facts.pop("based_on", None)
    return {**_facts(base), **facts} if base else facts


def _fields(facts: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(Field.read(name, words) for name, words in facts.items())


@cache
def profiles() -> tuple[str, ...]:
    """The ids of all profiles, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def profile(name: str) -> Profile:
    """The profile of that id. Raises KeyError, naming those that there are."""
    if name not in profiles():
        raise KeyError(f"there is no profile '{name}'; there are {', '.join(profiles())}")
    facts = _facts(name)
    layouts = {}
    for kind, layout in facts["records"].items():
        fields = _fields(layout["fields"])
        header = _fields(layout.get("header") or facts["header"])
        layouts[kind] = Layout(kind, Name(**layout["name"]), header, fields, layout.get("fewest", len(fields)))
    return Profile(
        id=facts["id"],
        name=Name(**facts["name"]),
        source=facts["source"],
        effective_from=str(facts["effective_from"]),
        field_end=facts["field_end"],
        record_end=facts["record_end"],
        file_end=facts["file_end"],
        type_prefix=facts["type_prefix"],
        encoding=facts["encoding"],
        file_name=re.compile(facts["file_name"]),
        most_bad=facts["most_bad"],
        layouts=layouts,
    )
