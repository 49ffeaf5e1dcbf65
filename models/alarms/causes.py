"""Which alarm another is the consequence of, and which of a group came first: by `causes.yaml`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from models.alarms.finding import Act, Finding
from models.alarms.stops import stopped_by
from models.site.model import Site
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from models.thing import Strict, Text

FILE = Path(__file__).resolve().parent / "causes.yaml"
Where = Literal["point", "equipment", "connection", "area", "stopped"]
Alarm = tuple[str, str]
Names = Annotated[tuple[Text, ...], Field(min_length=1)]


class Cause(Strict):
    """`cause`: any of these."""

    cause: Names
    of: Names
    where: Where
    source: Text


class FirstOut(Strict):
    rules: Names
    where: Where


class Grouping(Strict):
    version: Annotated[int, Field(ge=1)]
    causes: tuple[Cause, ...]
    first_out: tuple[FirstOut, ...]


@cache
def grouping() -> Grouping:
    """All of it. Raises SiteErrors, with file and line, when the file is wrong."""
    problems = Problems()
    document = parse(FILE.read_text(encoding="utf-8"), f"models/alarms/{FILE.name}", problems)
    found = validate(Grouping, document.data, document, (), problems) if document else None
    if found is None:
        raise SiteErrors(problems.ordered())
    return found


class Causes:
    """Follows what is raised at which place. What it says of an alarm depends on that alone, not on how it came about,
    so it is made again from the alarms that are raised."""

    def __init__(self, site: Site) -> None:
        self._points = {point.path: point for point in site.points}
        self._areas = {name: equipment.area for name, equipment in site.equipment.items()}
        known = grouping()
        self._stopped_by = stopped_by(site)
        names = [name for each in known.causes for name in each.cause]
        self._rank = {name: n for n, name in reversed(list(enumerate(names)))}
        self._causes: dict[str, list[Cause]] = {}
        for each in known.causes:
            for name in each.of:
                self._causes.setdefault(name, []).append(each)
        self._groups = {name: (n, each) for n, each in enumerate(known.first_out) for name in each.rules}
        self._kept: dict[str, set[Where]] = {}
        for each in known.causes:
            for name in each.cause:
                self._kept.setdefault(name, set()).add(each.where)
        self._raised: dict[tuple[str, Where, str], set[str]] = {}
        lost = [each for each in known.causes if each.where == "connection"]
        self._takes = {name: frozenset(each.of) for each in lost for name in each.cause}
        self._hanging = frozenset().union(*self._takes.values())
        self._hung: dict[str, set[Alarm]] = {}
        self._in_group: dict[tuple[int, str], set[Alarm]] = {}

    def begin(self, active: Iterable[Alarm]) -> None:
        """These are raised, and no others."""
        self._raised.clear()
        self._in_group.clear()
        self._hung.clear()
        for rule, subject in active:
            self._take(rule, subject, raised=True)

    def order(self, finding: Finding) -> tuple[int, int]:
        """By time, and of one time causes before what follows from them."""
        return finding.ts, self._rank.get(finding.rule, len(self._rank))

    def follow(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings in order, with what they follow from; of late ones nothing is said."""
        found = []
        for finding in sorted(findings, key=self.order):
            told = finding
            if not finding.late:
                if finding.act is Act.RAISE:
                    cause, first, takes = self._cause(finding), self._first(finding), self._taken(finding)
                    if cause is not None or first or takes:
                        told = replace(finding, cause=cause, first_out=first, takes=takes)
                self._take(finding.rule, finding.subject, raised=finding.act is Act.RAISE)
            found.append(told)
        return found

    def _cause(self, finding: Finding) -> Alarm | None:
        for each in self._causes.get(finding.rule, ()):
            place = self._place(finding.subject, each.where)
            places = self._stopped_by.get(place, ()) if each.where == "stopped" else (place,) if place else ()
            for at in places:
                for name in each.cause:
                    if subjects := self._raised.get((name, each.where, at)):
                        return name, min(subjects)
        return None

    def _taken(self, finding: Finding) -> tuple[Alarm, ...]:
        """What is raised already of what follows from a connection that is lost."""
        of = self._takes.get(finding.rule)
        if of is None:
            return ()
        hung = self._hung.get(self._place(finding.subject, "connection"), ())
        return tuple(sorted(each for each in hung if each[0] in of))

    def _first(self, finding: Finding) -> bool:
        if finding.rule not in self._groups:
            return False
        number, group = self._groups[finding.rule]
        return not self._in_group.get((number, self._place(finding.subject, group.where)))

    def _take(self, rule: str, subject: str, *, raised: bool) -> None:
        for where in self._kept.get(rule, ()):
            held = self._raised.setdefault((rule, where, self._place(subject, where)), set())
            (held.add if raised else held.discard)(subject)
        if rule in self._hanging:
            hung = self._hung.setdefault(self._place(subject, "connection"), set())
            (hung.add if raised else hung.discard)((rule, subject))
        if rule in self._groups:
            number, group = self._groups[rule]
            members = self._in_group.setdefault((number, self._place(subject, group.where)), set())
            (members.add if raised else members.discard)((rule, subject))

    def _place(self, subject: str, where: Where) -> str:
        """Where a subject is, "" where it is nowhere of the kind."""
        point = self._points.get(subject)
        if point is None:
            return subject.partition("/connection:")[2] if where == "connection" else ""
        if where == "point":
            return subject
        if where in ("equipment", "stopped"):
            return point.equipment
        return point.connection if where == "connection" else self._areas.get(point.equipment, "")
