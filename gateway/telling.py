"""What became of commands, in words and as events: every command leaves one.

The event of a command is known by the command's id, so that the one of unknown outcome, which has no
end, is brought up to date once the point was read back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from gateway.inverse import Raw, of_raw
from gateway.ledger import Unsettled
from gateway.readback import Held
from models.command import Answer, Command, Outcome, Value
from models.events import Event, event_id
from models.quality import GOOD
from models.site.model import Name, Point
from models.words import halves

log = structlog.get_logger(__name__)

KIND = "command"


def judged(point: Point, raw: Raw, held: Held) -> tuple[Outcome, str, str, Value | None]:
    """The outcome of a write, its reason in both languages and the value read back, in the point's unit."""
    if raw.same(held.value):
        return Outcome.DONE, "已写入并回读核对", "written, read back and verified", raw.wanted
    if held.value is None:
        why = halves(held.reason)
        return (
            Outcome.FAILED,
            f"已写入，但无法回读：{why.zh}",
            f"written, but not to be read back: {why.en}",
            None,
        )
    value = held.value if isinstance(held.value, str) else of_raw(point, held.value)
    shown = value if isinstance(value, str) else f"{value:.9g} {point.unit}".rstrip()
    return Outcome.FAILED, f"写入后设备的值为 {shown}", f"after the write the device holds {shown}", value


def lost(reason: str) -> tuple[str, str]:
    """The reason of an unknown outcome, in both languages."""
    said = halves(reason)
    return (
        f"结果未知（{said.zh}）；回读之前该测点不再写入",
        f"whether it was written is not known ({said.en}); the point takes no other write until it was read back",
    )


class Telling:
    """Makes the events of the gateway `gateway` of the mine `code` and hands them to `emit`."""

    def __init__(self, code: str, gateway: str, emit: Callable[[Sequence[Event]], None]) -> None:
        self._code = code
        self._gateway = gateway
        self._emit = emit

    def command(self, point: Point | None, command: Command, answer: Answer, began: int, was: Value | None) -> None:
        """A command was answered."""
        told = {
            "to": command.value,
            "unit": command.unit or (point.unit if point else ""),
            "held": answer.value,
            "reason": answer.reason.en,
            "reason_zh": answer.reason.zh,
        }
        end = None if answer.outcome is Outcome.UNKNOWN else answer.at
        self._tell(command.point, command.id, command.who, began, end, {**told, "from": was}, answer.outcome)

    def unknown(self, point: Point | None, entry: Unsettled) -> None:
        """A write was under way when this gateway ended."""
        zh, en = lost("the gateway was stopped in the middle of it")
        told = {"to": entry.wanted, "unit": point.unit if point else "", "held": None, "reason": en, "reason_zh": zh}
        told["from"] = entry.was
        self._tell(entry.point, entry.id, entry.who, entry.began, None, told, Outcome.UNKNOWN)

    def settled(
        self, point: Point, entry: Unsettled, outcome: Outcome, reason: Name, value: Value | None, at: int
    ) -> None:
        """A point whose write was of unknown outcome has been read back."""
        told = {
            "to": entry.wanted,
            "unit": point.unit,
            "held": value,
            "reason": f"first unknown; {reason.en}",
            "reason_zh": f"曾为未知；{reason.zh}",
            "from": entry.was,
        }
        self._tell(entry.point, entry.id, entry.who, entry.began, at, told, outcome)

    def _tell(
        self, path: str, command: str, who: str, start: int, end: int | None, told: dict[str, Any], outcome: Outcome
    ) -> None:
        segments = path.split("/")
        # A command for a point that nobody has belongs to no equipment of the mine: it is the gateway's.
        own = len(segments) == 3 and segments[0] == self._code and all(segments)
        equipment = "/".join(segments[:2]) if own else f"{self._code}/{self._gateway}"
        event = Event(
            id=event_id(equipment, KIND, command),
            equipment=equipment,
            kind=KIND,
            start=start,
            end=end,
            quality=GOOD,
            source=f"gateway-{self._gateway}",
            attributes={"command": command, "point": path, "who": who, "outcome": str(outcome), **told},
        )
        try:
            self._emit([event])
        except Exception as error:  # what is told is never in the way of what is done
            log.error("command_event_lost", command=command, error=repr(error))
