"""The signed orders that have come to this gateway, executed or refused, so that none is taken twice.

They are on its disk, and so outlive a restart. An order is forgotten only for newer ones, the earliest deadline first,
and whatever is not later than what was forgotten is refused: setting the clock back makes nothing good again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from pathlib import Path

import structlog

from bus.secret import set_aside, write_secret
from gateway.control.trace import Check, Refused
from models.command import AHEAD_S
from models.control.order import Order

log = structlog.get_logger(__name__)

MOST = 10_000
FORGOTTEN = "forgotten"
"""In place of an order's mark: all that are not later may have come."""


class Seen:
    """By a mark of who, what, id and deadline. `file`: lines of a deadline, µs UTC, and a mark, one appended for each
    order; None: nothing outlives this process."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._deadlines: dict[str, int] = {}
        self._forgotten = 0
        self._pending: list[str] = []
        """Lines that are not on disk yet."""
        self._lines = 0
        self._writing = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving: asyncio.Task[int] | None = None
        """The one that writes: a disk that hangs takes one thread, not one for each order."""
        self._asked = self._saved = 0
        """How many times it was asked for, and for how many of them all is on disk."""
        self._read()

    def again(self, order: Order, now: int) -> bool:
        """Whether it has come before; it is known from now on. `now`: µs UTC. Raises Refused when it is so old, or so
        many came, that nobody can say."""
        mark = _mark(order)
        if mark in self._deadlines:
            return True
        if order.deadline <= self._forgotten:
            raise Refused(
                Check.ORDER,
                "该命令过旧，无法判断是否已收到过，请核对时钟",
                "it is too old to say whether it has come before: check the clocks",
            )
        if len(self._deadlines) >= MOST:
            self._forget(now)
        self._deadlines[mark] = order.deadline
        self._note(f"{order.deadline} {mark}")
        return False

    async def kept(self) -> None:
        """On return all that came is on disk. Raises OSError."""
        self._asked += 1
        mine = self._asked
        while self._saved < mine:
            if self._saving is None or self._saving.done():
                self._saving = asyncio.create_task(self._save(self._asked))
            # Whoever waits may go away, the write goes on.
            self._saved = max(self._saved, await asyncio.shield(self._saving))

    async def _save(self, upto: int) -> int:
        await asyncio.to_thread(self._write)
        return upto

    # ---- inside

    def _forget(self, now: int) -> None:
        oldest = sorted(self._deadlines.items(), key=lambda item: item[1])[: MOST // 10]
        upto = oldest[-1][1]
        if upto >= now:
            raise Refused(Check.ORDER, "网关正忙", f"{MOST} orders came within their deadlines")
        self._forgotten = max(self._forgotten, upto)
        self._deadlines = {mark: deadline for mark, deadline in self._deadlines.items() if deadline > upto}
        self._note(f"{self._forgotten} {FORGOTTEN}")

    def _note(self, line: str) -> None:
        if self._file is None:
            return
        self._pending.append(line)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._write()
            return
        # For who does not wait until it is on disk.
        task = asyncio.create_task(self._noted())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _noted(self) -> None:
        try:
            await self.kept()
        except OSError as error:
            log.error("orders_not_noted", file=str(self._file), error=str(error))

    def _write(self) -> None:
        with self._writing:
            lines = list(self._pending)
            if self._file is None or not lines:
                return
            if self._lines + len(lines) > 2 * MOST or not self._file.exists():
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                content = self._content()
                write_secret(self._file, "\n".join(content) + "\n")
                self._lines = len(content)
            else:
                with self._file.open("a") as file:
                    # A line of its own, also after one that a full disk or a kill cut short.
                    file.write("\n" + "\n".join(lines) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                self._lines += len(lines)
            del self._pending[: len(lines)]

    def _content(self) -> list[str]:
        known = [f"{deadline} {mark}" for mark, deadline in list(self._deadlines.items())]
        return [f"{self._forgotten} {FORGOTTEN}", *known]

    def _read(self) -> None:
        if self._file is None:
            return
        try:
            lines = self._file.read_bytes().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            log.error("orders_unreadable", file=str(self._file), error=str(error))
            # Whatever was signed until now may have come.
            self._forgotten = time.time_ns() // 1000 + int(AHEAD_S * 1e6)
            self._replace(self._file)
            return
        self._lines = len(lines)
        for line in lines:
            deadline, _, mark = line.partition(" ")
            if not deadline.isdecimal() or not mark:
                continue  # cut short: it was not taken
            if mark == FORGOTTEN:
                self._forgotten = max(self._forgotten, int(deadline))
            else:
                self._deadlines[mark] = int(deadline)
        self._deadlines = {mark: at for mark, at in self._deadlines.items() if at > self._forgotten}

    def _replace(self, bad: Path) -> None:
        try:
            set_aside(bad)
            write_secret(bad, f"{self._forgotten} {FORGOTTEN}\n")
        except OSError as error:
            log.error("orders_not_set_aside", file=str(bad), error=str(error))


def _mark(order: Order) -> str:
    told = f"{order.serial}\0{order.act}\0{order.id}\0{order.deadline}".encode()
    return hashlib.blake2b(told, digest_size=16).hexdigest()
