"""Whose alarms a caller sees, and what an alarm is told as."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from middleplatform.alarms.condition import Alarm
from middleplatform.api import times
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, shown
from models.alarms import Rules
from models.site.model import Name, Site


def sees(catalogue: Catalogue) -> Callable[[str], bool]:
    """Whether a subject is in the caller's scope: a point that is, an equipment of which events are seen, or the mine
    as a whole, of which only what the platform says of itself is told."""
    if catalogue.scope.everything:
        return lambda subject: True
    site = catalogue.site
    seen = {site.code, *(point.path for point in site.points)}
    if catalogue.scope.events:
        seen |= {f"{site.code}/{name}" for name in site.equipment}
    return seen.__contains__


class RuleNames:
    """What rules are called; read when somebody first asks on a day."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._day: datetime.date | None = None
        self._rules: Rules | None = None

    def of(self, rule: str, subject: str) -> Name:
        """The rule's own name where it has none."""
        today = datetime.datetime.now(datetime.UTC).date()
        if self._rules is None or self._day != today:
            self._rules, self._day = Rules.of(self._site, today), today
        try:
            return self._rules.rule(rule, subject).text
        except KeyError:
            return OWN.get(rule, Name(rule, rule))


OWN = {"platform.deaf": Name("平台收不到全矿数据", "The platform hears nothing of the mine")}
"""Conditions that the platform has of itself."""


class Telling:
    """Alarms in the form in which they are answered, by names of the site as the caller sees it. `chattering`: rule
    and subject of what comes and goes now."""

    def __init__(self, site: Site, names: RuleNames, chattering: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._site, self._names, self._chattering = site, names, chattering
        self._points = {point.path: point for point in site.points}

    def facts(self, alarm: Alarm, seen: Callable[[int], bool] = lambda _: True) -> dict[str, Any]:
        """`seen`: whether the alarm of an id may be named as the cause."""
        machine = self.equipment(alarm.subject)
        point = self._points.get(alarm.subject)
        area = None
        name = self._site.name if alarm.subject == self._site.code else Name(alarm.subject, alarm.subject)
        if machine is not None:
            name = self._site.equipment[machine].name
            area = self._site.areas.get(self._site.equipment[machine].area)
        equipment = None if machine is None else {"id": machine, "name": _words(name)}
        if point is not None:
            name = point.name
        return {
            "id": alarm.id,
            "rule": alarm.rule,
            "rule_version": alarm.rule_version,
            "subject": alarm.subject,
            "name": _words(name),
            "equipment": equipment,
            "area": None if area is None else {"id": area.id, "name": _words(area.name)},
            "kind": alarm.kind,
            "priority": alarm.priority,
            "statutory": alarm.statutory,
            "state": alarm.state,
            "since": alarm.since,
            "time": times.iso(alarm.since),
            "cause": alarm.cause if alarm.cause is not None and seen(alarm.cause) else None,
            "level": alarm.level,
            "suppressed": list(alarm.suppressed),
            "rule_name": _words(self._names.of(alarm.rule, alarm.subject)),
            "chattering": (alarm.rule, alarm.subject) in self._chattering,
        }

    def equipment(self, subject: str) -> str | None:
        """The id of the equipment that a subject is or belongs to; None for one that the site does not have."""
        parts = subject.split("/")
        name = parts[1] if len(parts) > 1 else ""
        return name if name in self._site.equipment else None

    def area(self, subject: str) -> str:
        """The area in which a subject stands, "" for none."""
        machine = self.equipment(subject)
        return "" if machine is None else self._site.equipment[machine].area

    def areas(self, subject: str) -> frozenset[str]:
        """The area in which a subject lies, and those around it."""
        machine = self.equipment(subject)
        return (
            frozenset() if machine is None else frozenset(self._site.areas_around(self._site.equipment[machine].area))
        )


def check_area(site: Site, area: str) -> None:
    """Raises ApiError 404 for one that is not seen."""
    if area not in site.areas:
        raise ApiError(404, "unknown_area", f"没有区域“{shown(area)}”", f"there is no area '{shown(area)}'", "area")


def _words(name: Name) -> dict[str, str]:
    return {"zh": name.zh, "en": name.en}
