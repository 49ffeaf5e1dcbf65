"""Relations that must hold between a site's points if their data is right: `consistency.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.site.files import Folder
from models.site.model import Point, Relation
from models.site.problems import Problems
from models.site.schema import REFERENCE, entries, validate
from models.site.there import unknown
from models.site.yamlfile import parse
from models.thing import Names, Number, Strict

FILE = "consistency.yaml"
MOST = 200
"""Relations of a site."""

_Points = Annotated[tuple[Annotated[str, Field(pattern=REFERENCE)], ...], Field(max_length=32)]


class RelationEntry(Strict):
    """`redundant`: `points` measure the same; `balance`: what goes in comes out. They may be apart by `within`, in
    their unit, or by `share` of the larger, whichever is more."""

    name: Names
    kind: Literal["redundant", "balance"]
    points: _Points = ()
    into: _Points = ()
    out: _Points = ()
    within: Annotated[Number, Field(ge=0)] = 0.0
    share: Annotated[Number, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _sides(self) -> RelationEntry:
        if self.kind == "redundant" and (len(self.points) < 2 or self.into or self.out):
            raise ValueError("redundant：须给出两个或更多测点 points: · redundant: give two or more points:")
        if self.kind == "balance" and (self.points or not self.into or not self.out):
            raise ValueError("balance：须给出 into: 和 out:，其下为测点 · balance: give into: and out: with points")
        named = (*self.points, *self.into, *self.out)
        if len(set(named)) < len(named):
            raise ValueError("同一测点写了两次 · a point is named twice")
        return self


def relations(folder: Folder, problems: Problems, points: Mapping[str, Point]) -> tuple[Relation, ...]:
    """The relations of a site, whose `points` are named equipment/key; every mistake is added to the problems. The
    file need not be there."""
    path = folder.root / FILE
    text = folder.read_text(path) if path.exists() else None
    document = None if text is None else parse(text, folder.name(path), problems)
    if document is None:
        return ()
    found = []
    listed = entries(document, "relations", problems)
    if len(listed) > MOST:
        count = len(listed)
        told = f"有 {count} 条关系，最多接收 {MOST} 条 · has {count} relations, at most {MOST} are taken"
        problems.add(document.file, "", told)
        return ()
    for name, data in listed.items():
        place = ("relations", name)
        entry = validate(RelationEntry, data, document, place, problems)
        if entry is None:
            continue
        named = (*entry.points, *entry.into, *entry.out)
        wrong = [message for each in named if (message := unknown("bound point", each, points))]
        for message in wrong:
            problems.add(document.file, document.line(place), message)
        units = {points[each].unit for each in named if each in points}
        if len(units) > 1:
            listing = sorted(units)
            said = f"比较的单位不同：{'、'.join(listing)} · compares different units: {', '.join(listing)}"
            problems.add(document.file, document.line(place), said)
        if not wrong and len(units) == 1:
            sides = (entry.points,) if entry.kind == "redundant" else (entry.into, entry.out)
            ids = tuple(tuple(points[each].id for each in side) for side in sides)
            found.append(Relation(name, entry.name.resolved(), ids, entry.within, entry.share))
    return tuple(found)
