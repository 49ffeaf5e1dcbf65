"""One line to one or more units: a TCP connection or a serial port, with one request outstanding.

All connections that name the same address or port share its line and take turns, request by request
and in the order of asking. Where replies bear a number (Modbus TCP), whatever goes wrong ends the
connection, and numbers go on in the next. Where they do not (RTU), a reply is taken only after the
silence behind it, and a unit whose reply may still be on its way is first made to give back a number
of ours: units answer in order, so whatever it still had to say has then been said.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

from models.words import halves
from protocols.adapter import LinkLost
from protocols.modbus import pdu
from protocols.modbus.faults import Closed, NoAnswer
from protocols.modbus.frame import Mbap
from protocols.modbus.framing import Framing, Verdict
from protocols.modbus.pdu import Ask
from protocols.modbus.place import Place
from protocols.modbus.rtu import Rtu, silence_s
from protocols.modbus.unit import Unit
from protocols.modbus.wire import Wire, open_wire

DEAF = 3
"""So many requests in a row without any sign of life, and a connection without numbers is made anew: it may
be half open. One with numbers is made anew after each."""
FLOOD = 1_000
"""So many replies to nothing since the last request, and the connection is given up."""
_LINES: dict[tuple[str, int | str], Line] = {}
"""By place, for the process: two connections to one line have to find each other. A line that nobody
uses stays, closed, because it knows of replies that may still come."""


def share(place: Place) -> Line:
    """The line of a place, for one more connection. Raises LinkLost when another one runs it otherwise."""
    loop = asyncio.get_running_loop()
    line = _LINES.get(place.key)
    if line is None or line.loop is not loop or (not line.users and line.place != place):
        line = _LINES[place.key] = Line(place, loop)
    if line.place != place:
        raise LinkLost(
            f"{place} 已由另一连接以 {line.place.setup} 打开，此处为 {place.setup}，请使两者设置相同 · "
            f"{place} is already open as {line.place.setup} for another connection, and not as {place.setup}: "
            "give both the same settings"
        )
    line.users += 1
    return line


class Line:
    """The line of one place. `counts` are those of the connection whose turn it is, or was last."""

    def __init__(self, place: Place, loop: asyncio.AbstractEventLoop) -> None:
        self.place, self.loop = place, loop
        self.users = 0
        self.turn = asyncio.Lock()
        self.counts: Counter[str] = Counter()
        self.units: dict[int, Unit] = {}
        self._framing: Framing = Mbap() if place.transport == "tcp" else Rtu(local_echo=place.local_echo)
        self._silence = silence_s(place)
        self._wire: Wire | None = None
        self._waiting: asyncio.Future[bytes] | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._last_heard = 0.0
        self._failures = 0
        self._strays = 0
        self._number = 0
        # Units whose reply may still be on its way; and which of them give numbers back, as far as known.
        self._unsure: set[int] = set()
        self._echoes: dict[int, bool] = {}

    @property
    def is_open(self) -> bool:
        return self._wire is not None

    def leave(self) -> None:
        """One connection fewer."""
        self.users -= 1
        if self.users <= 0:
            self.users = 0
            self.hang_up()
            self.units.clear()

    async def open(self, timeout_s: float) -> None:
        """Open the wire, if it is not. Call with the turn taken. Raises LinkLost."""
        if self._wire is not None:
            return
        self.counts["connects_total"] += 1
        self._framing.reset()
        self._failures = 0
        wire = await open_wire(self.place, timeout_s, self._received, self._lost)
        if not self.users:
            wire.close()
            raise LinkLost(f"与 {self.place} 的连接已在本方关闭 · the connection to {self.place} was closed here")
        self._wire = wire
        self._last_heard = self.loop.time()

    def hang_up(self) -> None:
        """Close the wire; the next request opens it again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def give_up(self, why: Exception) -> None:
        """End the wait for the outstanding request, if there is one."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(why)

    async def ask(self, ask: Ask, timeout_s: float) -> bytes:
        """The reply's function code and what follows, checked against the request. Call with the turn taken
        and the wire open. Raises NoAnswer, LinkLost."""
        if self._framing.numbered:
            return await self._exchange(ask, timeout_s)
        await self._quiet(timeout_s)
        sure = ask.unit not in self._unsure or await self._resynchronise(ask.unit, timeout_s)
        reply = await self._exchange(ask, timeout_s)
        if not sure:
            self._echoes[ask.unit] = False
        self._unsure.discard(ask.unit)
        return reply

    async def _exchange(self, ask: Ask, timeout_s: float) -> bytes:
        wire = self._wire
        if wire is None:
            raise LinkLost(
                f"{self.place} 在请求发出前关闭了连接 · {self.place} closed the connection before a request was sent"
            )
        waiting = self._waiting = self.loop.create_future()
        timer = self.loop.call_later(timeout_s, self._expired, waiting, ask.unit, timeout_s)
        self.counts["requests_total"] += 1
        self._strays = 0
        answered = False
        try:
            wire.write(self._framing.start(ask))
            reply = await waiting
            answered = True
            self._failures = 0
        finally:
            timer.cancel()
            self._waiting = None
            self._framing.end()
            if not answered:
                # Also when cancelled: the reply may still be on its way.
                self._failed(ask.unit)
        return cast(bytes, reply)

    def _failed(self, unit: int) -> None:
        self._unsettle()
        self._failures += 1
        if self._framing.numbered or self._failures >= DEAF:
            self.hang_up()
        if not self._framing.numbered:
            self._unsure.add(unit)

    def _expired(self, waiting: asyncio.Future[Any], unit: int, timeout_s: float) -> None:
        if not waiting.done():
            self.counts["timeouts_total"] += 1
            waiting.set_exception(
                NoAnswer(f"站 {unit} 在 {timeout_s:g} 秒内没有应答 · unit {unit} did not answer within {timeout_s:g} s")
            )

    async def _quiet(self, timeout_s: float) -> None:
        """Wait for the silence that separates frames; not longer than a time-out."""
        await self._still(self._silence, timeout_s)

    async def _resynchronise(self, unit: int, timeout_s: float) -> bool:
        """Get past whatever a unit may still have to say. False when it never gave a number back: then only
        the time that went by speaks for it. Raises NoAnswer when it is not there at all."""
        if self._echoes.get(unit) is False:
            self._last_heard = self.loop.time()
            await self._still(timeout_s, 3 * timeout_s)
            return True
        self._number = self._number % 65_535 + 1
        self.counts["resyncs_total"] += 1
        try:
            await self._exchange(pdu.echo(unit, self._number), timeout_s)
        except NoAnswer:
            if self._echoes.get(unit) or self._wire is None:
                raise
            return False
        self._echoes[unit] = True
        self._unsure.discard(unit)
        await self._quiet(timeout_s)
        return True

    async def _still(self, seconds: float, longest: float) -> None:
        """Let pass what comes, until nothing has come for so long; not longer than `longest`."""
        until = self.loop.time() + longest
        while (wait := self._last_heard + seconds - self.loop.time()) > 0 and self.loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(wait)

    # ---- what the wire says

    def _received(self, data: bytes) -> None:
        self._unsettle()
        verdict = self._framing.feed(data)
        if verdict.strays:
            self.counts["strays_total"] += verdict.strays
            self._strays += verdict.strays
            if self._strays > FLOOD:
                self.counts["malformed_total"] += 1
                self.give_up(
                    NoAnswer(
                        f"收到 {self._strays} 个无人请求的应答 · {self._strays} replies came that nobody asked for"
                    )
                )
                self.hang_up()
                return
        if self._silence:
            self._last_heard = self.loop.time()
        if verdict.reply is None and not verdict.fault:
            return
        if self._silence:
            self._settling = self.loop.call_later(self._silence, self._conclude, verdict)
        else:
            self._conclude(verdict)

    def _conclude(self, verdict: Verdict) -> None:
        self._settling = None
        if verdict.fault:
            self.counts["malformed_total"] += 1
            self.give_up(NoAnswer(verdict.fault))
            if self._framing.numbered:
                self.hang_up()
        elif self._waiting is not None and not self._waiting.done() and verdict.reply is not None:
            self._waiting.set_result(verdict.reply)

    def _unsettle(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    def _lost(self, why: str) -> None:
        self._wire = None
        self._unsettle()
        self.give_up(
            Closed(f"{self.place} 关闭了连接：{halves(why).zh} · {self.place} closed the connection: {halves(why).en}")
        )
