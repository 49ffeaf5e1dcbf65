"""What people give about alarms, and what is answered about them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.alarms.book import MOST
from middleplatform.api.manual_schemas import Plain, Strict, Time
from middleplatform.api.routes import Asked
from middleplatform.api.schemas import Words

Id = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="报警编号 · the alarm's number")]
Note = Annotated[str, Field(max_length=500), Plain]
Told = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S"), Plain]


class Acknowledged(Strict):
    alarms: list[Id] = Field(min_length=1, max_length=MOST)
    note: Note = ""


class Shelved(Strict):
    """`end`: until when, `+30m` or a time; shelving always has one."""

    reason: Told
    end: Time


class Silenced(Strict):
    """`end` null: until it is lifted. `ticket`: the work during which it is silent."""

    reason: Told
    end: Time | None = None
    ticket: Id | None = None


class Noted(Strict):
    note: Note = ""


class Handled(Strict):
    """Why it came to the raise, and what was done."""

    cause: Told
    measure: Told


class Place(BaseModel):
    id: str
    name: Words


class AlarmFacts(BaseModel):
    """`subject`: a point's path, or `<mine code>/<equipment>`. `since`: the source's time of the last raise, µs UTC.
    `cause`: the alarm whose consequence this one is. `suppressed`: shelved, by_design, out_of_service, now."""

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
    suppressed: list[str]
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
    mine; `behind`: the streams have more than was judged."""

    alive: bool
    deaf: bool
    behind: bool


class AlarmList(BaseModel):
    """`total`: those that fit, `alarms`: of these a page, the most urgent and newest first."""

    total: int
    offset: int
    counts: Counts
    watch: Watch
    alarms: list[AlarmFacts]


class GroupOf(BaseModel):
    """`head`: the cause, or of those that are `alike` (one rule in one area) the first that came. `alarms`: ids of all,
    the head's among them, at most 500; `count` says how many there are."""

    head: AlarmFacts
    alike: bool
    count: int
    unacknowledged: int
    priority: int
    since: int
    alarms: list[int]


class FloodNow(BaseModel):
    """`peak`: the most raises within the window of the annunciation's settings."""

    start: int
    peak: int


class Groups(BaseModel):
    """`flood`: the one that lasts, null while there is none; only for who sees the whole mine."""

    total: int
    offset: int
    counts: Counts
    watch: Watch
    flood: FloodNow | None
    groups: list[GroupOf]


class Performance(BaseModel):
    """Figures of ISA-18.2 over a range, beside their `targets`. Times µs UTC, shares 0 to 1."""

    model_config = ConfigDict(extra="allow")

    start: int
    end: int
    raises: int
    per_hour: float
    per_day: float
    per_10_min: dict[str, float]
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


class EntryOf(BaseModel):
    """`ts`: when it happened, by the source; `at`: when it was written; `late`: too late to be announced. `who` and
    `note` are of people's acts, `handlings` of a raise."""

    number: int
    alarm: int
    rule: str
    subject: str
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
    """`next`: the `before` of the next page, null at the end."""

    entries: list[EntryOf]
    next: int | None


States = Literal[
    "",
    "normal",
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    "latched_unacknowledged",
    "latched_acknowledged",
]


class AlarmsQuery(Asked):
    state: States = ""
    priority: int | None = Field(None, ge=0, le=9)
    kind: Literal["", "alarm", "power_cut", "feed_fault"] = ""
    area: str | None = Field(
        None, min_length=1, max_length=100, description="区域（含其下级） · an area and all within"
    )
    equipment: str | None = Field(None, min_length=1, max_length=100)
    suppressed: Literal["no", "yes", "all"] = Field("no", description="被搁置或停用的 · shelved, out of service, …")
    resting: bool = Field(False, description="含已恢复正常的 · those at rest too")
    limit: int = Field(1_000, ge=1, le=10_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class GroupsQuery(Asked):
    area: str | None = Field(None, min_length=1, max_length=100, description="区域及其下级 · an area and all in it")
    limit: int = Field(200, ge=1, le=1_000)
    offset: int = Field(0, ge=0, le=10_000_000)


class PerformanceQuery(Asked):
    start: str = Field("-1d", min_length=1, max_length=60)
    end: str = Field("now", min_length=1, max_length=60)


class JournalQuery(Asked):
    alarm: int | None = Field(None, ge=1, le=2**31 - 1)
    start: str | None = Field(None, min_length=1, max_length=60)
    end: str | None = Field(None, min_length=1, max_length=60)
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="此编号之前 · entries below this number")
