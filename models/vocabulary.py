"""The roles that templates use (`roles.yaml`). Nothing here is read until somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from models.site.model import Kind
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Names, Strict, Text

FILE = Path(__file__).resolve().parent / "roles.yaml"


class Role(Strict):
    """What points of one role are. `unit`: one that theirs can be converted to, "" for a plain number."""

    name: Names
    kind: Kind
    unit: str = ""
    means: Text


class _Roles(Strict):
    roles: dict[str, Role] = Field(min_length=1)


@cache
def roles() -> Mapping[str, Role]:
    """Every role by its name. Raises SiteErrors, with file and line, when the file is wrong."""
    problems = Problems()
    document = parse(FILE.read_text(encoding="utf-8"), f"models/{FILE.name}", problems)
    found = validate(_Roles, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found.roles
