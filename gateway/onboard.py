"""The questions that an engineer asks of a device before it is in the site, as JSON in and JSON out.

Each works on what `gateway.onboarding` does for the commands of the terminal.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from gateway.connection import DeviceConnection
from gateway.onboarding import interpret, learn
from gateway.onboarding.look import Binding, Look, Seen, look
from gateway.onboarding.probe import probe
from gateway.onboarding.probe.report import Options
from gateway.onboarding.target import Target
from gateway.onboarding.walk import draft, walk
from models.command import CommandError, text
from models.quality import label
from models.site.model import Name
from models.words import halves
from protocols.adapter import Adapter, LinkLost, SignInRefused, Supports

MOST_NODES = 2000
MOST_UNITS = 16


class AskError(Exception):
    """The question cannot be answered: why, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = Name(zh, en)


@dataclass(frozen=True, slots=True)
class Asked:
    """The device that a question is about: `shared` is the gateway's own connection's adapter, where it can
    be asked beside the polls; `running` that connection."""

    target: Target
    shared: Adapter[Any, Any] | None = None
    running: DeviceConnection | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Adapter[Any, Any]]:
        """A connected adapter. Raises TargetError, LinkLost."""
        if self.shared is not None:
            yield self.shared
            return
        async with self.target.opened() as adapter:
            yield adapter


async def connect(asked: Asked, _: Mapping[str, Any]) -> dict[str, Any]:
    """Whether it can be connected with these settings, and how long that takes."""
    if asked.running is not None:
        running = asked.running
        up = running.adapter is not None
        return {"connected": up, "state": str(running.state), **_why(running.reason), "took_ms": None}
    began = time.monotonic()
    try:
        async with asked.target.opened():
            took = round((time.monotonic() - began) * 1000, 1)
    except LinkLost as error:
        state = "sign-in refused" if isinstance(error, SignInRefused) else "down"
        return {"connected": False, "state": state, **_why(str(error)), "took_ms": None}
    return {"connected": True, "state": "up", **_why(""), "took_ms": took}


async def ask_probe(asked: Asked, found: Mapping[str, Any]) -> dict[str, Any]:
    """What answers there: findings in both languages. `units`: Modbus unit ids to try; `at`: an address."""
    units = found.get("units", list(Options().units))
    if not isinstance(units, list) or not all(isinstance(unit, int) and 0 <= unit <= 255 for unit in units):
        raise CommandError("'units' is a list of Modbus unit ids, 0 to 255")
    at = text(found, "at", 200) if "at" in found else ""
    report = await probe(asked.target, Options(units=units[:MOST_UNITS], at=at, rounds=10))
    return {"answers": report.answers, "findings": [asdict(finding) for finding in report.findings]}


async def browse(asked: Asked, found: Mapping[str, Any]) -> dict[str, Any]:
    """The nodes below one, `depth` levels; with `equipment`, rows of a point table for those with a value."""
    depth = _whole(found, "depth", 1, 1, 12)
    below = text(found, "below", 1000) if found.get("below") else ""
    async with asked.opened() as adapter:
        if Supports.BROWSE not in adapter.sheet.supports:
            raise AskError(
                f"协议 {adapter.sheet.name} 不能浏览，请用 probe 和 read",
                f"the protocol {adapter.sheet.name} does not describe itself: probe and read",
            )
        steps = await walk(adapter, below, depth, MOST_NODES)
    nodes = [{**asdict(step.node), "way": step.way, "depth": step.depth, "trouble": step.trouble} for step in steps]
    answer: dict[str, Any] = {"nodes": nodes, "more": len(nodes) >= MOST_NODES}
    if found.get("equipment"):
        connection = asked.running.spec.name if asked.running is not None else ""
        answer["rows"] = draft(steps, connection, text(found, "equipment", 40))
    return answer


async def read(asked: Asked, found: Mapping[str, Any]) -> dict[str, Any]:
    """One place of the device: its bytes, what they can mean, and what the protocol says of it. With `bound`, also the
    value that a row of a point table with this type, order and options makes of the same bytes."""
    binding = _binding(found["bound"]) if "bound" in found else None
    seen = await _look(asked, found, binding)
    answer = _seen(seen)
    if binding is not None and seen.bound is not None:
        answer["bound"] = {**_value(seen.bound), "sensible": _sensible(seen.bound.value, binding.type)}
    if seen.width > 1:
        answer["meanings"] = [
            {**asdict(one), "value": _number(one.value)}
            for one in interpret.meanings(seen.raw)
            if one.value is not None
        ]
        answer["texts"] = {kind: interpret.text(seen.raw, kind)[0] for kind in interpret.TEXTS}
        answer["bits"] = interpret.bits(seen.raw[:2])
    return answer


async def ask_learn(asked: Asked, found: Mapping[str, Any]) -> dict[str, Any]:
    """Which type, order and scale show the `value` that the device displays. `among`: keys of a former answer."""
    value = found.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CommandError("'value' is the number that the device shows now")
    tolerance = found.get("tolerance", abs(value) * 0.005)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        raise CommandError("'tolerance' is a number, in the unit of the value")
    among = found.get("among", [])
    if not isinstance(among, list) or not all(isinstance(key, str) for key in among):
        raise CommandError("'among' is a list of keys of a former answer")
    seen = await _look(asked, found)
    fits: Sequence[learn.Fit] = learn.fits(seen.raw, float(value), float(tolerance), among)
    zh, en = learn.advice(fits)
    return {
        **_seen(seen),
        "fits": [{**asdict(fit), "key": fit.key} for fit in fits],
        "advice": {"zh": zh, "en": en},
    }


def _why(reason: str) -> dict[str, Any]:
    return {"reason": reason, "reason_words": halves(reason).words()}


Question = Callable[[Asked, Mapping[str, Any]], Awaitable[dict[str, Any]]]

QUESTIONS: Mapping[str, Question] = {
    "connect": connect,
    "probe": ask_probe,
    "browse": browse,
    "read": read,
    "learn": ask_learn,
}


async def _look(asked: Asked, found: Mapping[str, Any], binding: Binding | None = None) -> Look:
    address = text(found, "address", 1000)
    count = _whole(found, "count", 4, 1, 125)
    kind = text(found, "type", 40) if found.get("type") else ""
    async with asked.opened() as adapter:
        return await look(adapter, address, count, kind, binding)


def _binding(given: Any) -> Binding:
    options = given.get("options", {}) if isinstance(given, dict) else None
    if not isinstance(options, dict):
        raise CommandError("'bound' has type, order and options, as a row of a point table has them")
    words = {name: text(given, name, 40) if given.get(name) else "" for name in ("type", "order")}
    return Binding(**words, options=options)


def _sensible(value: float | None, kind: str) -> bool:
    """Whether it looks like something measured; a bit, a text, and what has no type of its own always do."""
    return value is None or kind not in interpret.SIZE or interpret.sensible(value, kind)


def _seen(seen: Look) -> dict[str, Any]:
    return {
        "values": [_value(one) for one in seen.seen],
        "words": [None if word is None else word.hex() for word in seen.words],
        "raw_hex": seen.raw.hex(),
        "took_ms": round(seen.took_s * 1000, 1),
    }


def _value(one: Seen) -> dict[str, Any]:
    return {
        **asdict(one),
        "value": _number(one.value),
        "quality_words": {"zh": label(one.quality, "zh"), "en": label(one.quality, "en")},
    }


def _number(value: float | int | None) -> float | int | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    # A number that a page's own numbers cannot hold goes as it is; JSON takes 64 bits.
    return value


def _whole(found: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = found.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CommandError(f"'{name}' is a whole number from {low} to {high}")
    return value
