"""What the engine finds: an alarm was raised, or the process returned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """报警, 断电 and 馈电异常: apart from each other, each with its own handling."""

    ALARM = "alarm"
    POWER_CUT = "power_cut"
    FEED_FAULT = "feed_fault"


class Act(StrEnum):
    """What the journal tells of. The engine raises and returns; all else people do, or time."""

    RAISE = "raise"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    ESCALATE = "escalate"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    RECORD = "record"
    """What is to be known and is no alarm, as a calibration: in the journal alone."""


@dataclass(frozen=True, slots=True)
class Finding:
    """At one alarm, which `rule` and `subject` (a point's path, or an equipment's, or a connection's) name, at `ts` (µs
    UTC): the sample's time, or with a delay the moment at which it ran out.

    `value`, `quality`: of the sample with which the condition began or ended, None where none did. `late`: found in
    samples that came late; to be kept and not announced, and the state of the alarm is what it was. `memory`: always
    None, the engine's whole memory is `Engine.memory`."""

    rule: str
    subject: str
    act: Act
    ts: int
    value: float | None = None
    quality: int | None = None
    late: bool = False
    memory: str | None = None
    cause: tuple[str, str] | None = None
    """Rule and subject of the alarm whose consequence this one is."""
    chattering: bool = False
    """Of a return: it was withheld until the alarm had been quiet for a minute."""
    first_out: bool = False
    """Of a raise: the first of its group."""
    began: int | None = None
    """Of a silence that is raised: since when nothing came, µs UTC."""
    takes: tuple[tuple[str, str], ...] = ()
    """Rule and subject of what was raised at its place before it: of these, what came since `began` follows from it."""
