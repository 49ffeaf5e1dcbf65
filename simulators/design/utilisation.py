"""What a mine declares of its intelligent utilisation, and which equipment counts in which category.

    utilisation: {face: 0.46, roadheader: 0.52, bolting: 0.42, chamber: 0.72, belt: 0.63}

A category's members are the site's equipment of its templates, and for chambers also the crew's places of
that category. The mine's own figure is the plain mean of its categories.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from models.site.problems import Problems
from models.site.yamlfile import parse
from simulators.design.strict import Strict

FILE = Path(__file__).with_name("categories.yaml")


class Category(Strict):
    """Its names, the templates whose equipment belongs to it, and whether the crew's places do."""

    zh: str
    en: str
    templates: tuple[str, ...]
    places: bool = False


@cache
def categories() -> Mapping[str, Category]:
    """All five, in the order in which they are shown."""
    problems = Problems()
    document = parse(FILE.read_text("utf-8"), FILE.name, problems)
    if document is None:
        raise ValueError("\n".join(map(str, problems.found)))
    return TypeAdapter(dict[str, Category]).validate_python(document.data)


def members(templates: Mapping[str, str], places: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Category → equipment. `templates`: the site's equipment → its template; `places`: the crew's working
    place → its category."""
    return {
        name: tuple(
            dict.fromkeys(
                [
                    *(owner for owner, template in templates.items() if template in category.templates),
                    *(place for place, of in places.items() if category.places and of == name),
                ]
            )
        )
        for name, category in categories().items()
    }


def overall(shares: Mapping[str, float]) -> float:
    """The mine's figure: the mean of what its categories have. NaN when there is none."""
    known = [share for share in shares.values() if not math.isnan(share)]
    return sum(known) / len(known) if known else float("nan")
