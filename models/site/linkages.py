"""rules/*.yaml → a site's linkages (联动): what they say, resolved to points and gateways.

A rule says `when` something is so, what is commanded or must follow, and `within` what time. `by: mine`: the mine's own
hardware does it, and it is only watched. `by: platform`: the gateways that write the commanded points carry it out by
themselves. What is wrong with a rule, alone or beside others, is said at its line: see linkage_checks.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from models.site import linkage_checks
from models.site.files import Folder
from models.site.model import Act, Comparison, Conditions, Connection, Kind, Linkage, OnLost, Point, Restore, Site
from models.site.problems import Problems
from models.site.schema import REFERENCE, Span, entries, validate
from models.site.there import unknown
from models.site.yamlfile import Document, parse
from models.thing import Names, Number, Strict, Text

MOST = 32
Reference = Annotated[str, Field(pattern=REFERENCE)]
Command = dict[Reference, Number]

BREAKER = "command.breaker"
SENSOR_STATE = "sensor.state"
CLOSE, STARTS = 1.0, 1.0
"""Of the library's command words (`command.breaker`, `command.run`): 1 closes, 1 starts, 2 opens and stops."""
STOPS = 2.0


class Condition(Strict):
    """What must be true of a point, for how long: exactly one comparison."""

    point: Reference
    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None
    equals: Number | None = None
    lasting: Annotated[Span, Field(ge=0, le=3600)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Condition:
        given = (self.at_least, self.at_most, self.above, self.below, self.equals)
        if sum(value is not None for value in given) != 1:
            raise ValueError(
                "at_least、at_most、above、below、equals 须给出其中一个 · "
                "give one of at_least, at_most, above, below, equals"
            )
        return self

    def resolved(self, path: str) -> Comparison:
        word, value = next(
            (word, value)
            for word in ("at_least", "at_most", "above", "below", "equals")
            if (value := getattr(self, word)) is not None
        )
        low, high = {
            "at_least": (value, math.inf),
            "at_most": (-math.inf, value),
            "above": (math.nextafter(value, math.inf), math.inf),
            "below": (-math.inf, math.nextafter(value, -math.inf)),
            "equals": (value, value),
        }[word]
        sign = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "equals": "="}[word]
        return Comparison(path, low, high, self.lasting or 0.0, f"{self.point} {sign} {value:g}")


class When(Strict):
    any: Annotated[tuple[Condition, ...], Field(max_length=MOST)] = ()
    all: Annotated[tuple[Condition, ...], Field(max_length=MOST)] = ()

    @model_validator(mode="after")
    def _some(self) -> When:
        if bool(self.any) == bool(self.all):
            raise ValueError("须给出 any: 或 all:，其下为条件 · give any: or all: with conditions")
        return self


class RestoreEntry(Strict):
    """Under what it may be restored, by whom, and what is then commanded."""

    when: When
    by: Literal["authorised", "automatic"] = "authorised"
    command: Annotated[Command, Field(max_length=MOST)] = Field(default_factory=dict)


class Rule(Strict):
    """One rule. See the module, and docs/linkage.md for each key."""

    name: Names
    when: When
    then: Annotated[tuple[Condition, ...], Field(max_length=MOST)] = ()
    command: Annotated[Command, Field(max_length=MOST)] = Field(default_factory=dict)
    act: Act | None = None
    within: Annotated[Span, Field(gt=0, le=3600)]
    by: Literal["mine", "platform"]
    restore: RestoreEntry | None = None
    on_lost: OnLost | None = None
    lost_after: Annotated[Span, Field(gt=0, le=3600)] | None = None
    notice: Names | None = None
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    latched: bool | None = None
    shadow: bool = False
    enabled: bool = True
    version: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    effective_from: datetime.date | None = None
    source: Text
    confirmed: bool = True

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        if not self.then and not self.command and self.notice is None:
            raise ValueError(
                "规则须写明其后果：then:、command: 或 notice: · a rule says what follows: then:, command: or notice:"
            )
        if self.by == "mine" and (self.command or self.restore is not None):
            raise ValueError(
                "矿方自有设备执行的联动用 then: 监视，不由平台下令 · "
                "what the mine's own hardware does is watched with then:, it is not commanded"
            )
        if self.by == "platform" and not self.command and self.notice is None:
            raise ValueError(
                "平台执行的动作写在 command: 或 notice: 下 · what the platform does is said with command: or notice:"
            )
        if self.act is Act.NOTICE and self.command:
            raise ValueError(
                "通知不下达命令：请去掉 command:，或改写 act: · "
                "a notice commands nothing: take command: out, or give another act:"
            )
        return self


@dataclass(frozen=True, slots=True)
class Bound:
    """What rules may speak of: points by equipment/key, all references that are bound (a point that is wrong
    otherwise is named already), connections by name."""

    points: Mapping[str, Point]
    bound: set[str]
    connections: Mapping[str, Connection]

    def period_s(self, point: Point) -> float:
        """How often the point is read at most apart: the period of its group."""
        connection = self.connections[point.connection]
        group = connection.groups.get(point.group)
        return group.period_s if group is not None else point.silence_s


@dataclass(frozen=True, slots=True)
class Placed:
    """A linkage and where it stands."""

    linkage: Linkage
    document: Document

    def line(self, *below: str | int) -> int:
        return self.document.line(("rules", self.linkage.id, *below))


@cache
def times() -> Mapping[str, float]:
    """The times of linkage_times.yaml, s."""
    read: dict[str, float] = yaml.safe_load((Path(__file__).parent / "linkage_times.yaml").read_text("utf-8"))
    return read


def linkages(folder: Folder, problems: Problems, there: Bound) -> tuple[Linkage, ...]:
    """The linkages of rules/*.yaml by id; what is wrong with them is added to the problems."""
    found: dict[str, Placed] = {}
    for path in folder.list("rules", (".yaml",)):
        text = folder.read_text(path)
        document = None if text is None else parse(text, folder.name(path), problems)
        if document is None:
            continue
        for name, data in entries(document, "rules", problems).items():
            _one(name, data, document, problems, there, found)
    points = {point.path: point for point in there.points.values()}
    linkage_checks.check(list(found.values()), points, there.connections, there.period_s, times(), problems)
    return tuple(placed.linkage for _, placed in sorted(found.items()))


def states(site: Site) -> Mapping[str, str]:
    """Sensor's value → the sensor's own state, by paths, of those that say one (role `sensor.state`)."""
    said = {point.equipment: point.path for point in site.points if point.role == SENSOR_STATE}
    return {
        point.path: said[point.equipment]
        for point in site.points
        if point.equipment in said and point.role != SENSOR_STATE
    }


def _one(name: str, data: Any, document: Document, problems: Problems, there: Bound, found: dict[str, Placed]) -> None:
    place = ("rules", name)
    rule = validate(Rule, data, document, place, problems)
    if rule is None:
        return
    if name in found:
        first = found[name]
        at = f"{first.document.file}:{first.line()}"
        message = f"规则 '{name}' 出现两次；前一次在 {at} · the rule '{name}' is here twice; first at {at}"
        problems.add(document.file, document.line(place), message)
        return
    restoring = () if rule.restore is None else (*rule.restore.when.any, *rule.restore.when.all)
    conditions = (*rule.when.any, *rule.when.all, *rule.then, *restoring)
    commanded = (*rule.command, *(rule.restore.command if rule.restore else ()))
    names = (*(condition.point for condition in conditions), *commanded)
    wrong = False
    for reference in names:
        if said := unknown("bound point", reference, there.bound):
            wrong = True
            problems.add(document.file, document.line(place), said)
    if wrong or not all(reference in there.points for reference in names):
        return
    for condition in conditions:
        if there.points[condition.point].kind is Kind.TEXT:
            message = f"{condition.point} 是文本：不作比较 · {condition.point} is a text: it is not compared"
            problems.add(document.file, document.line(place), message)
            return
    found[name] = Placed(_resolved(name, rule, there), document)


def _resolved(name: str, rule: Rule, there: Bound) -> Linkage:
    def path(reference: str) -> str:
        return there.points[reference].path

    def conditions(when: When) -> Conditions:
        given = when.any or when.all
        return Conditions(tuple(one.resolved(path(one.point)) for one in given), bool(when.all))

    act = rule.act or _act(rule, there)
    doing = rule.command or {(rule.when.any or rule.when.all)[0].point: 0.0}
    gateways = {there.connections[there.points[reference].connection].gateway for reference in doing}
    restore = None
    if rule.restore is not None:
        restore = Restore(
            conditions(rule.restore.when),
            rule.restore.by == "automatic",
            {path(reference): value for reference, value in rule.restore.command.items()},
        )
    cut = act is Act.POWER_OFF
    return Linkage(
        id=name,
        name=rule.name.resolved(),
        act=act,
        mine=rule.by == "mine",
        when=conditions(rule.when),
        then=tuple(one.resolved(path(one.point)) for one in rule.then),
        command={path(reference): value for reference, value in rule.command.items()},
        within_s=rule.within,
        source=rule.source,
        gateways=() if rule.by == "mine" else tuple(sorted(gateways)),
        confirmed=rule.confirmed,
        restore=restore,
        on_lost=rule.on_lost or (OnLost.TRIP if cut else OnLost.HOLD),
        lost_after_s=rule.lost_after or times()["lost_after_s"],
        notice=None if rule.notice is None else rule.notice.resolved(),
        priority=rule.priority or (1 if cut else 2),
        latched=cut if rule.latched is None else rule.latched,
        shadow=rule.shadow,
        enabled=rule.enabled,
        version=rule.version,
        effective_from="" if rule.effective_from is None else rule.effective_from.isoformat(),
    )


def _act(rule: Rule, there: Bound) -> Act:
    """What a rule does that does not say so: whatever opens a breaker takes power away."""
    if not rule.command:
        return Act.NOTICE if rule.notice is not None else Act.SET
    words = [(there.points[reference].role, value) for reference, value in rule.command.items()]
    if any(role == BREAKER and value != CLOSE for role, value in words):
        return Act.POWER_OFF
    if all(role == "command.run" and value == STARTS for role, value in words):
        return Act.START
    if all(role == "command.run" and value == STOPS for role, value in words):
        return Act.STOP
    return Act.SET
