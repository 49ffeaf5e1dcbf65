"""All that a mine is watched for today: rules, and what each is bound to."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.alarms import linked
from models.alarms.derived import Derived, Known
from models.alarms.finding import Kind
from models.alarms.lanes import FOREVER_US, Form, Lane, Lanes, Silence
from models.alarms.rule import Rule, of_linkage, of_own, of_together, version_of
from models.alarms.standard import Bits, Standard, Standards, Together, standards
from models.alarms.tables import Tables
from models.site.expressions import Node
from models.site.model import AlarmChange, Limit, Name, Point, Retention, Site

SENSOR_STATE = "sensor.state"
RUNNING: Mapping[str, tuple[int, ...]] = {"run.state": (0,), "pump.state": (0, 1, 3), "afc.state": (0, 1)}
"""By which roles one knows that a machine runs, and at which of their values it does not."""
HI = ("hi", "hihi")


@dataclass(frozen=True, eq=False)
class Rules:
    """`lanes` and `silences` are what the engine works on; `facts` has every rule that they index."""

    facts: tuple[Rule, ...]
    lanes: Lanes
    silences: tuple[Silence, ...]
    tables: Tables = field(default_factory=Tables)
    derived: tuple[Derived, ...] = ()
    """What the first lanes are judged on, one each; the others are judged on a point."""

    @staticmethod
    def of(site: Site, today: datetime.date) -> Rules:
        """The rules that hold on that day. Raises SiteErrors when the standard rules cannot be read."""
        return _Binding(site, today, standards()).rules()

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], int]:
        found = {(self.facts[r].name, s): r for r, s in zip(self.lanes.rule, self.lanes.subject, strict=True)}
        return found | {(self.facts[each.rule].name, each.subject): each.rule for each in self.silences}

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """One for each lane, the same as long as rule and subject are."""
        return _keys((self.facts[r].name, s) for r, s in zip(self.lanes.rule, self.lanes.subject, strict=True))

    @cached_property
    def silence_keys(self) -> NDArray[np.uint64]:
        """One for each silence."""
        return _keys((self.facts[each.rule].name, each.subject) for each in self.silences)

    def rule(self, name: str, subject: str) -> Rule:
        """The rule of an alarm. Raises KeyError where there is none (any more)."""
        return self.facts[self._by_name[name, subject]]

    def alarms(self) -> Iterator[tuple[str, str]]:
        """Rule and subject of everything that can be raised."""
        return iter(self._by_name)


class _Binding:
    def __init__(self, site: Site, today: datetime.date, standard: Standards) -> None:
        self.site, self.standard = site, standard
        self.today = today.isoformat()
        self.facts: dict[Rule, int] = {}
        self.tables = Tables()
        self.lanes: list[Lane] = []
        self.silences: list[Silence] = []
        self.limits: dict[tuple[str, Limit, bool], Rule] = {}
        self.named: dict[str, tuple[int, int]] = {}
        self.named_rules: dict[str, Rule] = {}
        self.changes: dict[str, list[AlarmChange]] = {}
        for change in sorted(site.alarm_changes, key=lambda each: (each.effective_from, bool(each.points))):
            if change.effective_from <= self.today:
                self.changes.setdefault(change.rule, []).append(change)
        watch = standard.supervision
        self.bad = self._index(
            self._of_data("bad_quality", watch.bad_quality.name.resolved(), watch.bad_quality.priority)
        )
        self.bad_table = self.tables.bad_quality()
        self.stale = self._index(self._of_data("stale", watch.stale.name.resolved(), watch.stale.priority))
        self.by_role: dict[tuple[str, str], list[int]] = {}
        for place, point in enumerate(site.points):
            self.by_role.setdefault((point.equipment, point.role), []).append(place)

    def rules(self) -> Rules:
        wanted: dict[str, list[tuple[str, Standard]]] = {}
        for name, each in self.standard.rules.items():
            if each.effective_from.isoformat() <= self.today:
                for role in each.roles:
                    wanted.setdefault(role, []).append((name, each))
        for place, point in enumerate(self.site.points):
            if point.limits:
                self._limits(place, point)
            for name, each in wanted.get(point.role, ()):
                if not each.templates or self.site.equipment[point.equipment].template in each.templates:
                    self._standard(place, point, name, each)
            if point.retention is Retention.STATUTORY:
                self._supervised(place, point)
        self._connections()
        derived = self._own()
        return Rules(tuple(self.facts), Lanes.of(self.lanes), tuple(self.silences), self.tables, derived)

    def _own(self) -> tuple[Derived, ...]:
        """The site's own alarms, and its linkages that do not act: their lanes, which have no point, come first."""
        places = {point.path: place for place, point in enumerate(self.site.points)}
        derived = []

        def judge(rule: Rule, subject: str, inputs: Sequence[str], tree: Node | None, *level: float) -> None:
            side, on, ends = level
            lane = Lane(self._index(rule), -1, subject, on_s=rule.on_s, off_s=rule.off_s)
            self.lanes.append(lane.at_level(side, on, ends))
            of = tuple(places[path] for path in inputs)
            derived.append(
                Derived(of, tree, tuple(self._aged(*self._state_gate(self.site.points[place])) for place in of))
            )

        for name, each in self.standard.together.items():
            if each.effective_from.isoformat() <= self.today:
                for members in self._together(each):
                    lane = Lane(self._index(of_together(name, each)), -1, members[0].path, on_s=each.on_s)
                    self.lanes.append(lane.at_level(1.0, 0.5, 0.5))
                    of = tuple(places[point.path] for point in members)
                    gates = tuple(self._aged(*self._state_gate(point)) for point in members)
                    known = Known(float(each.is_), tuple(self._patience_us(place) for place in of))
                    derived.append(Derived(of, linked.all_are(len(of), each.is_), gates, known))
        for own in self.site.alarms:
            if own.effective_from <= self.today:
                judge(of_own(own), own.inputs[0], own.inputs, own.tree, own.side, own.level, own.ends)
        for linkage in self.site.linkages:
            if not linkage.then or not linkage.enabled or linkage.effective_from > self.today:
                continue
            tree, inputs = linked.unmet(linkage)
            if set(inputs) <= set(places):
                points = {path: self.site.points[places[path]] for path in inputs}
                judge(of_linkage(linkage, points), linkage.then[0].point, inputs, tree, 1.0, 0.5, 0.5)
        return tuple(derived)

    def _together(self, each: Together) -> list[list[Point]]:
        """The points that are judged together, of each area."""
        found: dict[str, list[Point]] = {}
        for point in self.site.points:
            equipment = self.site.equipment[point.equipment]
            if point.role == each.role and equipment.template in each.templates:
                found.setdefault(equipment.area, []).append(point)
        return list(found.values())

    def _index(self, rule: Rule) -> int:
        return self.facts.setdefault(rule, len(self.facts))

    def _limits(self, place: int, point: Point) -> None:
        alarms, statutory = self.standard.limits, point.retention is Retention.STATUTORY
        newest: dict[str, Limit] = {}
        for limit in sorted(point.limits, key=lambda each: each.effective_from):
            if limit.effective_from <= self.today:
                newest[limit.kind] = limit
        for kind, limit in newest.items():
            running = kind in alarms.running.kinds and point.role in alarms.running.roles
            gate, table = self._running_gate(point) if running else self._state_gate(point)
            rule = self._changed(self._limit(point.role, limit, statutory=statutory, running=running), point.path)
            if rule is None:
                continue
            side = 1.0 if kind in HI else -1.0
            back = limit.value if limit.restore is None else limit.restore
            level = (Form.LEVEL, side, side * limit.value, side * back, 0)
            shut = self._aged(gate, table)
            self.lanes.append(Lane(self._index(rule), place, point.path, *level, *shut, rule.on_s, rule.off_s))

    def _limit(self, role: str, limit: Limit, *, statutory: bool, running: bool) -> Rule:
        known = (role, limit, statutory)
        if known not in self.limits:
            alarms = self.standard.limits
            cut = limit.kind == "hihi" and role in alarms.cut
            self.limits[known] = Rule(
                f"limit.{limit.kind}",
                alarms.name["cut" if cut else limit.kind].resolved(),  # type: ignore[index]
                Kind.POWER_CUT if cut else Kind.ALARM,
                alarms.urgency(role, limit.kind, statutory=statutory),
                statutory,
                version_of(limit.effective_from),
                limit.source,
                limit.effective_from,
                limit.confirmed,
                on_s=alarms.on_s.get(role, alarms.running.on_s if running else 0.0),
                level=limit.value,
                restore=limit.restore,
                reason=limit.reason,
            )
        return self.limits[known]

    def _standard(self, place: int, point: Point, name: str, each: Standard) -> None:
        gate, table = self._state_gate(point)
        if each.gate is not None:
            for other in self.by_role.get((point.equipment, each.gate.role), ())[:1]:
                gate, table = other, self.tables.suppressed(each.gate.unless)
        index, said = self._named(name, each)
        states = (Form.STATES, 1.0, np.inf, -np.inf, said)
        on_s, off_s = each.on_s, each.off_s
        if name in self.changes:
            rule = self._changed(self.named_rules[name], point.path)
            if rule is None:
                return
            index, on_s, off_s = self._index(rule), rule.on_s, rule.off_s
        self.lanes.append(Lane(index, place, point.path, *states, *self._aged(gate, table), on_s, off_s))

    def _named(self, name: str, each: Standard) -> tuple[int, int]:
        """A standard rule's place among the facts, and its table."""
        if name not in self.named:
            since = each.effective_from.isoformat()
            rule = Rule(
                name,
                each.name.resolved(),
                each.kind,
                each.priority,
                each.statutory,
                version_of(since),
                each.source,
                since,
                each.confirmed,
                each.on_s,
                each.off_s,
                annunciate=each.annunciate,
                latching=each.latching,
            )
            said = self.tables.any_bit(each.is_.bits) if isinstance(each.is_, Bits) else self.tables.any_of(each.is_)
            self.named[name], self.named_rules[name] = (self._index(rule), said), rule
        return self.named[name]

    def _changed(self, rule: Rule, path: str) -> Rule | None:
        """As the site has it at a point: the newest of its changes, one that names the point before one for all."""
        for change in self.changes.get(rule.name, ()):
            if change.points and path not in change.points:
                continue
            if change.off:
                return None
            rule = replace(
                rule,
                priority=rule.priority if change.priority is None else change.priority,
                on_s=rule.on_s if change.on_s is None else change.on_s,
                off_s=rule.off_s if change.off_s is None else change.off_s,
                latching=rule.latching or change.latching,
                reason=change.reason,
                approved_by=change.approved_by,
            )
        return rule

    def _supervised(self, place: int, point: Point) -> None:
        on_s = self.standard.supervision.bad_quality.on_s
        self.lanes.append(Lane(self.bad, place, point.path, Form.QUALITY, table=self.bad_table, on_s=on_s))
        limit = round(self.standard.supervision.stale.silences * point.silence_s * 1e6)
        self.silences.append(Silence(self.stale, point.path, (place,), limit))

    def _connections(self) -> None:
        watch = self.standard.supervision.connection
        rule = self._index(self._of_data("connection.silent", watch.name.resolved(), watch.priority, statutory=False))
        members: dict[str, list[int]] = {}
        for place, point in enumerate(self.site.points):
            if point.formula is None:
                members.setdefault(point.connection, []).append(place)
        for name, places in sorted(members.items()):
            limit = round(watch.silences * min(self.site.points[place].silence_s for place in places) * 1e6)
            self.silences.append(
                Silence(rule, f"{self.site.code}/connection:{name}", tuple(places), limit, common=True)
            )

    def _of_data(self, name: str, text: Name, priority: int, *, statutory: bool = True) -> Rule:
        watch = self.standard.supervision
        since = watch.effective_from.isoformat()
        return Rule(
            name, text, Kind.ALARM, priority, statutory, version_of(since), watch.source, since, watch.confirmed
        )

    def _aged(self, gate: int, table: int) -> tuple[int, int, int]:
        """A gate with how old it may be, µs: as long as its point may be silent before it counts as stale."""
        if gate < 0:
            return gate, table, FOREVER_US
        return gate, table, self._patience_us(gate)

    def _patience_us(self, place: int) -> int:
        return round(self.standard.supervision.stale.silences * self.site.points[place].silence_s * 1e6)

    def _state_gate(self, point: Point) -> tuple[int, int]:
        """The sensor's own state, while which is one of calibration or fault its value counts for nothing."""
        if point.role != SENSOR_STATE:
            for other in self.by_role.get((point.equipment, SENSOR_STATE), ())[:1]:
                return other, self.tables.sensor_counts()
        return -1, 0

    def _running_gate(self, point: Point) -> tuple[int, int]:
        """What says that the machine runs: of several motors the one whose key begins as the point's does."""
        for role, stands in RUNNING.items():
            motors = self.by_role.get((point.equipment, role), [])
            prefix = point.key.partition("_")[0]
            near = [place for place in motors if self.site.points[place].key.partition("_")[0] == prefix]
            for other in (near or (motors if len(motors) == 1 else []))[:1]:
                return other, self.tables.suppressed(stands)
        return -1, 0


def _keys(names: Iterable[tuple[str, str]]) -> NDArray[np.uint64]:
    return np.array([xxhash.xxh3_64_intdigest(f"{rule}\0{subject}".encode()) for rule, subject in names], np.uint64)
