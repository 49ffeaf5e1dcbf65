"""A site's own alarms and what it changes of the standard ones: `alarms/*.yaml`.

    alarms:
      belt_drags:
        name: {zh: 皮带带速偏低, en: Belt runs slowly}
        when: "[belt_101/speed] < 0.5 and [belt_101/running] == 1"
        priority: 3
        on_s: 10
        source: 机电科 electrical department
        effective_from: 2026-03-01
    changes:
      slip_first:
        rule: protection.slip
        points: [belt_101/slip]
        priority: 1
        reason: 主运输 the main line
        approved_by: 总工程师 chief engineer

An alarm is one of `when`, an expression over points; `point`, with above or below and where it ends; `rate`, a change a
minute of a point; `deviation`, of two points; `discrepancy`, of a command and what came of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from models.site import expressions
from models.site.files import Folder
from models.site.model import AlarmChange, Kind, OwnAlarm, Point
from models.site.problems import Problems, hinted
from models.site.schema import validate
from models.site.there import unknown
from models.site.yamlfile import Document, parse
from models.thing import Key, Names, Number, Strict, Text

MOST = 500
"""Alarms of its own that a site may have: each costs time at every batch that has one of its points."""
PER_MINUTE_S = 60.0

PointName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$")]
Delay = Annotated[Number, Field(ge=0, le=3600)]
Priority = Annotated[int, Field(ge=1, le=4)]


class Deviation(Strict):
    """Of two points of one unit."""

    between: tuple[PointName, PointName]


class Discrepancy(Strict):
    """`command` is `is`, and `readback` is not `should`."""

    command: PointName
    is_: int = Field(alias="is")
    readback: PointName
    should: int


class AlarmEntry(Strict):
    """`above` or `below`: from that value on; `ends`: where it ends, that value itself where not given."""

    name: Names
    when: Annotated[str, Field(max_length=expressions.MAX_LENGTH)] | None = None
    point: PointName | None = None
    rate: PointName | None = None
    deviation: Deviation | None = None
    discrepancy: Discrepancy | None = None
    above: Number | None = None
    below: Number | None = None
    ends: Number | None = None
    priority: Priority
    on_s: Delay = 0.0
    off_s: Delay = 0.0
    latching: bool = False
    source: Text
    effective_from: datetime.date

    @model_validator(mode="after")
    def _one_form(self) -> AlarmEntry:
        forms = [self.when, self.point, self.rate, self.deviation, self.discrepancy]
        if sum(form is not None for form in forms) != 1:
            raise ValueError(
                "when、point、rate、deviation、discrepancy 须给出其中一个 · "
                "give one of when, point, rate, deviation, discrepancy"
            )
        bounds = (self.above is not None) + (self.below is not None)
        if self.when is not None or self.discrepancy is not None:
            if bounds or self.ends is not None:
                raise ValueError(
                    "when 和 discrepancy 只有成立与否：请去掉 above、below 和 ends · "
                    "when and discrepancy hold or do not: leave out above, below and ends"
                )
        elif bounds != 1:
            raise ValueError("above 和 below 须给出其中一个 · give above or below, one of them")
        if self.ends is not None:
            if self.above is not None and self.ends > self.above:
                raise ValueError(
                    f"ends {self.ends:g} 高于 above {self.above:g}：报警一开始就会结束 · "
                    f"ends {self.ends:g} lies over above {self.above:g}: it would end as it begins"
                )
            if self.below is not None and self.ends < self.below:
                raise ValueError(
                    f"ends {self.ends:g} 低于 below {self.below:g}：报警一开始就会结束 · "
                    f"ends {self.ends:g} lies under below {self.below:g}: it would end as it begins"
                )
        return self


class ChangeEntry(Strict):
    """`points` or all where empty. `off`: the alarm is left out; never of a statutory one."""

    rule: Text
    points: tuple[PointName, ...] = ()
    priority: Priority | None = None
    on_s: Delay | None = None
    off_s: Delay | None = None
    off: bool = False
    latching: bool = False
    reason: Text
    approved_by: Text
    effective_from: datetime.date | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> ChangeEntry:
        given = (self.priority, self.on_s, self.off_s)
        if not self.off and not self.latching and all(each is None for each in given):
            raise ValueError(
                "没有任何更改：请给出 priority、on_s、off_s、latching 或 off · "
                "changes nothing: give priority, on_s, off_s, latching or off"
            )
        return self


class AlarmsFile(Strict):
    """alarms/*.yaml"""

    alarms: dict[Key, dict[str, Any]] = Field(default_factory=dict)
    changes: dict[Key, dict[str, Any]] = Field(default_factory=dict)


def own_alarms(
    folder: Folder, problems: Problems, points: Mapping[str, Point], mine: str
) -> tuple[tuple[OwnAlarm, ...], tuple[AlarmChange, ...]]:
    """Of a site whose `points` are named equipment/key; every mistake is added to the problems."""
    reading = _Reading(problems, points, mine)
    for path in folder.list("alarms", (".yaml",)):
        text = folder.read_text(path)
        document = None if text is None else parse(text, folder.name(path), problems)
        if document is not None:
            reading.file(document)
    return tuple(reading.alarms.values()), tuple(reading.changes.values())


class _Reading:
    def __init__(self, problems: Problems, points: Mapping[str, Point], mine: str) -> None:
        self.problems, self.points, self.mine = problems, points, mine
        self.alarms: dict[str, OwnAlarm] = {}
        self.changes: dict[str, AlarmChange] = {}
        self.bounds: dict[str, tuple[str, AlarmEntry]] = {}

    def file(self, document: Document) -> None:
        found = validate(AlarmsFile, document.data, document, (), self.problems)
        if found is None:
            return
        for name, data in found.alarms.items():
            place = ("alarms", name)
            entry = validate(AlarmEntry, data, document, place, self.problems)

            def say(message: str, field: str = "", place: tuple[str, str] = place) -> None:
                self.problems.add(document.file, document.line((*place, field) if field else place), message)

            if name in self.alarms:
                say(f"已有报警 '{name}'：请另起名称 · there is an alarm '{name}' already: give this one another name")
            elif entry is not None and len(self.alarms) >= MOST:
                say(f"一个矿井最多自定 {MOST} 条报警 · a site has {MOST} alarms of its own at most")
            elif entry is not None:
                self._alarm(name, entry, say)
        for name, data in found.changes.items():
            place = ("changes", name)
            change = validate(ChangeEntry, data, document, place, self.problems)
            if change is not None and (message := self._change(name, change)):
                self.problems.add(document.file, document.line(place), message)

    def _alarm(self, name: str, entry: AlarmEntry, say: Callable[..., None]) -> None:
        try:
            tree, inputs, side, level, ends = _form(entry)
        except ValueError as error:
            say(str(error), "when")
            return
        wrong = [message for each in inputs if (message := unknown("bound point", each, self.points))]
        for message in wrong:
            say(message)
        if wrong:
            return
        kinds = [self.points[each] for each in inputs]
        if any(point.kind is Kind.TEXT for point in kinds):
            say("text 类测点不作比较 · a point of kind text is not compared")
            return
        if entry.deviation is not None and len({point.unit for point in kinds}) > 1:
            units = sorted(point.unit for point in kinds)
            say(f"比较的单位不同：{'、'.join(units)} · compares different units: {', '.join(units)}", "deviation")
            return
        if entry.point is not None:
            for other, said in self.bounds.values():
                if said.point == entry.point and _always(said, entry):
                    say(
                        f"与 '{other}' 矛盾：无论其值如何，两者总有一条会报警 · "
                        f"contradicts '{other}': one of the two would always be raised, whatever the value"
                    )
            self.bounds[name] = name, entry
        paths = tuple(f"{self.mine}/{each}" for each in inputs)
        self.alarms[name] = OwnAlarm(
            name,
            entry.name.resolved(),
            paths,
            tree,
            side,
            level,
            ends,
            entry.priority,
            entry.on_s,
            entry.off_s,
            entry.source,
            entry.effective_from.isoformat(),
            entry.latching,
        )

    def _change(self, name: str, entry: ChangeEntry) -> str:
        """What is wrong with it, and then it is left out."""
        # Read here: the standard rules stand on the site's words, not the other way round.
        from models.alarms.standard import standards

        standard = standards()
        known = {*standard.rules, *(f"limit.{kind}" for kind in ("lolo", "lo", "hi", "hihi"))}
        if entry.rule not in known:
            zh, en = f"没有标准报警 '{entry.rule}'", f"there is no standard alarm '{entry.rule}'"
            return hinted(zh, en, entry.rule, known)
        for each in entry.points:
            if message := unknown("bound point", each, self.points):
                return message
        rule = standard.rules.get(entry.rule)
        if rule is not None and rule.statutory:
            looser = entry.off or (entry.priority or 0) > rule.priority or (entry.on_s or 0.0) > rule.on_s
            if looser or (entry.off_s is not None and entry.off_s < rule.off_s):
                return (
                    f"'{entry.rule}' 是法定报警：矿方只能改得更严 · "
                    f"'{entry.rule}' is statutory: a mine may only make it stricter"
                )
        elif rule is None and (entry.off or entry.on_s is not None or entry.priority is not None):
            named = [self.points[each] for each in entry.points] or list(self.points.values())
            if any(point.retention.value == "statutory" for point in named):
                return (
                    f"法定测点的 '{entry.rule}' 只能通过其自身限值更改：请列出非法定的测点 · "
                    f"'{entry.rule}' of statutory points is changed by their own limits alone: name points that are not"
                )
        since = entry.effective_from.isoformat() if entry.effective_from else ""
        paths = frozenset(f"{self.mine}/{each}" for each in entry.points)
        self.changes[name] = AlarmChange(
            entry.rule,
            paths,
            entry.priority,
            entry.on_s,
            entry.off_s,
            entry.off,
            entry.reason,
            entry.approved_by,
            since,
            entry.latching,
        )
        return ""


def _form(entry: AlarmEntry) -> tuple[expressions.Node | None, tuple[str, ...], float, float, float]:
    """The tree (None for a rate), its inputs, and the level: side, value and where it ends. Raises ValueError."""
    text = entry.when
    if entry.discrepancy is not None:
        said = entry.discrepancy
        text = f"[{said.command}] == {said.is_} and [{said.readback}] != {said.should}"
    if text is not None:
        found = expressions.parse(text)
        if not found.tree.boolean:
            raise ValueError(
                "报警须为比较式，如 [belt_101/speed] < 0.5 · an alarm is a comparison, such as [belt_101/speed] < 0.5"
            )
        bare = [each for each in found.inputs if "/" not in each]
        if bare:
            raise ValueError(
                f"测点须连同设备写在方括号内：[equipment/{bare[0]}] · "
                f"name points with their equipment, in brackets: [equipment/{bare[0]}]"
            )
        return found.tree, found.inputs, 1.0, 0.5, 0.5
    side, level = (1.0, entry.above) if entry.above is not None else (-1.0, entry.below)
    level = 0.0 if level is None else level
    ends = level if entry.ends is None else entry.ends
    if entry.rate is not None:
        return None, (entry.rate,), side, level, ends
    if entry.deviation is not None:
        one, other = entry.deviation.between
        return expressions.parse(f"abs([{one}] - [{other}])").tree, (one, other), side, level, ends
    return expressions.parse(f"[{entry.point}]").tree, (entry.point or "",), side, level, ends


def _always(one: AlarmEntry, other: AlarmEntry) -> bool:
    """Whether one is above a value that the other is below, with nothing between."""
    for high, low in ((one, other), (other, one)):
        if high.above is not None and low.below is not None and high.above <= low.below:
            return True
    return False
