"""What devices tell as events: from an adapter's occurrence to events worth sending.

An occurrence gets an equipment, an id from the source's own key, and a time that can be believed. Nothing that a
device says makes it lost but a missing place or kind, and each of those is counted, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from gateway.chunk import Receipt
from models.events import MAX_ATTRIBUTES, Event, event_id
from models.quality import UNCERTAIN
from models.site.model import Point
from protocols.adapter import Occurrence

log = structlog.get_logger(__name__)

NAME = re.compile(r"[a-z0-9_-]{1,40}")
EARLIEST_US = 946_684_800_000_000
"""2000-01-01: a device with an earlier time has no clock."""
FUTURE_US = 86_400_000_000
"""An event a day from now has not happened."""


class Occurrences:
    """The events of one connection, on their way to `send`."""

    def __init__(
        self, name: str, points: Sequence[Point], send: Callable[[Sequence[Event], Receipt | None], None]
    ) -> None:
        self.name = name
        self.events = 0
        """Events sent, each telling of one counted."""
        self.refused = 0
        self.corrected = 0
        """Events sent without their attributes or with our time, because theirs could not be used."""
        self.reason = ""
        """Why the last one was refused or corrected."""
        self._send = send
        self._owners = [point.path.rpartition("/")[0] for point in points]
        self._code = self._owners[0].partition("/")[0] if points else ""
        self._only = self._owners[0] if len(set(self._owners)) == 1 else ""

    def take(self, told: Sequence[Occurrence], now: int, receipt: Receipt | None = None) -> None:
        """Send these as events. `now`: when they came, µs UTC. `receipt` is held until the bus has them."""
        made: dict[str, Event] = {}
        for occurrence in told:
            try:
                event = self._event(occurrence, now)
            except ValueError as error:
                self.refused += 1
                self._say("event_refused", str(error))
                continue
            # The later telling holds, and one batch has one version.
            made.pop(event.id, None)
            made[event.id] = event
        if made:
            self.events += len(made)
            self._send(list(made.values()), receipt)

    def _event(self, told: Occurrence, now: int) -> Event:
        if not NAME.fullmatch(told.kind):
            raise ValueError(f"an event's kind must be of a-z 0-9 _ -, at most 40 long, not '{told.kind[:60]}'")
        if not told.key:
            raise ValueError(f"an event of kind {told.kind} has no key")
        equipment = self._equipment(told)
        quality, start, end = told.quality, told.start, told.end
        attributes = _fit(told)
        if attributes is not told.attributes:
            self.corrected += 1
            self._say("event_attributes_left_out", str(attributes["left_out"]))
        if not EARLIEST_US <= start <= now + FUTURE_US:
            if start:
                self.corrected += 1
                self._say("event_time_disbelieved", f"an event of kind {told.kind} has the start {start} µs")
                quality = min(quality, UNCERTAIN)
            start = now if end is None or not EARLIEST_US <= end <= now else end
        if end is not None and (end < start or end > now + FUTURE_US):
            end = start
        return Event(
            event_id(equipment, told.kind, told.key), equipment, told.kind, start, end, quality, self.name, attributes
        )

    def _equipment(self, told: Occurrence) -> str:
        if 0 <= told.tag < len(self._owners):
            return self._owners[told.tag]
        if told.equipment:
            if not self._code or not NAME.fullmatch(told.equipment):
                raise ValueError(f"an event of kind {told.kind} names the equipment '{told.equipment[:60]}'")
            return f"{self._code}/{told.equipment}"
        if not self._only:
            raise ValueError(f"an event of kind {told.kind} names no equipment, and the connection has not just one")
        return self._only

    def _say(self, what: str, reason: str) -> None:
        # One line for each new reason: a device may tell thousands that are wrong in the same way.
        if reason != self.reason:
            log.warning(what, connection=self.name, reason=reason)
        self.reason = reason


def _fit(told: Occurrence) -> Mapping[str, Any]:
    """The attributes, or why they are left out: an event without them is better than none."""
    try:
        text = json.dumps(dict(told.attributes), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        return {"left_out": f"the attributes are no JSON: {error}"[:200]}
    if size > MAX_ATTRIBUTES:
        return {"left_out": f"the attributes take {size} bytes, over {MAX_ATTRIBUTES}"}
    return told.attributes
