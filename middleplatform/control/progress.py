"""How far a run of a sequence is: what is kept of it from one commit to the next, and the lines of its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from models.site.model import Name

NOTHING = Name("", "")


class Phase(StrEnum):
    """Where a run is."""

    ASKED = "asked"
    """A person has asked for it; nothing has been looked at."""
    WARNING = "warning"
    """People are warned; nothing has been started."""
    RUNNING = "running"
    HELD = "held"
    """Something failed or is not known: it stays as it is until a person decides."""
    PAUSED = "paused"
    """A person has stopped it for a while."""
    ABORTING = "aborting"
    DONE = "done"
    ABORTED = "aborted"
    REFUSED = "refused"
    """What it needs was not there: nothing was commanded."""

    @property
    def ended(self) -> bool:
        return self in (Phase.DONE, Phase.ABORTED, Phase.REFUSED)

    @property
    def waits(self) -> bool:
        """Whether it goes on only when a person says so."""
        return self in (Phase.HELD, Phase.PAUSED)


class Deed(StrEnum):
    """What a line of the journal tells."""

    ASK = "ask"
    BEGIN = "begin"
    REFUSE = "refuse"
    WARN = "warn"
    STEP = "step"
    COMMAND = "command"
    ANSWER = "answer"
    CONFIRM = "confirm"
    FAIL = "fail"
    HOLD = "hold"
    PAUSE = "pause"
    RESUME = "resume"
    TAKE_OVER = "take_over"
    ABORT = "abort"
    END = "end"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. `number`: of the command that it is about, 0 for none; `outcome`: of its answer."""

    what: Deed
    words: Name = NOTHING
    step: str = ""
    number: int = 0
    point: str = ""
    value: float | None = None
    outcome: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Give:
    """A command to be given once the line that tells of it is on disk. `number`: of the run's commands, from 1."""

    number: int
    point: str
    value: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What outlives the process. `step`: index among the steps, or among those of the abort path while aborting;
    `command`: how many of the step's commands are through; `since`: when the step or the warning began, µs UTC;
    `given`: number of the last command; `asked`: number → (point, step) of commands without an answer; `touched`:
    points that it has commanded; `missed`: steps of the abort path that were not confirmed; `already`: the step was
    found done and nothing was commanded; `stuck`: it holds because of the command it is at; `warned`: commands of
    the warning that are through; `reason`: why it waits or ended so; `who`: the person who last let it go on or
    aborted it, "" until somebody has."""

    phase: Phase = Phase.ASKED
    step: int = 0
    command: int = 0
    since: int = 0
    given: int = 0
    asked: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()
    missed: tuple[str, ...] = ()
    already: bool = False
    stuck: bool = False
    warned: int = 0
    reason: Name = NOTHING
    who: str = ""

    def but(self, **changes: Any) -> Progress:
        """The same with other values."""
        return replace(self, **changes)

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        asked = {str(number): list(what) for number, what in self.asked.items()}
        return {**asdict(self), "asked": asked, "touched": sorted(self.touched), "missed": list(self.missed)}

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Progress:
        """The inverse of `as_json`. Raises KeyError, TypeError, ValueError."""
        return Progress(
            Phase(found["phase"]), int(found["step"]), int(found["command"]), int(found["since"]),
            int(found["given"]), {int(n): (str(point), str(step)) for n, (point, step) in found["asked"].items()},
            frozenset(found["touched"]), tuple(found["missed"]), bool(found["already"]), bool(found["stuck"]),
            int(found["warned"]), Name(**found["reason"]), str(found.get("who", "")),
        )  # fmt: skip
