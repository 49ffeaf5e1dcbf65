"""Signed orders on their way from a person to gateways and back, over the bus."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenones.commands.write import ANSWER_S, LOOK_S, audited

if TYPE_CHECKING:
    from bus.connection import Bus
    from models.control.order import Order
    from models.control.signing import Signer

HEARD_S = 2.5
"""A gateway says every two seconds that it is there."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who commands: the first person, and a second where it needs two."""

    first: Signer
    second: Signer | None = None

    @property
    def name(self) -> str:
        return self.first.statement.name

    @property
    def site(self) -> str:
        return self.first.statement.site

    def sign(self, order: Order) -> bytes:
        envelope = self.first.sign(order)
        return (envelope if self.second is None else self.second.join(envelope)).encode()


@asynccontextmanager
async def connected(home: Path, url: str | None, credential: Path | None) -> AsyncIterator[Bus]:
    """The bus, as an operator. Raises BusError, ValueError."""
    from bus.connection import Bus
    from bus.credentials import Credential, folder
    from sevenones.home import bus_of

    proof = Credential.load(credential or folder(home) / "operator.json")
    async with await Bus.connect(url or bus_of(home), proof, name="control", wait_s=10) as connection:
        yield connection


async def gateways(bus: Bus, code: str) -> list[str]:
    """Those that are heard now, sorted."""
    from bus import subjects

    found: set[str] = set()

    async def beat(subject: str, _: bytes) -> None:
        process = subjects.source_of(subject)
        if process.startswith("gateway-"):
            found.add(process.removeprefix("gateway-"))

    await bus.listen(subjects.state(code, "*"), beat)
    await asyncio.sleep(HEARD_S)
    return sorted(found)


async def asked(bus: Bus, code: str, gateway: str, request: bytes, within_s: float = LOOK_S) -> dict[str, Any]:
    """One gateway's answer; `{"error": …}` when there is none."""
    from bus import subjects
    from bus.errors import BusUnavailable

    try:
        found: dict[str, Any] = json.loads(await bus.request(subjects.command(code, gateway), request, within_s))
        return found
    except BusUnavailable as error:
        return {"error": str(error), "unanswered": True}


@dataclass(frozen=True, slots=True)
class Readers:
    """The gateways that read a machine: it must be tagged at all of them. `found`: what each says of it; `silent`:
    those that did not answer, of which the machine may be one's."""

    found: dict[str, dict[str, Any]]
    silent: list[str]


async def readers(bus: Bus, code: str, equipment: str, expected: Collection[str] | None) -> Readers:
    """Asks those that are heard and those that are `expected` by the site; None: nobody knows which."""
    request = json.dumps({"machine": equipment}).encode()
    names = sorted({*await gateways(bus, code), *(expected or ())})
    answers = dict(zip(names, await asyncio.gather(*(asked(bus, code, name, request) for name in names)), strict=True))
    meant = names if expected is None else expected
    return Readers(
        {name: answer for name, answer in answers.items() if "error" not in answer},
        sorted(name for name in meant if answers[name].get("unanswered")),
    )


def by_site(folder: Path, code: str, equipment: str) -> set[str]:
    """The gateways that read a machine by the site in a folder. Raises ValueError."""
    from models.site.loader import examine

    report = examine(folder, environment=os.environ, require_environment=False)
    site = report.site
    if site is None:
        raise ValueError(f"{folder}：{report.problems[0] if report.problems else '—'}")
    if site.code != code:
        raise ValueError(f"{folder} 是煤矿 {site.code} 的配置，不是 {code} · {folder} is of {site.code}, not of {code}")
    return {site.connections[point.connection].gateway for point in site.points if point.equipment == equipment}


async def ordered(bus: Bus, hand: Hand, home: Path, gateway: str, within_s: float, **facts: Any) -> dict[str, Any]:
    """Sign an order for a gateway and send it; its answer. What was ordered and what came of it are audited
    here, and by the gateway's events there."""
    from models.control.order import Order

    deadline = int((time.time() + within_s) * 1e6)
    order = Order(id=facts.pop("id", secrets.token_hex(8)), site=hand.site, gateway=gateway, serial="",
                  deadline=deadline, **facts)  # fmt: skip
    about, told = order.point or order.equipment or gateway, order.as_json()
    await asyncio.to_thread(audited, home, "command.ask", about, hand.name, after=told)
    answer = await asked(bus, hand.site, gateway, hand.sign(order), within_s + ANSWER_S)
    outcome = answer.get("outcome", "unknown")
    after = {"id": order.id, "act": str(order.act), "outcome": outcome, "why": answer.get("reason", {}).get("en")}
    await asyncio.to_thread(audited, home, "command.end", about, hand.name, after=after)
    return answer
