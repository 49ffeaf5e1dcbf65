"""What to make of an alarm and what to do about it, in words for the one who answers it: `advice.yaml`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from models.site.model import Name
from models.thing import Names, Strict


@dataclass(frozen=True, slots=True)
class Advice:
    """`means`: what it says; `causes`: what mostly brings it about; `follows`: what comes when nothing is done; `do`:
    what to do. `confirmed`: whether a mine has confirmed the words."""

    means: Name
    causes: Name
    follows: Name
    do: Name
    source: Name
    effective_from: str
    confirmed: bool


class _Entry(Strict):
    """`roles`: of the point; any where left out."""

    rules: tuple[str, ...]
    roles: tuple[str, ...] | None = None
    means: Names
    causes: Names
    follows: Names
    do: Names


class _Book(Strict):
    """The file. A sentence with a comma that is not quoted would end there: what it leaves over is refused."""

    effective_from: datetime.date
    confirmed: bool
    source: Names
    advice: tuple[_Entry, ...]


def advice(rule: str, role: str) -> Advice | None:
    """Of a rule at a point of a role ("" where it is no point); None where nothing is written of it."""
    said = _said()
    for each in said.advice:
        if each.roles is not None and role not in each.roles:
            continue
        if any(fnmatchcase(rule, name) for name in each.rules):
            words = (part.resolved() for part in (each.means, each.causes, each.follows, each.do))
            return Advice(*words, said.source.resolved(), said.effective_from.isoformat(), said.confirmed)
    return None


@cache
def _said() -> _Book:
    return read((Path(__file__).parent / "advice.yaml").read_text("utf-8"))


def read(text: str) -> _Book:
    """Raises pydantic's ValidationError where anything is not as it should be."""
    return _Book.model_validate(yaml.safe_load(text))
