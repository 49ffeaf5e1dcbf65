"""Anchors: what a log elsewhere looked like at a moment, kept where who may write that log may not change it.

The stream ANCHORS lets nobody delete, purge or shrink it: it is made once, and no process may update it. The api may
only add to it, the auditor only read.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bus import subjects
from bus.connection import Bus
from bus.subjects import ANCHORS

MAX_BYTES = 256 << 20
"""Above a million anchors: years of one a minute. When it is full it takes no more, loudly, and keeps the old ones."""
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the stream, without facts when it is no JSON object. `at`: when the bus took it, µs UTC."""

    facts: dict[str, Any]
    at: int


def stream_config(code: str) -> dict[str, Any]:
    """What the stream ANCHORS is."""
    return {
        "name": ANCHORS,
        "subjects": [subjects.anchor(code)],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "max_bytes": MAX_BYTES,
        "max_msg_size": 1024,
        "deny_delete": True,
        "deny_purge": True,
        "num_replicas": 1,
    }


async def add(bus: Bus, code: str, facts: dict[str, Any], message_id: str) -> None:
    """Return once the stream has it on its disk. Raises BusUnavailable, PublishRefused (StreamFull among them)."""
    await bus.publish(subjects.anchor(code), json.dumps(facts).encode(), message_id)


async def every(bus: Bus) -> list[Told]:
    """All of them, the oldest first. Raises BusUnavailable, NotPermitted."""
    state = await bus.stream_state(ANCHORS)
    found: list[Told] = []
    for start in range(state.first_sequence, state.last_sequence + 1, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, state.last_sequence + 1))
        found += await asyncio.gather(*(_message(bus, number) for number in numbers))
    return found


async def _message(bus: Bus, number: int) -> Told:
    message = (await bus.control(f"STREAM.MSG.GET.{ANCHORS}", {"seq": number}, 15.0))["message"]
    try:
        facts = json.loads(base64.b64decode(message.get("data", "")))
    except ValueError:
        facts = None
    # The server writes nanoseconds, of which six digits are read.
    seconds, _, rest = message["time"].rstrip("Z").partition(".")
    at = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 1_000_000 + int(f"{rest[:6]:0<6}")
    return Told(facts if isinstance(facts, dict) else {}, at)
