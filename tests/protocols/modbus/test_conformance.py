"""The Modbus adapter passes the suite of all adapters."""

from collections.abc import AsyncIterator

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from protocols.adapter import Tag
from protocols.modbus import Modbus, ModbusSettings
from tests.ports import free_port
from tests.protocols.conformance import Conformance
from tests.protocols.modbus.peer import ModbusPeer
from tests.protocols.peer import Peer


class TestModbus(Conformance):
    name = "modbus"

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        peer = ModbusPeer()
        await peer.start()
        yield peer
        await peer.stop()


class TestModbusRtuOverTcp(Conformance):
    name = "modbus"

    @pytest.fixture
    async def peer(self) -> AsyncIterator[Peer]:
        peer = ModbusPeer(rtu=True)
        await peer.start()
        yield peer
        await peer.stop()


async def test_bits_of_a_real_server() -> None:
    """Coils and discrete inputs as pymodbus' own server packs them; a coil and a register bit written."""
    device = SimDevice(
        id=1,
        simdata=(
            [SimData(0, values=[n % 3 == 0 for n in range(64)], datatype=DataType.BITS)],
            [SimData(0, values=[n % 5 == 0 for n in range(64)], datatype=DataType.BITS)],
            [SimData(0, count=20, values=0, datatype=DataType.REGISTERS)],
            [SimData(0, count=20, values=0, datatype=DataType.REGISTERS)],
        ),
    )
    port = free_port()
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    adapter = Modbus(ModbusSettings(host="127.0.0.1", port=port))
    await adapter.connect()
    try:
        tags = [Tag(n, "p", f"co:{n + 1}") for n in range(50)] + [Tag(50 + n, "p", f"di:{n + 3}") for n in range(50)]
        plan = adapter.plan([*tags, Tag(100, "p", "hr:5.9")])
        await adapter.write(Tag(0, "p", "co:2"), 1)
        await adapter.write(Tag(0, "p", "hr:5.9"), 1)
        reading = await adapter.read(plan)
        got = dict(zip(reading.index.tolist(), reading.value.tolist(), strict=True))
        assert {n: got[n] for n in range(50)} == {n: float((n + 1) % 3 == 0 or n + 1 == 2) for n in range(50)}
        assert {n: got[50 + n] for n in range(50)} == {n: float((n + 3) % 5 == 0) for n in range(50)}
        assert got[100] == 1.0
    finally:
        await adapter.close()
        await server.shutdown()
