"""What an alarm is and can be. The states are those of ISA-18.2 (IEC 62682)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.alarms.finding import Act, Kind


class AlarmError(Exception):
    """What may not be done to an alarm: `code` for programs, and why in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.code, self.zh, self.en = code, zh, en


class State(StrEnum):
    """By what the process does and what the operator did; suppression lies over it."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned_unacknowledged"
    LATCHED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"

    @staticmethod
    def of(*, active: bool, latched: bool, acknowledged: bool) -> State:
        """`latched`: the process has returned, and the alarm stays until somebody resets it."""
        if latched and not active:
            return State.LATCHED_ACKNOWLEDGED if acknowledged else State.LATCHED
        if active:
            return State.ACKNOWLEDGED if acknowledged else State.UNACKNOWLEDGED
        return State.NORMAL if acknowledged else State.RETURNED


class Suppression(StrEnum):
    SHELVED = "shelved"
    BY_DESIGN = "by_design"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Change:
    """What the engine found at one alarm. `rule` and `subject` name it; `ts` is the source's time (µs UTC); `memory`
    is what the engine needs after a restart, None for nothing; `late`: to be kept and not announced."""

    rule: str
    subject: str
    act: Act
    ts: int
    rule_version: int
    priority: int
    kind: Kind = Kind.ALARM
    statutory: bool = False
    latched: bool = False
    late: bool = False
    value: float | None = None
    quality: int | None = None
    cause: tuple[str, str] | None = None
    """Rule and subject of the alarm whose consequence this one is."""
    takes: tuple[tuple[str, str], ...] = ()
    """Rule and subject of alarms that were raised before this one: what was raised since `began` (µs UTC) and has no
    other cause is its consequence."""
    began: int | None = None
    level: int = 0
    memory: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far `consumer` has judged `stream`, which was made at `born` (µs UTC): up to the message `sequence`."""

    consumer: str
    stream: str
    born: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Why an alarm says nothing: who let it, with what reason, `since` when and `until` when (µs UTC; None: until it
    is lifted)."""

    kind: Suppression
    who: str
    reason: str
    since: int
    until: int | None
    ticket: int | None
    allowed_by: str | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it is. Times µs UTC; `suppressions`: those that last now."""

    id: int
    rule: str
    subject: str
    kind: Kind
    rule_version: int
    priority: int
    statutory: bool
    state: State
    since: int
    cause: int | None
    level: int
    memory: str | None
    suppressions: tuple[Suppressed, ...] = ()
    waits_since: int | None = None
    """The first raise that nobody acknowledged yet, None where none waits."""

    @property
    def suppressed(self) -> tuple[Suppression, ...]:
        """By what it is."""
        return tuple(each.kind for each in self.suppressions)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal: `ts` when it happened, `at` when it was written; `who`, `note` of people's acts."""

    number: int
    alarm: int
    what: Act
    ts: int
    at: int
    late: bool
    value: float | None
    quality: int | None
    who: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Handling:
    """Why it came to the raise of journal number `raised`, what was done, and the `result` of it, "" where it was not
    said."""

    id: int
    raised: int
    cause: str
    measure: str
    who: str
    at: int
    result: str = ""
