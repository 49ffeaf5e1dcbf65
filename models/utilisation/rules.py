"""What counts as production and as intelligent (`rules.yaml`): dated versions, read and checked."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Key, Names, Number, Strict, Text
from models.utilisation.conditions import AnyCondition, Reach, furthest, longest
from models.vocabulary import roles

FILE = Path(__file__).resolve().parent / "rules.yaml"

Share = Annotated[Number, Field(gt=0, le=1)]


class Clause(Strict):
    """A condition, and why time does not count where it does not hold. `if_measured`: it is not asked of a unit that
    has no point of what it reads."""

    key: Key
    when: AnyCondition
    otherwise: Names
    if_measured: bool = False


class Output(Strict):
    """The counter of what a unit makes: its work is weighed by it, beside by time."""

    role: Text
    of: Text | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """(role, of whom)."""
        return self.role, self.of or ""


class Category(Strict):
    """One of the categories of intelligent equipment."""

    name: Names
    templates: tuple[Key, ...] = ()
    chambers: bool = False
    with_: dict[Key, Key] = Field(default_factory=dict, alias="with")
    weight: Share
    ratings: dict[str, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    """By role: what the equipment is rated at where the site does not say; a usual size, not this machine's."""
    producing: tuple[Clause, ...]
    intelligent: Annotated[tuple[Clause, ...], Field(min_length=1)]
    stood: AnyCondition | None = None
    output: Output | None = None

    def clauses(self) -> Iterator[Clause]:
        yield from self.producing
        yield from self.intelligent

    def conditions(self) -> Iterator[AnyCondition]:
        yield from (clause.when for clause in self.clauses())
        if self.stood is not None:
            yield self.stood

    def reads(self) -> set[tuple[str, str]]:
        """(role, of whom) of all its conditions, and of its output."""
        own = set() if self.output is None else {self.output.pair}
        return own | {pair for one in self.conditions() for pair in one.reads() | one.wishes()}

    def reach(self) -> Reach:
        """How far around a time its conditions look, without how long values hold."""
        return furthest(one.reach() for one in self.conditions())

    def reaches(self) -> dict[tuple[str, str], Reach]:
        """(role, of whom) of all its conditions → how far around a time those that read it look."""
        found: dict[tuple[str, str], Reach] = {}
        for one in self.conditions():
            for pair in sorted(one.reads() | one.wishes()):
                found[pair] = furthest([found.get(pair, (0, 0)), one.reach()])
        return found

    def during(self) -> dict[str, int]:
        """The kinds of events that its conditions ask for → how long one of each lasts at most, µs."""
        return longest(one.kinds() for one in self.conditions())

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if bool(self.templates) == self.chambers:
            raise ValueError("a category is of units of 'templates' or of the site's 'chambers', one of the two")
        keys = [clause.key for clause in self.clauses()]
        if len(set(keys)) < len(keys):
            raise ValueError(
                f"two clauses have the same key: {', '.join(sorted(k for k in keys if keys.count(k) > 1))}"
            )
        for role, of in sorted(self.reads()):
            if role not in roles():
                raise ValueError(f"there is no role '{role}' (models/roles.yaml)")
            if of and of not in self.with_:
                raise ValueError(f"'of: {of}' is not in the category's 'with'")
        for role in self.ratings:
            if role not in roles():
                raise ValueError(f"ratings: there is no role '{role}' (models/roles.yaml)")
        return self


class Target(Strict):
    mine: Share
    category: Share


class Normalised(Strict):
    share: Share
    days: Annotated[int, Field(ge=1, le=31)]


class Version(Strict):
    """What holds from a date on."""

    version: Text
    effective_from: datetime.date
    source: Text
    confirmed: bool
    coverage: Share
    target: Target
    normalised: Normalised
    categories: Annotated[dict[Key, Category], Field(min_length=1)]

    @cached_property
    def digest(self) -> str:
        """SHA-256, hex, of all of it that decides a figure: the version's name says what it is called, this what it
        says. Words, and parts that are not used, are none of it."""
        facts = json.dumps(_decides(self), sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(facts.encode()).hexdigest()

    @model_validator(mode="after")
    def _weights(self) -> Self:
        total = sum(category.weight for category in self.categories.values())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the weights of the categories must add up to 1, not {total:g}")
        return self


_WORDS = ("name", "otherwise", "source", "confirmed")


def _decides(part: Any) -> Any:
    if isinstance(part, BaseModel):
        fields = type(part).model_fields
        said = {name: getattr(part, name) for name in fields if name not in _WORDS}
        return {name: _decides(own) for name, own in said.items() if own != fields[name].default}
    if isinstance(part, Mapping):
        return {key: _decides(own) for key, own in part.items()}
    return [_decides(own) for own in part] if isinstance(part, tuple) else part


class Rules(Strict):
    """All versions, the oldest first."""

    versions: Annotated[tuple[Version, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        dates = [version.effective_from for version in self.versions]
        if dates != sorted(set(dates)):
            raise ValueError("versions stand in the order of their dates, no two from the same day on")
        if len({version.version for version in self.versions}) < len(dates):
            raise ValueError("two versions have the same name")
        return self

    def at(self, day: datetime.date) -> Version | None:
        """The version in force on a local date; None before the first."""
        return next((version for version in reversed(self.versions) if version.effective_from <= day), None)


def read(text: str, file: str) -> Rules:
    """Rules out of YAML. Raises SiteErrors, with file and line, for what cannot hold."""
    problems = Problems()
    document = parse(text, file, problems)
    found = validate(Rules, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found


@cache
def standard() -> Rules:
    """This house's rules."""
    return read(FILE.read_text(encoding="utf-8"), f"models/utilisation/{FILE.name}")
