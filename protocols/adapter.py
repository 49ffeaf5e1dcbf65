"""The one interface behind which every protocol lives.

An adapter speaks one protocol with one device. It decodes bytes to numbers and says how good they
are; it knows nothing of units, dead-bands, the bus or other devices. The gateway gives it the tags
of one connection, each with its index, and gets columns back in those indices.

Life: `connect` → (`plan` + `read` again and again) or `subscribe` → `close`. After any
LinkLost the gateway closes the adapter and, later, connects a new one: an adapter is used once.
"""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.site.model import Name
from protocols.findings import Finding


class AdapterError(Exception):
    """What went wrong with a device, in words for an engineer: what, where, and what to do."""


class LinkLost(AdapterError):
    """The connection is not usable any more (refused, reset, silent): all its points are bad."""


class SignInRefused(LinkLost):
    """The device answered, and refused the user, the password or the certificate."""


class WriteRefused(AdapterError):
    """The device took the request and refused the write."""


class WriteUnknown(AdapterError):
    """The request went out, and what became of it nobody knows: the device said nothing, or nothing new."""


class Supports(enum.Flag):
    """What an adapter can do. One that can SUBSCRIBE is subscribed to unless its connection says poll."""

    READ = enum.auto()
    SUBSCRIBE = enum.auto()
    WRITE = enum.auto()
    BROWSE = enum.auto()


class Delivers(enum.StrEnum):
    """The delivery guarantee, in the same words for every adapter."""

    LATEST = "latest"
    """Each poll yields the value at that instant; what changed between polls was never seen."""
    EVERY_CHANGE = "every change while connected"
    """The device reports each change while the link is up; changes during an outage are not seen."""
    AT_LEAST_ONCE = "at least once"
    """The other side keeps each message until it is acknowledged, and it is acknowledged only after
    the bus has it on disk; a repeat is possible, a loss is not."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The short facts of an adapter, shown in docs and console and checked by the conformance suite."""

    name: str
    title: Name
    supports: Supports
    delivers: Delivers
    source_time: bool
    remarks: Name
    limits: tuple[Name, ...] = ()
    """What bounds it beyond what a setting can change: sizes, counts, what is thrown away."""
    holds: bool = False
    """A value holds until the source says otherwise: while the link is up, silence is no sign of age."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One value to fetch: `index` is the caller's, in 0 … n-1; the rest is the site's own writing."""

    index: int
    path: str
    address: str
    type: str = ""
    order: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    period_s: float = 0.0
    """The period of its poll group, 0 without one."""


@dataclass(slots=True, eq=False)
class Reading:
    """What came back, as columns of equal length, one row a value.

    `index` int32: which tag. `value` float64: as decoded, not scaled; NaN where there is none.
    `quality` uint8. `ts` int64: the source's time, µs UTC, 0 in a row without one; None when no row
    has one. `text`: string array with nulls, or None. `reasons`: for bad rows, tag index → plain
    words. `raw`: gives the bytes behind a tag index, for diagnostics only.
    """

    index: NDArray[np.int32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    ts: NDArray[np.int64] | None = None
    text: pa.StringArray | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    raw: Callable[[int], bytes | None] | None = None

    def __len__(self) -> int:
        return len(self.index)


def no_reading() -> Reading:
    """A reading of no rows."""
    return Reading(np.empty(0, np.int32), np.empty(0), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened, as a device tells it: an alarm, an exception, a check-in.

    `kind`: what sort of thing, of a-z 0-9 _ -. `key`: the source's own key for it; told again with the
    same key it is the same event, and the later telling holds: that is how an open one gets its end.
    `start`, `end`: µs UTC; 0 where the source gives no start, None while it lasts. `quality`: the OPC
    byte. `attributes`: what JSON can hold. It belongs to the equipment of the tag with the index
    `tag`; without one to `equipment`, by the key that it has in the site; without either to the
    connection's equipment if all its points are of one, else it is refused and counted.
    """

    kind: str
    key: str
    start: int = 0
    end: int | None = None
    quality: int = 192
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tag: int = -1
    equipment: str = ""


@dataclass(slots=True, eq=False)
class Delivery:
    """A reading, or events, or both, that the device sent by itself. `acknowledge` is called once, when
    all of it is in the bus (or was found to need no sample); an adapter whose protocol has no
    acknowledgement leaves it. `history`: the rows say how things were, with the source's times, and
    change nothing of the present."""

    reading: Reading = field(default_factory=no_reading)
    acknowledge: Callable[[], None] = lambda: None
    events: Sequence[Occurrence] = ()
    history: bool = False


Deliver = Callable[[Delivery], Awaitable[None]]
"""What `subscribe` calls with each delivery. It may wait: that is the gateway's back-pressure."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing found by `browse`: `address` fits a site's address column, "" for a mere folder. `unit`,
    `low` and `high` are what the device says of itself, "" and NaN where it says nothing."""

    address: str
    name: str
    type: str
    parent: str
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    writable: bool = False


class Settings(BaseModel):
    """What a connection's `settings:` may hold; an adapter declares its own in a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One question of a poll, before it is asked: `what` for people, `items` it brings (registers, bits,
    nodes), and `line_s`, the seconds that question and answer take on a serial line (0 on a network)."""

    what: str
    items: int
    sent_bytes: int
    received_bytes: int
    line_s: float = 0.0


S = TypeVar("S", bound=Settings)
P = TypeVar("P")


class Adapter(ABC, Generic[S, P]):
    """One protocol, one device. S: its settings; P: its compiled read plan."""

    sheet: ClassVar[Sheet]
    verifies_writes: ClassVar[bool] = False
    """Whether `write` returns only when the device itself has said the written value."""
    Settings: ClassVar[type[Settings]] = Settings

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.memory: dict[str, Any] = {}
        """What the next adapter of the same connection shall know: the gateway hands it on, and it is
        gone with the process."""

    @classmethod
    @abstractmethod
    def check(cls, tag: Tag) -> None:
        """Raises ValueError in plain words when the tag's address, type, order or options cannot be
        right. Needs no connection: `sevenones check` calls it for every point."""

    @classmethod
    def span(cls, tag: Tag) -> tuple[Hashable, int, int] | None:
        """Where in the device the value lies: a table and the first and last place in it, for finding
        values that overlap. None where places have no order, or where sharing one is usual."""
        return None

    @classmethod
    def raw_range(cls, tag: Tag) -> tuple[float, float] | None:
        """The lowest and highest raw number that the tag's type can hold; None where that is no bound."""
        return None

    @classmethod
    def words(cls, address: str, count: int) -> Sequence[Tag]:
        """The tags of the `count` smallest neighbouring pieces of memory from an address on, whose `Reading.raw`
        bytes put together are what stands there. Just the address where a protocol has no neighbours.
        Raises ValueError for an address that cannot be one."""
        return (Tag(0, "words", address),)

    @abstractmethod
    async def connect(self) -> None:
        """Open the connection and sign in, within the settings' time-out. Raises LinkLost."""

    def plan(self, tags: Sequence[Tag]) -> P:
        """Compile the tags of one poll group, each already passed by `check`. No input or output."""
        raise NotImplementedError(f"{self.sheet.name} does not read by plan")

    async def read(self, plan: P) -> Reading:
        """One value for every tag of the plan. What one tag's address does wrong makes that tag bad,
        with a reason; raises LinkLost only when nothing more can be asked over this connection."""
        raise NotImplementedError(f"{self.sheet.name} does not read by plan")

    def requests(self, plan: P) -> Sequence[Request]:
        """What one read of the plan asks for, in turn; empty when that cannot be said beforehand."""
        return ()

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        """Deliver what the device sends, until cancelled. Raises LinkLost when the link is gone or
        when data stopped though the link looks up. A tag that cannot be subscribed is delivered once
        as bad, with a reason, and does not disturb the rest."""
        raise NotImplementedError(f"{self.sheet.name} does not subscribe")

    async def write(self, tag: Tag, value: float | str) -> None:
        """Write one raw value. Raises WriteRefused, WriteUnknown, LinkLost, or AdapterError for a value
        that does not fit the type."""
        raise NotImplementedError(f"{self.sheet.name} does not write")

    async def browse(self, parent: str = "") -> Sequence[Node]:
        """The nodes below `parent` ("" is the root), one level."""
        raise NotImplementedError(f"{self.sheet.name} does not browse")

    @abstractmethod
    async def close(self) -> None:
        """Give the connection up. Never raises, and may be called at any time, more than once."""

    def counters(self) -> Mapping[str, int]:
        """Counts for the metrics page, such as messages that could not be read. Names end in _total."""
        return {}

    def findings(self) -> Sequence[Finding]:
        """What came and could not be used, the latest last: at most 100, each with its count. Shown to
        the engineer; nothing in it may be a secret of ours."""
        return ()
