"""An engineer's question on its way to a gateway, and what of it may be written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from bus import subjects
from bus.errors import BusError
from middleplatform.workshop.tools import WorkshopRefused

ANSWER_S = 28.0
"""A gateway ends a question after 25 s, and the bus lets no answer through after 30."""
DIAGNOSE_S = 4.0
MOST_QUESTION = 8000
"""Bytes: a gateway takes 8192."""
_KEPT = ("ask", "address", "count", "below", "depth", "units", "at", "value", "type")


class Asking(Protocol):
    """What this needs of the bus: see bus.connection.Bus."""

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes: ...


async def asked(bus: Asking, code: str, gateway: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway's answer. Raises WorkshopRefused: `not_answered` by the gateway in its own words, `gateway_silent`,
    `too_large`."""
    data = orjson.dumps(question)
    if len(data) > MOST_QUESTION:
        raise WorkshopRefused(
            "too_large",
            f"问题过长，最多 {MOST_QUESTION} 字节",
            f"the question is too long: at most {MOST_QUESTION} bytes",
        )
    longest = DIAGNOSE_S if question.get("ask") == "diagnose" else ANSWER_S
    try:
        found = orjson.loads(await bus.request(subjects.question(code, gateway), data, longest))
    except (BusError, ValueError):
        raise WorkshopRefused(
            "gateway_silent",
            f"网关 {gateway} 没有应答：它在运行并连着总线吗？",
            f"the gateway {gateway} does not answer: does it run, and is it on the bus?",
        ) from None
    if not isinstance(found, dict):
        raise WorkshopRefused("gateway_silent", f"网关 {gateway} 的应答无法读取", f"{gateway}'s answer cannot be read")
    error = found.get("error")
    if isinstance(error, dict):
        raise WorkshopRefused("not_answered", str(error.get("zh", "")), str(error.get("en", "")))
    return found


def recorded(question: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit log keeps of a question: who was asked what, and no settings, user or password."""
    return {
        "device": _place(question.get("device")),
        **{name: question[name] for name in _KEPT if name in question},
    }


def _place(device: Any) -> str:
    if isinstance(device, Mapping):
        settings = device.get("settings")
        settings = settings if isinstance(settings, Mapping) else {}
        where = _bare(str(settings["url"])) if "url" in settings else f"{settings.get('host', '')}"
        port = settings.get("port")
        return f"{device.get('adapter', '')} {where}{'' if port is None else f':{port}'}".strip()[:200]
    text = str(device or "")
    return (_bare(text) if "://" in text else text)[:200]


def _bare(url: str) -> str:
    """A URL without user, password and query."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "?"
