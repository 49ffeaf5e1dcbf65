"""One TCP connection to a Modbus device, with one request outstanding, on pymodbus' client.

After a time-out or anything that is not the reply, the connection is closed and the next request
opens a new one, where transaction numbers go on: a late reply finds no request that it fits.

Of pymodbus three attributes behind its documented interface are used, all below `_open` and
`_give_up`, and tests hold them: `ctx.next_tid`, `ctx.max_buffer_size` and `ctx.response_future`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from protocols.adapter import LinkLost
from protocols.modbus.address import Table
from protocols.modbus.faults import NoAnswer, Refused
from protocols.modbus.frame import Asked, inspect

# Each of its errors comes to the caller as an exception; in the log they would be a line a poll.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

_LAST_TRANSACTION = 64_000
_BUFFER = 65_536


class _Payload(ModbusPDU):  # type: ignore[misc]
    """A read's reply that keeps the bytes; pymodbus' own unpacks one register after the other and builds
    a line of text of it for a log that is off. `frame.inspect` has checked the length before."""

    def __init__(self) -> None:
        super().__init__()
        self.payload = b""

    def decode(self, data: bytes) -> None:
        self.payload = data[1:]

    def __str__(self) -> str:
        return "payload"


class _Coils(_Payload):
    function_code = 1


class _DiscreteInputs(_Payload):
    function_code = 2


class _HoldingRegisters(_Payload):
    function_code = 3


class _InputRegisters(_Payload):
    function_code = 4


_REPLIES = (_Coils, _DiscreteInputs, _HoldingRegisters, _InputRegisters)
_REQUESTS = {
    Table.COILS: ReadCoilsRequest,
    Table.DISCRETE_INPUTS: ReadDiscreteInputsRequest,
    Table.HOLDING_REGISTERS: ReadHoldingRegistersRequest,
    Table.INPUT_REGISTERS: ReadInputRegistersRequest,
}


class _Closed(Exception):
    """The other side closed the connection while a request was outstanding."""


class Link:
    """`counts` holds what happened, by counter name. Raises LinkLost when there is no connection."""

    def __init__(self, host: str, port: int, timeout_s: float, pause_after_connect_s: float, pause_s: float) -> None:
        self.where = f"{host}:{port}"
        self.counts: Counter[str] = Counter()
        self._host, self._port = host, port
        self._timeout = timeout_s
        self._pause_after_connect = pause_after_connect_s
        self._pause = pause_s
        self._client: AsyncModbusTcpClient | None = None
        self._closed = False
        self._unclean = False
        self._asked: Asked | None = None
        self._strays_seen = 0
        # A device that mixes up connections could hold replies to an earlier process, too.
        self._transaction = random.randrange(1, 30_000)  # noqa: S311
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect within the time-out. Raises LinkLost."""
        async with self._turn:
            await self._open()

    async def read(self, unit: int, table: Table, start: int, count: int) -> bytes:
        """The data bytes of one read, exactly as many as `count` needs. Raises Refused, NoAnswer, LinkLost."""
        size = (count + 7) // 8 if table.of_bits else 2 * count
        request = _REQUESTS[table](dev_id=unit, address=start, count=count)
        reply = await self.ask(request, 1 + size, counted=True)
        payload: bytes = reply.payload
        return payload

    async def ask(self, request: ModbusPDU, body: int, *, counted: bool = False) -> ModbusPDU:
        """The reply to a request, whose `body` bytes after the function code were checked."""
        async with self._turn:
            if self._pause and self._client is not None:
                await asyncio.sleep(self._pause)
            if self._client is None or self._unclean or not self._client.connected:
                await self._open()
            return await self._exchange(request, body, counted)

    def close(self) -> None:
        """Give up the connection for good. Never raises."""
        self._closed = True
        self._give_up(_Closed("closed here"))

    async def _open(self) -> None:
        self._drop()
        if self._closed:
            raise LinkLost(f"the connection to {self.where} was closed here")
        self.counts["connects_total"] += 1
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=self._timeout,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._packet,
            trace_connect=self._connection,
        )
        for reply in _REPLIES:
            client.register(reply)
        client.ctx.max_buffer_size = _BUFFER
        started = time.monotonic()
        try:
            connected = await client.connect()
        except OSError:
            connected = False
        except BaseException:
            client.close()
            raise
        if self._closed:
            client.close()
            raise LinkLost(f"the connection to {self.where} was closed here")
        if not connected:
            client.close()
            if time.monotonic() - started >= self._timeout:
                raise LinkLost(f"{self.where} did not answer within {self._timeout:g} s: is the device on the network?")
            raise LinkLost(
                f"{self.where} refused the connection: is its Modbus server on, and are host and port right?"
            )
        client.ctx.next_tid = self._transaction
        self._client = client
        self._unclean = False
        if self._pause_after_connect:
            await asyncio.sleep(self._pause_after_connect)

    async def _exchange(self, request: ModbusPDU, body: int, counted: bool) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            raise LinkLost(f"{self.where} closed the connection before a request was sent")
        if client.ctx.next_tid >= _LAST_TRANSACTION:
            client.ctx.next_tid = 0
        self._transaction = client.ctx.next_tid + 1
        self._asked = Asked(self._transaction, request.dev_id, request.function_code, body, counted)
        self._strays_seen = 0
        self.counts["requests_total"] += 1
        answered = False
        try:
            reply = await client.execute(False, request)
            answered = True
        except _Closed as closed:
            raise LinkLost(f"{self.where} closed the connection: {closed}") from None
        except ModbusException:
            self.counts["timeouts_total"] += 1
            raise NoAnswer(f"unit {request.dev_id} did not answer within {self._timeout:g} s") from None
        finally:
            self._asked = None
            if not answered:
                # Also when cancelled: the reply may still be on its way.
                self._drop()
        if isinstance(reply, ExceptionResponse):
            self.counts["exceptions_total"] += 1
            raise Refused(reply.exception_code)
        return reply

    def _packet(self, sending: bool, data: bytes) -> bytes:
        """pymodbus shows each packet before it is used; b"" in its place means: not to be used."""
        if sending:
            return data
        verdict = inspect(data, self._asked)
        self.counts["strays_total"] += max(verdict.strays - self._strays_seen, 0)
        if verdict.fault:
            self.counts["malformed_total"] += 1
            self._give_up(NoAnswer(verdict.fault))
            return b""
        if self._asked is None:
            # They stay in pymodbus' buffer until the next request empties it, and so are seen again.
            self._strays_seen = verdict.strays
            self._unclean = verdict.partial
            return b""
        if verdict.answered:
            self._asked = None
            self._strays_seen = verdict.strays
            # pymodbus forgets the beginning of an unfinished frame at the next request, and would take
            # its rest for a new frame.
            self._unclean = verdict.partial
        return data

    def _connection(self, connected: bool) -> None:
        if not connected:
            self._give_up(_Closed("the device, or something on the way, ended it"))

    def _give_up(self, why: Exception) -> None:
        """Wake the waiting request, and drop the connection."""
        client = self._client
        if client is not None and self._asked is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(why)
        self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
