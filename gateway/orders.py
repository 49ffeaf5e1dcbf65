"""The gateway's door for commands: requests on its command subject, each answered in JSON.

These requests are understood: a signed order (see models.control.order), a command without a signature (see
models.command), `{"look": "<path>"}`, which asks what a point is now, for whoever is about to write it,
`{"machine": "<id>"}`, whether this gateway reads one and what holds of it, `{"tags": true}`, which asks for the
tags that hang, and `{"linkages": true}`, which asks for the linkages that have tripped.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import orjson
import structlog

from gateway.clock import WallClock
from gateway.control.control import UNSIGNED, Control
from gateway.points import NEVER
from gateway.readback import present
from gateway.telling import Telling
from gateway.writer import Places, Writer
from models import quality
from models.command import Answer, Command, CommandError, Outcome, parse, text

log = structlog.get_logger(__name__)


class Orders:
    """Answers what comes on the command subject. Never raises for what the bytes are."""

    def __init__(
        self,
        devices: Places,
        writer: Writer,
        clock: WallClock,
        control: Control | None = None,
        tell: Telling | None = None,
    ) -> None:
        """Without `control` no order is understood and every command is taken."""
        self.counts: Counter[str] = Counter()
        self._devices = devices
        self._writer = writer
        self._clock = clock
        self._control = control
        self._tell = tell

    async def answer(self, subject: str, data: bytes) -> bytes:
        """The answer to one request."""
        try:
            found = parse(data)
            if "look" in found:
                return orjson.dumps(self.look(text(found, "look", 160)))
            told = None if self._control is None else await self._control.asked(found)
            if told is not None:
                return orjson.dumps(told)
            command = Command.decode(data)
        except CommandError as error:
            self.counts["malformed_total"] += 1
            log.warning("command_malformed", error=str(error))
            return orjson.dumps({"error": str(error)})
        if self._control is not None and self._control.refuses_unsigned():
            return self._unsigned(command).encode()
        return (await self._writer.carry_out(command)).encode()

    def _unsigned(self, command: Command) -> Answer:
        """The answer to a command without a signature where it needs one: told like any other."""
        now = self._clock.now()
        answer = Answer(command.id, command.point, Outcome.REFUSED, UNSIGNED, at=now)
        log.warning("command_unsigned", point=command.point, who=command.who)
        if self._tell is not None:
            place = self._devices.find(command.point)
            point = None if place is None else place[0].table.points[place[1]]
            self._tell.command(point, command, answer, now, None)
        return answer

    def look(self, path: str) -> dict[str, Any]:
        """What a point is now, and what may be written to it."""
        place = self._devices.find(path)
        if place is None:
            return {"error": f"this gateway has no point '{path}'", "unknown_point": True}
        connection, row = place
        point, acquisition = connection.table.points[row], connection.acquisition
        answered = bool(acquisition.answered[row])
        code = int(acquisition.quality[row]) if answered else int(quality.Quality.BAD_NOT_CONNECTED)
        at = int(acquisition.at[row])
        blocked = self._writer.blocked(path)
        control = {} if self._control is None else {"control": self._control.shown(point)}
        return {
            **control,
            "point": path,
            "name": {"zh": point.name.zh, "en": point.name.en},
            "unit": point.unit,
            "kind": str(point.kind),
            "value": present(connection, row),
            "quality": code,
            "quality_words": {"zh": quality.label(code, "zh"), "en": quality.label(code, "en")},
            "age_s": None if at == NEVER else max(0.0, (self._clock.now() - at) / 1e6),
            "writable": point.writable,
            "low": None if math.isnan(point.low) else point.low,
            "high": None if math.isnan(point.high) else point.high,
            "states": {str(code): {"zh": name.zh, "en": name.en} for code, name in point.states.items()},
            "connection": connection.spec.name,
            "connected": connection.adapter is not None,
            "unsettled": None if blocked is None else {"command": blocked.id, "who": blocked.who, "to": blocked.wanted},
        }
