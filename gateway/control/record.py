"""What became of orders and tags, as events: every step leaves one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from gateway.control.tags import Tag
from models.events import Event, event_id
from models.quality import GOOD
from models.site.model import Name

log = structlog.get_logger(__name__)

ORDER, TAG = "control", "tag"


class Record:
    """Makes the events of the gateway `gateway` of the mine `code` and hands them to `emit`."""

    def __init__(self, code: str, gateway: str, emit: Callable[[Sequence[Event]], None]) -> None:
        self._code = code
        self._gateway = gateway
        self._emit = emit

    def order(self, equipment: str, key: str, at: int, outcome: str, reason: Name, told: dict[str, Any]) -> None:
        """An order was answered. `equipment`: "" when it is for none of ours: the event is then the gateway's."""
        attributes = {**told, "outcome": outcome, "reason": reason.en, "reason_zh": reason.zh}
        self._tell(equipment or self._gateway, ORDER, key, at, at, attributes)

    def tag(self, tag: Tag, end: int | None = None, by: Sequence[str] = ()) -> None:
        """A tag was hung; with `end`, removed by these persons."""
        attributes = {"tag": tag.id, "who": tag.who, "reason": tag.reason, "removed_by": list(by)}
        self._tell(tag.equipment, TAG, tag.id, tag.at, end, attributes)

    def _tell(
        self, equipment: str, kind: str, key: str, start: int, end: int | None, attributes: dict[str, Any]
    ) -> None:
        machine = f"{self._code}/{equipment}"
        source = f"gateway-{self._gateway}"
        event = Event(event_id(machine, kind, key), machine, kind, start, end, GOOD, source, attributes)
        try:
            self._emit([event])
        except Exception as error:  # what is told is never in the way of what is done
            log.error("control_event_lost", kind=kind, key=key, error=repr(error))
