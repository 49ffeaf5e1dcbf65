"""The words that templates use: roles (`roles.yaml`) and the national types of sensors (`sensor_types.yaml`).

Both are data with their source; nothing here is read until somebody asks.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from models.site.model import Kind
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Names, Strict, Text

M = TypeVar("M", bound=Strict)

_HERE = Path(__file__).resolve().parent


class Role(Strict):
    """What points of one role are. `unit`: one that theirs can be converted to, "" for a plain number."""

    name: Names
    kind: Kind
    unit: str = ""
    means: Text


class _Roles(Strict):
    roles: dict[str, Role] = Field(min_length=1)


class SensorTypes(Strict):
    """The national dictionary of sensor types: `types` maps a code of four digits to its name."""

    source: Text
    effective_from: datetime.date
    confirmed: bool
    types: dict[Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")], Names]


@cache
def roles() -> Mapping[str, Role]:
    """Every role by its name. Raises SiteErrors, with file and line, when the file is wrong."""
    return _read("roles.yaml", _Roles).roles


@cache
def sensor_types() -> SensorTypes:
    """The dictionary of sensor types. Raises SiteErrors, with file and line, when the file is wrong."""
    return _read("sensor_types.yaml", SensorTypes)


def _read(name: str, model: type[M]) -> M:
    problems = Problems()
    document = parse((_HERE / name).read_text(encoding="utf-8"), f"models/{name}", problems)
    found = validate(model, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found
