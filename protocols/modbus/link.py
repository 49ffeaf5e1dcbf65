"""One connection's use of a line: its time-out, its pauses, its counts."""

from __future__ import annotations

import asyncio
from collections import Counter

from protocols.adapter import LinkLost
from protocols.modbus.faults import Closed, Refused
from protocols.modbus.line import Line, share
from protocols.modbus.pdu import Ask
from protocols.modbus.place import Place
from protocols.modbus.unit import Unit


class Link:
    """`counts` holds what happened, by counter name. Raises LinkLost when there is no connection."""

    def __init__(
        self,
        place: Place,
        timeout_s: float,
        pause_after_connect_s: float = 0.0,
        pause_s: float = 0.0,
        *,
        any_unit: bool = False,
    ) -> None:
        self.where = str(place)
        self.counts: Counter[str] = Counter()
        self._place = place
        self._timeout = timeout_s
        self._pause_after_connect = pause_after_connect_s
        self._pause = pause_s
        self._any_unit = any_unit
        self._line: Line | None = None
        self._closed = False
        self._asking = False
        self._units: dict[int, Unit] = {}

    @property
    def units(self) -> dict[int, Unit]:
        """The line's units, this connection's and its neighbours', by number."""
        return self._units if self._line is None else self._line.units

    async def open(self) -> None:
        """Connect within the time-out. Raises LinkLost."""
        line = self._join()
        async with line.turn:
            await self._open(line)

    async def ask(self, ask: Ask) -> bytes:
        """What follows the function code in the reply. Raises Refused, NoAnswer, LinkLost."""
        line = self._join()
        async with line.turn:
            if self._pause and line.is_open:
                await asyncio.sleep(self._pause)
            await self._open(line)
            self._asking = True
            try:
                reply = await line.ask(ask._replace(any_unit=True) if self._any_unit else ask, self._timeout)
            finally:
                self._asking = False
        if reply[0] & 0x80:
            self.counts["exceptions_total"] += 1
            raise Refused(reply[1])
        return reply[1:]

    def hang_up(self) -> None:
        """Close the connection until the next request, unless a neighbour is using it."""
        if self._line is not None and not self._line.turn.locked():
            self._line.hang_up()

    def close(self) -> None:
        """Give up the connection for good. Never raises."""
        self._closed = True
        line, self._line = self._line, None
        if line is not None:
            if self._asking:
                line.give_up(
                    Closed(f"与 {self.where} 的连接已在本方关闭 · the connection to {self.where} was closed here")
                )
            line.leave()

    def _join(self) -> Line:
        if self._closed:
            raise LinkLost(f"与 {self.where} 的连接已在本方关闭 · the connection to {self.where} was closed here")
        if self._line is None:
            self._line = share(self._place)
            for number, unit in self._units.items():
                self._line.units.setdefault(number, unit)
        return self._line

    async def _open(self, line: Line) -> None:
        line.counts = self.counts
        if self._closed:
            raise LinkLost(f"与 {self.where} 的连接已在本方关闭 · the connection to {self.where} was closed here")
        if not line.is_open:
            await line.open(self._timeout)
            if self._pause_after_connect:
                await asyncio.sleep(self._pause_after_connect)
