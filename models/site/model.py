"""What a loaded site is: everything resolved, nothing left to look up.

`models.site.load` makes these from the folder of files; every process works from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.basis import Basis
from models.site.expressions import Node

if TYPE_CHECKING:
    from models.patrol import Chamber
    from models.sequence import Rotation, Sequence
    from models.site.interlocks import Interlock

DEFAULT_SILENCE_S = 30.0
STATUTORY_SILENCE_S = 10.0
DEFAULT_PRIORITY = 5
DEFAULT_SKEW_S = 10.0


@dataclass(frozen=True, slots=True)
class Name:
    """A name in Chinese and in English."""

    zh: str
    en: str

    def words(self) -> dict[str, str]:
        """Both, as they are told outside."""
        return {"zh": self.zh, "en": self.en}


class Kind(StrEnum):
    """What a point's values are."""

    ANALOG = "analog"
    STATE = "state"
    COUNTER = "counter"
    TEXT = "text"


class Retention(StrEnum):
    """How a point's samples travel and how long they stay: statutory ones go first and stay longest."""

    BULK = "bulk"
    STATUTORY = "statutory"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a point, in the point's unit: the template's, or the site's own. `kind`: hihi, hi, lo,
    lolo. `restore`: where it ends, None for at `value`; `effective_from`: an ISO date; `confirmed`: not a
    usual or second-hand figure; `reason`: why the site set its own, "" for the template's."""

    kind: str
    value: float
    restore: float | None = None
    source: str = ""
    effective_from: str = ""
    confirmed: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Guards:
    """What a point's samples are watched for, beside their range. 0, "" and () guard nothing.

    `no_value`: raw numbers by which the device says that it has none. `rollover`: the raw number at
    which a counter begins again at 0. `frozen_s`: how long the value may stay exactly the same.
    `heartbeat`: the path of a point whose standing still says that the device's program has stopped.
    `jump`: the most that the value can change in a second, in the point's unit. `curve`: (raw, value)
    with raw rising, in place of the scale. `debounce_s`: how long a state must last to be believed.
    """

    no_value: tuple[float, ...] = ()
    rollover: float = 0.0
    frozen_s: float = 0.0
    heartbeat: str = ""
    jump: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()
    debounce_s: float = 0.0


UNGUARDED = Guards()


@dataclass(frozen=True, slots=True)
class Formula:
    """How a derived point follows from others of its connection: `code` over x0, x1, … for numexpr, and
    the paths that these stand for. `text` is what the site says."""

    text: str
    code: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One point: what it means, where it is read, and how its raw value becomes its value.

    value = raw * factor + offset, in `unit`; both already hold the scale of the device and the
    conversion of the unit. `low` and `high` bound what the value can physically be (NaN: no bound);
    `dead_band` is in `unit`; `silence_s` is the longest time without a sample.
    """

    path: str
    id: int
    equipment: str
    key: str
    name: Name
    role: str
    kind: Kind
    unit: str
    retention: Retention
    connection: str
    group: str
    address: str
    type: str
    order: str
    factor: float
    offset: float
    low: float
    high: float
    dead_band: float
    silence_s: float
    states: Mapping[int, Name] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    writable: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    guards: Guards = UNGUARDED
    formula: Formula | None = None
    """Of a derived point, which has no address."""
    sensor_code: str = ""
    """Its type in the national dictionary of sensors, four digits; "" where the template names none."""

    def called(self, value: float | str | None) -> Name | None:
        """What it calls that value; None where it has no name for it."""
        whole = isinstance(value, int | float) and float(value).is_integer()
        return self.states.get(int(value)) if whole and value is not None else None


class ClockPolicy(StrEnum):
    """Whose time a sample of a device with a clock of its own gets."""

    SOURCE = "source"
    """The device's, where it can be believed; put right, and uncertain, while its clock is too far off."""
    GATEWAY = "gateway"
    """Ours: the device's clock is not looked at."""
    CHECK = "check"
    """The device's, and uncertain while its clock is off by more than is allowed."""


@dataclass(frozen=True, slots=True)
class Group:
    """A poll group: its members are read together every `period_s`, `phase_s` after the full period.
    A phase of None lets the gateway stagger the group. `priority`, 1 … 9: of the groups that are due
    the higher is read first."""

    name: str
    period_s: float
    phase_s: float | None = None
    priority: int = DEFAULT_PRIORITY


@dataclass(frozen=True, slots=True)
class Connection:
    """One device's connection: `adapter` is the protocol's entry point, `settings` is for it alone.
    `heartbeat`: the path of a point for all of its points (see Guards), or "". `time_zone`: of a device
    that sends local time as if it were UTC, or "". `skew_s`: how far its clock may be off ours."""

    name: str
    gateway: str
    adapter: str
    settings: Mapping[str, Any]
    groups: Mapping[str, Group]
    heartbeat: str = ""
    clock: ClockPolicy = ClockPolicy.SOURCE
    time_zone: str = ""
    skew_s: float = DEFAULT_SKEW_S


@dataclass(frozen=True, slots=True)
class Equipment:
    """One machine or chamber: an instance of a template. `area` is where it stands now; `subsystem` is the
    category of its template, "" where it is not known."""

    id: str
    template: str
    name: Name
    area: str
    subsystem: str = ""


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What a site keeps of a template that it uses. `digest`: of its file, 64 hexadecimal digits."""

    id: str
    name: Name
    category: str
    digest: str


@dataclass(frozen=True, slots=True)
class Area:
    id: str
    name: Name
    parent: str | None


class RunStyle(StrEnum):
    """What colour the console gives to what runs."""

    GREY = "grey"
    """As ISA-101 has it: a colour says that something wants attention, and running wants none."""
    GREEN = "green"
    """As many mines' panels have it (GB/T 4025): a muted green."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A working shift, "HH:MM" local time; an end not after the start is on the next day."""

    name: Name
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The mine's coordinate system (an EPSG code or a name) and the origin of its plans, metres:
    north (X), east (Y), height, in the Chinese order of axes."""

    system: str
    origin: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """A thing on the mine's map. `rings`: its positions, [n, 2] east and north in m from the site's origin: one of a
    point and a line, of an area its edge and then its holes. `facts`: what else its file says of it."""

    id: str
    layer: str
    name: Name
    geometry: Literal["Point", "LineString", "Polygon"]
    rings: tuple[NDArray[np.float64], ...]
    equipment: str | None
    area: str | None
    facts: Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Relation:
    """Points that must agree if their data is right. One side of ids: they measure the same. Two: their sums are the
    same. They may be apart by `within`, in their unit, or by `share` of the larger, whichever is more."""

    id: str
    name: Name
    sides: tuple[tuple[int, ...], ...]
    within: float = 0.0
    share: float = 0.0


class Act(StrEnum):
    """What a linkage does."""

    POWER_OFF = "power_off"
    """Takes power away: it needs a restore condition and an authorised person to restore."""
    STOP = "stop"
    START = "start"
    SET = "set"
    NOTICE = "notice"
    """Only tells: broadcast, withdrawal."""


class OnLost(StrEnum):
    """What the loss of a sensor does to a linkage that looks at it."""

    TRIP = "trip"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A point, by path, whose value lies in [low, high] for `lasting_s`; both bounds are the point's own floats, so
    that "below 1" is [-inf, the float before 1]. `text` says it as the site does."""

    point: str
    low: float
    high: float
    lasting_s: float = 0.0
    text: str = ""

    def holds(self, value: float) -> bool:
        """Whether this value is meant; NaN never is."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Conditions:
    """All of them (`every`), or any."""

    comparisons: tuple[Comparison, ...]
    every: bool


@dataclass(frozen=True, slots=True)
class Restore:
    """Under what a tripped linkage may be restored, `automatic` or by an authorised person, and what is then
    commanded (nothing: power is put back by hand)."""

    when: Conditions
    automatic: bool
    command: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Linkage:
    """A linkage (联动): when `when` comes true, `command` (path → value in the point's unit) is written within
    `within_s`, and `then` must follow. `mine`: the mine's own hardware does it and is only watched. `gateways`: those
    that carry it out. `priority` 1 (first) … 4. `latched`: it stays tripped until it is restored."""

    id: str
    name: Name
    act: Act
    mine: bool
    when: Conditions
    then: tuple[Comparison, ...]
    command: Mapping[str, float]
    within_s: float
    source: str
    gateways: tuple[str, ...] = ()
    confirmed: bool = True
    restore: Restore | None = None
    on_lost: OnLost = OnLost.HOLD
    lost_after_s: float = 10.0
    notice: Name | None = None
    priority: int = 2
    latched: bool = False
    shadow: bool = False
    enabled: bool = True
    version: int = 1
    effective_from: str = ""
    """An ISO date; "": always."""

    def points(self) -> tuple[str, ...]:
        """The paths that its conditions look at, without what it commands."""
        looked = (*self.when.comparisons, *self.then, *(self.restore.when.comparisons if self.restore else ()))
        return tuple(dict.fromkeys(comparison.point for comparison in looked))

    def restores(self) -> Mapping[str, float]:
        """What restoring it commands, path → value."""
        return {} if self.restore is None else self.restore.command

    def written(self) -> tuple[str, ...]:
        """The paths that it commands, or restoring it does."""
        return (*self.command, *self.restores())


@dataclass(frozen=True, slots=True)
class OwnAlarm:
    """An alarm of the site's own, over points by their paths. `tree`: over these; None: the change a minute of the one.
    It holds from `level` on, on the `side` where it is bad (1 above, -1 below), until beyond `ends`."""

    id: str
    name: Name
    inputs: tuple[str, ...]
    tree: Node | None
    side: float
    level: float
    ends: float
    priority: int
    on_s: float
    off_s: float
    source: str
    effective_from: str
    latching: bool = False


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """What a site changes of a standard alarm, at some points or all; None and False change nothing."""

    rule: str
    points: frozenset[str]
    priority: int | None
    on_s: float | None
    off_s: float | None
    off: bool
    reason: str
    approved_by: str
    effective_from: str
    latching: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A whole site. `points` is in a stable order: by path. `version` is a digest of all files read."""

    code: str
    name: Name
    capacity_kt: int
    gas_class: str
    time_zone: str
    version: str
    areas: Mapping[str, Area]
    equipment: Mapping[str, Equipment]
    connections: Mapping[str, Connection]
    points: tuple[Point, ...]
    shifts: tuple[Shift, ...] = ()
    coordinates: Coordinates | None = None
    run_style: RunStyle = RunStyle.GREY
    features: tuple[Feature, ...] = ()
    """Of its map, in the order of its files."""
    templates: Mapping[str, TemplateFacts] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    interlocks: tuple[Interlock, ...] = ()
    sequences: Mapping[str, Sequence] = field(default_factory=dict)
    rotations: Mapping[str, Rotation] = field(default_factory=dict)
    alarms: tuple[OwnAlarm, ...] = ()
    alarm_changes: tuple[AlarmChange, ...] = ()
    chambers: Mapping[str, Chamber] = field(default_factory=dict)
    """Those that nobody attends and somebody patrols."""
    linkages: tuple[Linkage, ...] = ()
    """By id."""
    basis: Basis = field(default_factory=Basis)
    """What its figures are reckoned by."""

    def gateways(self) -> tuple[str, ...]:
        """The names of the gateways that this site's connections name, sorted."""
        return tuple(sorted({connection.gateway for connection in self.connections.values()}))

    def areas_around(self, area: str | None) -> list[str]:
        """An area and those that it lies in, the innermost first."""
        found: list[str] = []
        while area and area not in found:
            found.append(area)
            known = self.areas.get(area)
            area = known.parent if known is not None else None
        return found

    def points_of(self, connection: str) -> tuple[Point, ...]:
        """The points read over one connection, in the site's order; derived points are not read."""
        return tuple(point for point in self.points if point.connection == connection and point.formula is None)

    def ids(self) -> NDArray[np.uint64]:
        """All ids, in the order of `points`."""
        return np.fromiter((point.id for point in self.points), np.uint64, len(self.points))
