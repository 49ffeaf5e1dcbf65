"""A command: the request to write one point, and the answer to it. JSON on the wire.

A command is known by its id: the same id again is the same command and gets the first outcome. It
is carried out before its deadline or not at all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.site.model import Name

MAX_BYTES = 8192
MAX_TEXT = 256
MAX_WHO = 80
AHEAD_S = 20.0
"""How far ahead a deadline may be. The bus lets an answer through 30 s after its request, and a write
that began in time needs some of that to be read back."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Value = float | int | str


class CommandError(ValueError):
    """These bytes are no command: what is wrong with them."""


class Outcome(StrEnum):
    """What came of a command."""

    DONE = "done"
    """The device has the value: it was read back."""
    REFUSED = "refused"
    """Nothing was written: by rule, or because the device said no."""
    FAILED = "failed"
    """The device took it or failed on it, and holds something else."""
    UNKNOWN = "unknown"
    """The link was lost after sending. The point takes no other write until it was read back."""


@dataclass(frozen=True, slots=True)
class Command:
    """`value` is in `unit` (None: the point's), or the name of a state, or a text. `deadline`: µs UTC.
    `expected`: what the point must be now for the write to be made."""

    id: str
    point: str
    value: Value
    who: str
    deadline: int
    unit: str | None = None
    expected: Value | None = None

    def encode(self) -> bytes:
        """The bytes for the bus."""
        content = {"id": self.id, "point": self.point, "value": self.value, "who": self.who, "deadline": self.deadline}
        if self.unit is not None:
            content["unit"] = self.unit
        if self.expected is not None:
            content["expected"] = self.expected
        return json.dumps(content, ensure_ascii=False).encode()

    @staticmethod
    def decode(data: bytes) -> Command:
        """The command in `data`. Raises CommandError, and nothing else, whatever the bytes are."""
        found = parse(data)
        if unknown := found.keys() - {"id", "point", "value", "who", "deadline", "unit", "expected"}:
            raise CommandError(f"a command has no '{sorted(unknown)[0][:40]}'")
        unit, expected = found.get("unit"), found.get("expected")
        if unit is not None:
            unit = text(found, "unit", 32)
        command_id = text(found, "id", 64)
        if not _ID.fullmatch(command_id):
            raise CommandError("'id' is not 1 to 64 of letters, digits, _ and -")
        deadline = found.get("deadline")
        if isinstance(deadline, bool) or not isinstance(deadline, int) or not 0 < deadline < 1 << 62:
            raise CommandError("'deadline' is not a time in µs UTC")
        return Command(
            id=command_id,
            point=text(found, "point", 160),
            value=value_of(found.get("value"), "value"),
            who=text(found, "who", MAX_WHO),
            deadline=deadline,
            unit=unit,
            expected=None if expected is None else value_of(expected, "expected"),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """`value`: what was read back, in the point's `unit`; None when nothing was. `at`: µs UTC."""

    id: str
    point: str
    outcome: Outcome
    reason: Name = field(default_factory=lambda: Name("", ""))
    value: Value | None = None
    unit: str = ""
    at: int = 0

    def encode(self) -> bytes:
        """The bytes for the bus."""
        return json.dumps(self.as_json(), ensure_ascii=False).encode()

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON holds it."""
        return {
            "id": self.id,
            "point": self.point,
            "outcome": str(self.outcome),
            "reason": {"zh": self.reason.zh, "en": self.reason.en},
            "value": self.value,
            "unit": self.unit,
            "at": self.at,
        }

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Answer:
        """The inverse of `as_json`. Raises CommandError."""
        try:
            reason = Name(str(found["reason"]["zh"]), str(found["reason"]["en"]))
            outcome = Outcome(found["outcome"])
            value = found["value"]
            return Answer(
                str(found["id"]), str(found["point"]), outcome, reason, value, str(found["unit"]), int(found["at"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CommandError(f"not an answer to a command: {error!r}") from error


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises CommandError, and nothing else."""
    if len(data) > MAX_BYTES:
        raise CommandError(f"{len(data)} bytes, at most {MAX_BYTES} are taken")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"not JSON: {str(error)[:80]}") from None
    if not isinstance(found, dict):
        raise CommandError("not a JSON object")
    return found


def text(found: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of the object that must be there. Raises CommandError."""
    value = found.get(name)
    # Printable: it is shown to people and written to logs.
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise CommandError(f"'{name}' is not a text of 1 to {longest} printable characters")
    return value


def value_of(value: Any, name: str) -> Value:
    """A value from JSON: a finite number or a printable text. Raises CommandError."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise CommandError(f"'{name}' has {len(value)} characters, at most {MAX_TEXT} are taken")
        if not value.isprintable():
            raise CommandError(f"'{name}' has characters that cannot be printed")
        return value
    if isinstance(value, int | float):
        try:
            if math.isfinite(value):
                return value
        except OverflowError:
            pass
    raise CommandError(f"'{name}' is not a number or a text")
