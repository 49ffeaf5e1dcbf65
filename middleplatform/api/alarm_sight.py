"""Whose alarms a caller sees, and what an alarm is told as."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from middleplatform.alarms.condition import Alarm
from middleplatform.api import times
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, shown
from middleplatform.control.left_running import RULE as NOT_STOPPED
from middleplatform.patrols.alarms import RULE as OVERDUE
from middleplatform.patrols.alarms import chamber_of
from models.alarms import Rules
from models.alarms.rule import Rule
from models.patrol import Chamber
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
    """What rules are called; read when somebody first asks on a day. `heard`: the names that the watch tells, which
    follows the site while this process keeps that of its start."""

    def __init__(self, site: Site, heard: Callable[[], Mapping[str, Name]] = dict) -> None:
        self._site, self._heard = site, heard
        self._day: datetime.date | None = None
        self._rules: Rules | None = None

    def of(self, rule: str, subject: str) -> Name:
        """The rule's own id where it has none."""
        if (told := self._heard().get(rule)) is not None:
            return told
        rules = self._today()
        try:
            return rules.rule(rule, subject).text
        except KeyError:
            # A point that is younger than what is known here: what the rule is called wherever it holds.
            called = {each.text for each in rules.facts if each.name == rule}
            return called.pop() if len(called) == 1 else OWN.get(rule, Name(rule, rule))

    def rule(self, rule: str, subject: str) -> Rule | None:
        """The rule as it is today, as far as this process knows it."""
        try:
            return self._today().rule(rule, subject)
        except KeyError:
            return None

    def _today(self) -> Rules:
        today = datetime.datetime.now(ZoneInfo(self._site.time_zone)).date()
        if self._rules is None or self._day != today:
            self._rules, self._day = Rules.of(self._site, today), today
        return self._rules


OWN = {
    "platform.deaf": Name("平台收不到全矿数据", "The platform hears nothing of the mine"),
    OVERDUE: Name("无人值守硐室巡检超期", "The patrol of an unattended chamber is overdue"),
    NOT_STOPPED: Name("顺序控制中止后设备未确认停止", "What an aborted sequence started is not known to have stopped"),
    "platform.clock": Name("总线时钟回拨", "The clock of the bus was set back"),
}
"""Conditions that the platform has of itself."""
SOURCES = {
    "platform.deaf": Name("报警进程的心跳与总线", "what the alarm process hears on the bus"),
    OVERDUE: Name(
        "硐室的巡检间隔（矿方硐室配置）与巡检签到",
        "the patrol interval of the chamber, from the site, and its check-ins",
    ),
    NOT_STOPPED: Name("顺序控制的运行记录", "the journal of the sequence"),
    "platform.clock": Name("总线消息的时间", "the times of messages on the bus"),
}
"""From what the platform judges them: no rule of the site stands behind them."""


class Telling:
    """Alarms in the form in which they are answered, by names of the site as the caller sees it. `chattering`: rule
    and subject of what comes and goes now."""

    def __init__(self, site: Site, names: RuleNames, chattering: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._site, self._names, self._chattering = site, names, chattering
        self._points = {point.path: point for point in site.points}

    def facts(
        self, alarm: Alarm, seen: Callable[[int], bool] = lambda _: True, value: float | None = None
    ) -> dict[str, Any]:
        """`seen`: whether the alarm of an id may be named as the cause; `value`: with which it was raised."""
        point = self._points.get(alarm.subject)
        return {
            "id": alarm.id,
            "rule": alarm.rule,
            "rule_version": alarm.rule_version,
            "subject": alarm.subject,
            **self.called(alarm.rule, alarm.subject),
            "kind": alarm.kind,
            "priority": alarm.priority,
            "statutory": alarm.statutory,
            "state": alarm.state,
            "since": alarm.since,
            "time": times.iso(alarm.since),
            "cause": alarm.cause if alarm.cause is not None and seen(alarm.cause) else None,
            "level": alarm.level,
            "value": value,
            "unit": "" if point is None else point.unit,
            "suppressed": list(alarm.suppressed),
            "suppressions": [asdict(each) for each in alarm.suppressions],
            "chattering": (alarm.rule, alarm.subject) in self._chattering,
        }

    def called(self, rule: str, subject: str) -> dict[str, Any]:
        """What an alarm is called and where it is: `name`, `equipment`, `area`, `rule_name`."""
        machine, point, area = self.machine(rule, subject), self._points.get(subject), None
        name = self._site.name if subject == self._site.code else Name(subject, subject)
        link = subject.removeprefix(f"{self._site.code}/connection:")
        if link != subject:
            name = Name(f"连接 {link}", f"Connection {link}")
        if machine is not None:
            name = self._site.equipment[machine].name
            area = self._site.areas.get(self._site.equipment[machine].area)
        if (chamber := self._chamber(rule, subject)) is not None:
            name, point = chamber.name, None
            area = self._site.areas.get(self.area(subject))
        return {
            "name": (name if point is None else point.name).words(),
            "equipment": None if machine is None else {"id": machine, "name": name.words()},
            "area": None if area is None else {"id": area.id, "name": area.name.words()},
            "rule_name": self._names.of(rule, subject).words(),
        }

    def words(self, alarm: Alarm) -> str:
        """All that an alarm is called by, in both languages and in small letters: what a search looks in."""
        names = [self._names.of(alarm.rule, alarm.subject)]
        machine, point = self.equipment(alarm.subject), self._points.get(alarm.subject)
        if machine is not None:
            names.append(self._site.equipment[machine].name)
            area = self._site.areas.get(self._site.equipment[machine].area)
            names += [] if area is None else [area.name]
        names += [] if point is None else [point.name]
        chamber = self._chamber(alarm.rule, alarm.subject)
        names += [] if chamber is None else [chamber.name]
        return " ".join((alarm.rule, alarm.subject, *(f"{each.zh} {each.en}" for each in names))).lower()

    def _chamber(self, rule: str, subject: str) -> Chamber | None:
        return chamber_of(self._site, subject) if rule == OVERDUE else None

    def machine(self, rule: str, subject: str) -> str | None:
        """The equipment that an alarm is of: a patrol is of its chamber, whatever of it stands first, and of a machine
        only where that is the chamber."""
        machine, chamber = self.equipment(subject), self._chamber(rule, subject)
        if machine is None or chamber is None or self._site.equipment[machine].name == chamber.name:
            return machine
        return None

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
