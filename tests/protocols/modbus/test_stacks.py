"""Stacks by other hands on the other end: modbus-serial (Node.js) on TCP, pymodbus on a serial line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import sys
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bus.process import die_with_parent
from models.quality import Quality
from protocols.adapter import Tag
from protocols.modbus import Modbus, ModbusSettings
from tests.ports import free_port
from tests.protocols.modbus.test_reader import bad, rows, tags
from tests.stacks.node import Stack, stack


@asynccontextmanager
async def connected(**settings: Any) -> AsyncIterator[Modbus]:
    adapter = Modbus(ModbusSettings.model_validate(settings))
    await adapter.connect()
    try:
        yield adapter
    finally:
        await adapter.close()


async def put(server: Stack, unit: int, table: str, start: int, values: list[Any]) -> None:
    await server.ask(unit=unit, table=table, start=start, values=values)
    assert await server.tell() == {"put": len(values)}


async def there(server: Stack, unit: int, table: str, start: int, count: int) -> list[Any]:
    await server.ask(unit=unit, table=table, start=start, count=count, get=True)
    values: list[Any] = (await server.tell())["values"]
    return values


async def test_modbus_serial_of_node_reads_and_writes() -> None:
    async with stack("modbus_server.js", str(port := free_port())) as server:
        await put(server, 1, "hr", 10, list(struct.unpack(">2H", struct.pack(">f", 3.25))))
        await put(server, 1, "ir", 500, [7, 65535])
        await put(server, 2, "hr", 10, [0x1234])
        await put(server, 1, "co", 3, [True, False, True])
        await put(server, 1, "di", 9, [True])
        async with connected(host="127.0.0.1", port=port) as adapter:
            plan = adapter.plan(
                [
                    Tag(0, "p", "hr:10", "float32"),
                    Tag(1, "p", "30501"),
                    Tag(2, "p", "ir:501", "int16"),
                    Tag(3, "p", "2/40011"),
                    Tag(4, "p", "co:3[3]"),
                    Tag(5, "p", "10010", options={"active": "low"}),
                    Tag(6, "p", "hr:1000"),
                ]
            )
            reading = await adapter.read(plan)
            assert bad(reading) == {6: Quality.BAD_CONFIGURATION}
            got = {index: value for index, (value, _) in rows(reading).items() if index != 6}
            assert got == {0: 3.25, 1: 7, 2: -1, 3: 0x1234, 4: 5, 5: 0}

            await adapter.write(Tag(0, "p", "hr:20", "float32", "cdab"), 123456.0)
            await adapter.write(Tag(0, "p", "2/hr:30", "bcd16"), 1234)
            await adapter.write(Tag(0, "p", "co:3"), 0)
            await adapter.write(Tag(0, "p", "co:8[4]"), 0b1010)
            await adapter.write(Tag(0, "p", "hr:40[3]", "string", options={"encoding": "gbk"}), "煤机")
        assert await there(server, 1, "hr", 20, 2) == [0x2000, 0x47F1]
        assert await there(server, 2, "hr", 30, 1) == [0x1234]
        assert await there(server, 1, "co", 3, 1) == [False]
        assert await there(server, 1, "co", 8, 4) == [False, True, False, True]
        words = await there(server, 1, "hr", 40, 3)
        assert struct.pack(">3H", *words) == "煤机".encode("gbk") + b"\0\0"


@asynccontextmanager
async def cable() -> AsyncIterator[tuple[str, str]]:
    """Two serial ports and the cable between them."""
    loop = asyncio.get_running_loop()
    ends = [os.openpty(), os.openpty()]
    for one, (ours, theirs) in enumerate(ends):
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        other = ends[1 - one][0]

        def carry(ours: int = ours, other: int = other) -> None:
            with contextlib.suppress(OSError):
                os.write(other, os.read(ours, 4096))

        loop.add_reader(ours, carry)
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for ours, theirs in ends:
            loop.remove_reader(ours)
            os.close(ours)
            os.close(theirs)


@asynccontextmanager
async def pymodbus(port: str) -> AsyncIterator[None]:
    argv = (sys.executable, "-m", "tests.protocols.modbus.serial_server", port)
    server = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, preexec_fn=die_with_parent)
    try:
        assert server.stdout
        assert await asyncio.wait_for(server.stdout.readline(), 30) == b"there\n"
        yield
    finally:
        server.kill()
        await server.wait()


async def test_pymodbus_at_the_other_end_of_a_serial_line() -> None:
    async with cable() as (here, far), pymodbus(far):
        more = {"transport": "serial", "port": here, "baud": 115200, "unit": 5, "timeout_s": 2}
        async with connected(**more) as adapter:
            addresses = [f"hr:{n}" for n in range(200)] + [f"ir:{n}" for n in range(130)]
            plan = adapter.plan(tags([*addresses, "co:9[4]", "di:10", "hr:5000"]))
            reading = await adapter.read(plan)
            assert bad(reading) == {332: Quality.BAD_CONFIGURATION}
            got = rows(reading)
            assert [got[n][0] for n in range(200)] == list(range(200))
            assert [got[200 + n][0] for n in range(130)] == list(range(1000, 1130))
            assert got[330][0] == 0b1001 and got[331][0] == 1
            await adapter.write(Tag(0, "p", "hr:7", "int32"), -2)
            await adapter.write(Tag(0, "p", "hr:20.9"), 1)
            await adapter.write(Tag(0, "p", "co:1"), 1)
            after = rows(await adapter.read(adapter.plan(tags(["hr:7", "hr:8", "hr:20", "co:1"]))))
            assert [after[n][0] for n in range(4)] == [0xFFFF, 0xFFFE, 20 | 1 << 9, 1]
