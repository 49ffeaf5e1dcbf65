"""Which system of the mine an equipment's consumption belongs to, by `systems.yaml`."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Self

import yaml
from pydantic import model_validator

from models.site.model import Site
from models.thing import Key, Names, Strict, Text

FILE = Path(__file__).with_name("systems.yaml")
OTHER = "other"
"""The system of what belongs to no other, and of a meter that measures several systems at once."""


class System(Strict):
    name: Names
    templates: tuple[Key, ...] = ()
    along: tuple[Key, ...] = ()
    categories: tuple[Key, ...] = ()


class Systems(Strict):
    source: Text
    confirmed: bool
    effective_from: datetime.date
    systems: dict[Key, System]

    @model_validator(mode="after")
    def _once(self) -> Self:
        for field in ("templates", "categories"):
            named = [each for system in self.systems.values() for each in getattr(system, field)]
            if twice := sorted({each for each in named if named.count(each) > 1}):
                raise ValueError(f"{field} that stand in two systems: {', '.join(twice)}")
        if OTHER not in self.systems:
            raise ValueError(f"there is no system '{OTHER}'")
        return self


@cache
def systems() -> Mapping[str, System]:
    """All of the file, in its order."""
    return Systems.model_validate(yaml.safe_load(FILE.read_text("utf-8"))).systems


def by_equipment(site: Site) -> dict[str, str]:
    """Of each equipment of a site."""
    of_template = {template: key for key, system in systems().items() for template in system.templates}
    of_category = {category: key for key, system in systems().items() for category in system.categories}
    standing: dict[str, set[str]] = {}
    for each in site.equipment.values():
        standing.setdefault(each.area, set()).add(each.template)

    def of(template: str, category: str, area: str) -> str:
        for key, system in systems().items():
            if template in system.along and not standing[area].isdisjoint(system.templates):
                return key
        return of_template.get(template) or of_category.get(category) or OTHER

    return {each.id: of(each.template, each.subsystem, each.area) for each in site.equipment.values()}


def of_all(equipment: Collection[str], known: Mapping[str, str]) -> str:
    """The one system of several equipments; OTHER where they belong to several, or one to none."""
    found = {known.get(each, OTHER) for each in equipment}
    return found.pop() if len(found) == 1 else OTHER
