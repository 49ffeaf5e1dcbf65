"""The driver of sequences in a process that has the bus and the present values."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable

from bus import subjects
from bus.authority import AuthorityError
from bus.connection import Bus
from bus.errors import BusError, NobodyListens
from middleplatform.api.live import LiveTable
from middleplatform.control.driver import LATE, LEASE_S, Driver, Send
from middleplatform.control.stopping import look_back
from middleplatform.control.turning import turn
from middleplatform.database import Place
from models.command import Answer, Command, CommandError, Outcome
from models.quality import GOOD
from models.sequence import Look
from models.site.model import Name, Site

Seal = Callable[[Command, str], bytes]
"""A command as it goes to a gateway. Raises AuthorityError."""
ANSWER_S = 18.0
"""Within its deadline a command may begin, and then it takes so long to be read back at most."""


def unsigned(command: Command, gateway: str) -> bytes:
    """As a program's whom no command authority knows."""
    return command.encode()


def look_at(live: LiveTable) -> Look:
    """What points are now: only a good value that a gateway has told, that is not stale and nobody entered."""
    rows = {point.path: row for row, point in enumerate(live.points)}

    def look(path: str) -> float | None:
        row = rows.get(path)
        if row is None or live.shown[row] < GOOD or live.manual[row]:
            return None
        value = float(live.value[row])
        return value if math.isfinite(value) else None

    return look


def send_over(bus: Bus, code: str, seal: Seal) -> Send:
    """Gives commands over the bus, as docs/writing.md says."""

    async def send(gateway: str, command: Command) -> Answer:
        try:
            sealed = await asyncio.to_thread(seal, command, gateway)
        except AuthorityError as error:
            return Answer(command.id, command.point, Outcome.FAILED, Name(f"不能签名：{error}", f"not signed: {error}"))
        if time.time_ns() // 1000 > command.deadline:
            return Answer(command.id, command.point, Outcome.FAILED, LATE)
        try:
            data = await bus.request(subjects.command(code, gateway), sealed, ANSWER_S)
        except NobodyListens:
            words = Name(f"网关 {gateway} 不在线，命令未送达", f"the gateway {gateway} is away: nothing reached it")
            return Answer(command.id, command.point, Outcome.FAILED, words)
        except BusError as error:
            raise TimeoutError(str(error)) from error
        found = json.loads(data)
        if "error" in found:
            words = Name(f"网关不接受：{found['error']}", f"the gateway does not take it: {found['error']}")
            return Answer(command.id, command.point, Outcome.REFUSED, words)
        try:
            return Answer.of_json(found)
        except CommandError as error:
            raise TimeoutError(str(error)) from error

    return send


async def attend(
    bus: Bus, site: Site, where: Place, live: LiveTable, seal: Seal = unsigned, lease_s: float = LEASE_S
) -> None:
    """Drive the mine's runs until cancelled, unless another process does. `live` is kept up by whoever calls."""
    look, send = look_at(live), send_over(bus, site.code, seal)
    driver = Driver(site, where, look, send, refresh=live.refresh, lease_s=lease_s)
    async with asyncio.TaskGroup() as group:
        group.create_task(driver.run(), name="runs")
        group.create_task(turn(site, where, look, lambda: driver.drives, live.refresh), name="rotations")
        group.create_task(look_back(site.code, where, look, lambda: driver.drives, live.refresh), name="left running")
