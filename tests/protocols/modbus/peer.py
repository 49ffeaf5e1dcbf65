"""A Modbus device for tests: pymodbus' own server, so that the wire is not our own idea of it."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from protocols.adapter import Tag
from tests.ports import free_port
from tests.protocols.peer import Peer

MISSING = 9_000


class ModbusPeer(Peer):
    name = "modbus"
    tags = (
        Tag(0, "m/e/p0", "hr:100", "uint16"),
        Tag(1, "m/e/p1", "hr:101", "float32", "cdab"),
        Tag(2, "m/e/p2", "ir:5", "int16"),
        Tag(3, "m/e/p3", "hr:110", "float64"),
        Tag(4, "m/e/p4", "hr:200", "int32", "dcba"),
    )
    missing = Tag(5, "m/e/missing", f"hr:{MISSING}", "uint16")
    wrong = (
        Tag(0, "p", ""),
        Tag(0, "p", "60001"),
        Tag(0, "p", "hr:1", "string"),
        Tag(0, "p", "hr:1[4]", "string", "cdab"),
        Tag(0, "p", "hr:65536"),
        Tag(0, "p", "hr:65535", "float32"),
        Tag(0, "p", "hr:65533", "uint64"),
        Tag(0, "p", "hr:1.16"),
        Tag(0, "p", "co:1.0"),
        Tag(0, "p", "co:1", "uint16"),
        Tag(0, "p", "hr:1.2", "uint16"),
        Tag(0, "p", "256/hr:1"),
        Tag(0, "p", "hr:1", "float16"),
        Tag(0, "p", "hr:1", "float32", "abdc"),
        Tag(0, "p", "hr:-1"),
        Tag(0, "p", "hr:٣"),
        Tag(0, "p", "hr:1", options={"speed": 1}),
    )
    real = 3
    writable = 4
    write_protected = Tag(6, "m/e/ro", f"hr:{MISSING}", "uint16")

    def __init__(self, *, rtu: bool = False) -> None:
        self.rtu = rtu
        self.port = free_port()
        self.registers = {3: [0] * 1000, 4: [0] * 1000}
        self.requests: list[ModbusPDU] = []
        self._server: ModbusTcpServer | None = None
        self._hung = False

    def settings(self, port: int | None = None) -> dict[str, Any]:
        more = {"transport": "rtu-over-tcp"} if self.rtu else {}
        return {"host": "127.0.0.1", "port": port or self.port, "timeout_s": 0.4, "rest_s": 0.5, **more}

    def _trace(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not sending:
            self.requests.append(pdu)
        return pdu

    def _packet(self, sending: bool, data: bytes) -> bytes:
        return b"" if self._hung else data

    async def start(self) -> None:
        self._hung = False
        device = SimDevice(
            id=1,
            simdata=(
                [SimData(0, count=100, values=False, datatype=DataType.BITS)],
                [SimData(0, count=100, values=False, datatype=DataType.BITS)],
                [SimData(0, count=1000, values=0, datatype=DataType.REGISTERS)],
                [SimData(0, count=1000, values=0, datatype=DataType.REGISTERS)],
            ),
        )
        self._server = ModbusTcpServer(
            device,
            framer=FramerType.RTU if self.rtu else FramerType.SOCKET,
            address=("127.0.0.1", self.port),
            trace_pdu=self._trace,
            trace_packet=self._packet,
        )
        await self._server.serve_forever(background=True)
        for function, values in self.registers.items():
            await self._put(function, 0, values)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()

    async def _put(self, function: int, start: int, values: list[int]) -> None:
        assert self._server is not None
        refused = await self._server.context.async_setValues(1, function, start, values)
        assert refused is None, refused

    async def set(self, index: int, value: float | str) -> None:
        tag = self.tags[index]
        data = {
            0: lambda: struct.pack(">H", int(value)),
            1: lambda: _swap_words(struct.pack(">f", float(value))),
            2: lambda: struct.pack(">h", int(value)),
            3: lambda: struct.pack(">d", float(value)),
            4: lambda: struct.pack("<i", int(value)),
        }[index]()
        words = list(struct.unpack(f">{len(data) // 2}H", data))
        function = 4 if tag.address.startswith("ir") else 3
        start = int(tag.address.split(":")[1])
        self.registers[function][start : start + len(words)] = words
        if self._server is not None:
            await self._put(function, start, words)

    async def get(self, index: int) -> float | str:
        assert index == 4 and self._server is not None
        words = await self._server.context.async_getValues(1, 3, 200, 2)
        return float(struct.unpack("<i", struct.pack(">2H", *words))[0])

    async def hang(self) -> None:
        self._hung = True

    def excuses(self, task: asyncio.Task[Any]) -> bool:
        return "pymodbus/server" in task.get_coro().__code__.co_filename  # type: ignore[union-attr]


def _swap_words(data: bytes) -> bytes:
    return data[2:] + data[:2]
