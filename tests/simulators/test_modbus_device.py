"""The Modbus server against an independent client, and its raw answers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.devices.modbus import Area, ModbusDevice, Unit


@pytest.fixture
async def device() -> AsyncIterator[ModbusDevice]:
    unit = Unit({"hr": Area(2, 100), "ir": Area(2, 20), "co": Area(1, 30), "di": Area(1, 16)})
    unit.areas["hr"].image = struct.pack(">100H", *range(100))
    unit.areas["ir"].image = struct.pack(">20H", *range(1000, 1020))
    unit.areas["di"].image = bytes([1, 0, 0, 1] * 4)
    gaps = Unit.with_addresses({"hr": [5, 6, 9]})
    made = ModbusDevice({1: unit, 7: gaps})
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def client(device: ModbusDevice) -> AsyncIterator[AsyncModbusTcpClient]:
    made = AsyncModbusTcpClient("127.0.0.1", port=device.port, timeout=10, retries=0)
    assert await made.connect()
    yield made
    made.close()


async def test_reads_of_all_four_areas(client: AsyncModbusTcpClient) -> None:
    assert (await client.read_holding_registers(10, count=90)).registers == list(range(10, 100))
    assert (await client.read_input_registers(0, count=20)).registers == list(range(1000, 1020))
    assert (await client.read_discrete_inputs(0, count=16)).bits[:16] == [True, False, False, True] * 4
    assert (await client.read_coils(3, count=5)).bits[:5] == [False] * 5


async def test_writes_are_read_back(client: AsyncModbusTcpClient, device: ModbusDevice) -> None:
    seen: list[tuple[int, int, int]] = []
    device.written = lambda *what: seen.append(what)
    assert not (await client.write_coil(3, True)).isError()
    assert not (await client.write_coils(8, [True, False, True] * 3)).isError()
    assert not (await client.write_register(4, 0xBEEF)).isError()
    assert not (await client.write_registers(50, [1, 2, 3])).isError()
    assert (await client.read_coils(3, count=1)).bits[0] is True
    assert (await client.read_coils(8, count=9)).bits[:9] == [True, False, True] * 3
    assert (await client.read_holding_registers(4, count=2)).registers == [0xBEEF, 5]
    assert (await client.read_holding_registers(49, count=5)).registers == [49, 1, 2, 3, 53]
    assert seen == [(1, 5, 3), (1, 15, 8), (1, 6, 4), (1, 16, 50)]


async def test_unknown_addresses_functions_and_units_get_exceptions(client: AsyncModbusTcpClient) -> None:
    assert (await client.read_holding_registers(99, count=2)).exception_code == 2
    assert (await client.write_register(100, 1)).exception_code == 2
    assert (await client.read_holding_registers(5, count=2, device_id=7)).registers == [0, 0]
    assert (await client.read_holding_registers(6, count=4, device_id=7)).exception_code == 2
    assert (await client.read_holding_registers(0, count=1, device_id=9)).exception_code == 11
    assert (await client.read_exception_status()).exception_code == 1


def request(transaction: int, address: int, count: int) -> bytes:
    return struct.pack(">HHHBBHH", transaction, 0, 6, 1, 3, address, count)


async def test_many_requests_in_one_segment_and_one_in_many(device: ModbusDevice) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
    writer.write(b"".join(request(n, n, 2) for n in range(50)))
    for n in range(50):
        assert await reader.readexactly(13) == struct.pack(">HHHBBBHH", n, 0, 7, 1, 3, 4, n, n + 1)
    for byte in request(77, 1, 1):
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0)
    assert await reader.readexactly(11) == struct.pack(">HHHBBBH", 77, 0, 5, 1, 3, 2, 1)
    writer.write(b"\x00\x01\x12\x34\x00\x06\x01\x03")
    assert await reader.read() == b""  # no Modbus: the connection is dropped
    writer.close()


async def test_faults(device: ModbusDevice) -> None:
    async def ask(seconds: float = 20.0) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        try:
            writer.write(request(1, 0, 1))
            return await asyncio.wait_for(reader.read(300), seconds)
        finally:
            writer.close()

    good = struct.pack(">HHHBBBH", 1, 0, 5, 1, 3, 2, 0)
    assert await ask() == good
    device.fault = "hang"
    with pytest.raises(TimeoutError):
        await ask(0.3)
    device.fault = "garbage"
    assert await ask() not in (good, b"")
    device.fault = "close"
    assert await ask() == b""
    device.fault = "refuse"
    with pytest.raises(ConnectionRefusedError):
        await ask()
    device.fault = None
    for _ in range(200):  # until it listens again
        with contextlib.suppress(ConnectionRefusedError):
            assert await ask() == good
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("it does not listen again")
    device.delay_s = 0.1
    assert await ask() == good


async def test_an_image_in_service_is_replaced_whole(device: ModbusDevice, client: AsyncModbusTcpClient) -> None:
    """While the image flips all the time, no read ever sees half of one and half of another."""
    ones, twos = struct.pack(">100H", *[1] * 100), struct.pack(">100H", *[2] * 100)
    area = device.units[1].areas["hr"]
    area.image = ones
    dice = random.Random(1)

    async def flip() -> None:
        while True:
            area.image = ones if dice.random() < 0.5 else twos
            await asyncio.sleep(0)

    task = asyncio.create_task(flip())
    seen = set()
    for _ in range(200):
        registers = (await client.read_holding_registers(0, count=100)).registers
        assert len(set(registers)) == 1
        seen.add(registers[0])
    task.cancel()
    assert seen == {1, 2}
