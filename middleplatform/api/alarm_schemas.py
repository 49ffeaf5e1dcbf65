"""What people give about alarms, and what is answered about them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.alarms.book import MOST
from middleplatform.alarms.condition import Act
from middleplatform.api.manual_schemas import Plain, Strict, Time
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words

Id = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="报警编号 · the alarm's number")]
Note = Annotated[str, Field(max_length=500), Plain]
Told = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S"), Plain]


class Acknowledged(Strict):
    """`seen`: of the alarms, in their order, the `since` that was seen; one that was raised again meanwhile is left."""

    alarms: list[Id] = Field(min_length=1, max_length=MOST)
    note: Note = ""
    seen: list[Annotated[int, Field(strict=True, ge=0, le=2**62)]] | None = Field(None, max_length=MOST)


class Shelved(Strict):
    """`end`: until when, `30m`, `+30m` or a time with a zone; shelving always has one."""

    reason: Told
    end: Time


class Silenced(Strict):
    """`end` null: until it is lifted. `ticket`: the work during which it is silent. A statutory alarm needs an end, and
    `allowed_by`: the user, not the asker, who allowed it and may suppress alarms too."""

    reason: Told
    end: Time | None = None
    ticket: Id | None = None
    allowed_by: Annotated[str, Field(min_length=1, max_length=40), Plain] | None = None


class Noted(Strict):
    note: Note = ""


class Handled(Strict):
    """Why it came to the raise, what was done, and what came of it."""

    cause: Told
    measure: Told
    result: Note = ""


class Place(BaseModel):
    id: str
    name: Words


class SuppressedBy(BaseModel):
    """`kind`: shelved, by_design, out_of_service; `until` null: until it is lifted. Times µs UTC."""

    kind: str
    who: str
    reason: str
    since: int
    until: int | None
    ticket: int | None
    allowed_by: str | None


class AlarmFacts(BaseModel):
    """`subject`: a point's path, or `<mine code>/<equipment>`. `since`: the source's time of the last raise, µs UTC.
    `cause`: the alarm whose consequence this one is. `suppressed`: shelved, by_design, out_of_service, now, and
    `suppressions` how each came about. `level`: how often it was escalated. `value`: with which it was raised last, in
    the `unit` of its point; null where it was no value that raised it."""

    id: int
    rule: str
    rule_version: int
    subject: str
    name: Words
    equipment: Place | None
    area: Place | None
    kind: str
    priority: int
    statutory: bool
    state: str
    since: int
    time: str
    cause: int | None
    level: int
    value: float | None
    unit: str
    suppressed: list[str]
    suppressions: list[SuppressedBy]
    rule_name: Words
    chattering: bool


class Counts(BaseModel):
    """Of all alarms in scope that are not at rest, whatever was filtered."""

    open: int
    unacknowledged: int
    active: int
    suppressed: int
    priorities: dict[str, int]


class Watch(BaseModel):
    """The process that judges. Not `alive`: what is told of alarms is what it was; `deaf`: it hears nothing of the
    mine; `behind`: the streams have more than was judged; `failing`: what it finds cannot be kept."""

    alive: bool
    deaf: bool
    behind: bool
    failing: bool


class AlarmList(BaseModel):
    """`total`: those that fit, `alarms`: of these a page, the most urgent and newest first. `time_zone`: the mine's."""

    total: int
    offset: int
    counts: Counts
    watch: Watch
    time_zone: str
    alarms: list[AlarmFacts]


class GroupOf(BaseModel):
    """`head`: the cause, or of those that are `alike` (one rule in one area) the first that came. `urgent`: the member
    to look at first, what stands unacknowledged before all else, then by priority; null where that is the head.
    `active`: of the `count` those that have not returned; `since`: when one was raised last. `alarms`: ids of all,
    the head's among them, at most 500, and `sinces` when each was raised last, µs UTC: what is given back as `seen`
    when they are acknowledged. `count` says how many there are."""

    head: AlarmFacts
    urgent: AlarmFacts | None
    alike: bool
    count: int
    active: int
    unacknowledged: int
    priority: int
    since: int
    alarms: list[int]
    sinces: list[int]


class FloodNow(BaseModel):
    """`peak`: the most raises within the window of the annunciation's settings."""

    start: int
    peak: int


class InAlarm(BaseModel):
    """Of a machine: the most urgent of its open alarms, and how many there are."""

    priority: int
    count: int


class Groups(BaseModel):
    """`flood`: the one that lasts, null while there is none; only for who sees the whole mine. `equipment`: every
    machine that has an open alarm among those that fit, also where its groups are on another page. `time_zone`: the
    mine's."""

    total: int
    offset: int
    counts: Counts
    watch: Watch
    time_zone: str
    flood: FloodNow | None
    equipment: dict[str, InAlarm]
    groups: list[GroupOf]


class Performance(BaseModel):
    """Figures of ISA-18.2 over a range, beside their `targets`. Times µs UTC, shares 0 to 1. `watched_s`: for how long
    the alarms were judged, `coverage` of the range; rates and shares of time are of that, null where it is nothing, and
    held against the targets only where it is `enough` (at least `coverage_target`). A priority of the targets may be
    several together, `3+4`."""

    model_config = ConfigDict(extra="allow")

    start: int
    end: int
    watched_s: float
    coverage: float
    enough: bool
    coverage_target: float
    raises: int
    per_hour: float | None
    per_day: float | None
    per_10_min: dict[str, float | None]
    top_ten: list[dict[str, object]]
    top_ten_share: float
    stale: dict[str, object]
    flood: dict[str, object]
    priorities: dict[str, float]
    acknowledged: dict[str, float | None]
    chattering: list[dict[str, object]]
    targets: dict[str, object]
    effective_from: str


class Lifted(BaseModel):
    """The alarms that were not acknowledged before."""

    acknowledged: list[int]


class HandlingFacts(BaseModel):
    id: int
    raised: int
    cause: str
    measure: str
    who: str
    at: int
    result: str


class EntryOf(BaseModel):
    """`ts`: when it happened, by the source; `at`: when it was written; `late`: too late to be announced. `who` and
    `note` are of people's acts, `handlings` of a raise. What the alarm is called, where it is and what kind it is of
    are of today; `to_handle`: it is a raise that must have a handling record."""

    number: int
    alarm: int
    rule: str
    subject: str
    name: Words
    equipment: Place | None
    area: Place | None
    rule_name: Words
    kind: str
    priority: int
    statutory: bool
    unit: str
    to_handle: bool
    what: str
    ts: int
    time: str
    at: int
    late: bool
    value: float | None
    quality: int | None
    who: str | None
    note: str | None
    handlings: list[HandlingFacts]


class Journal(BaseModel):
    """`next`: the `before` of the next page, null at the end. `time_zone`: the mine's. `total`: with `handled` alone,
    how many there are."""

    total: int | None
    entries: list[EntryOf]
    time_zone: str
    next: int | None


_ACTS = tuple(str(each) for each in Act)
States = Literal[
    "",
    "normal",
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    "latched_unacknowledged",
    "latched_acknowledged",
    "waiting",
]


class OfAlarms(Asked):
    """Which alarms, by what they are: all that is given holds."""

    priority: int | None = Field(None, ge=0, le=9)
    kind: Literal["", "alarm", "power_cut", "feed_fault"] = ""
    area: str | None = Field(
        None, min_length=1, max_length=100, description="区域（含其下级） · an area and all within"
    )
    equipment: str | None = Field(None, min_length=1, max_length=100)
    q: str = Field("", max_length=200, description="名称、规则、位置 · words of its name, rule, place")


class StandingQuery(OfAlarms):
    """`state` `waiting`: whatever nobody acknowledged yet."""

    state: States = ""
    suppressed: Literal["no", "yes", "all"] = Field("no", description="被搁置或停用的 · shelved, out of service, …")


class AlarmsQuery(StandingQuery):
    """`group`: of the group that has this alarm as its head, as `/alarms/groups` finds it with the same filters."""

    resting: bool = Field(False, description="含已恢复正常的 · those at rest too")
    group: int | None = Field(None, ge=1, le=2**31 - 1)
    limit: int = Field(1_000, ge=1, le=10_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class GroupsQuery(StandingQuery):
    limit: int = Field(200, ge=1, le=1_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class PerformanceQuery(Asked):
    start: str = Field("-1d", min_length=1, max_length=60)
    end: str = Field("now", min_length=1, max_length=60)


class JournalQuery(OfAlarms):
    """`handled` `missing`: raises that must have a handling record and have none; `kept`: those that have one."""

    alarm: int | None = Field(None, ge=1, le=2**31 - 1)
    rule: str | None = Field(None, min_length=1, max_length=100)
    what: Literal["", *_ACTS] = ""
    handled: Literal["", "missing", "kept"] = ""
    start: str | None = Field(None, min_length=1, max_length=60)
    end: str | None = Field(None, min_length=1, max_length=60)
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="此编号之前 · entries below this number")
