"""The Modbus TCP adapter: reads by plan, writes single values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from models.site.model import Name
from protocols.adapter import (
    Adapter,
    AdapterError,
    Delivers,
    LinkLost,
    Reading,
    Request,
    Settings,
    Sheet,
    Supports,
    Tag,
    WriteRefused,
)
from protocols.modbus import encode
from protocols.modbus.address import Table, parse
from protocols.modbus.faults import NoAnswer, Refused
from protocols.modbus.forecast import asked_by, neighbours
from protocols.modbus.link import Link
from protocols.modbus.planner import Plan, compile_plan
from protocols.modbus.reader import Reader


class ModbusSettings(Settings):
    """A connection's `settings:`."""

    host: Annotated[str, Field(min_length=1, description="address or name of the device")]
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port of its Modbus server")] = 502
    unit: Annotated[int, Field(ge=0, le=255, description="unit of addresses that name none")] = 1
    timeout_s: Annotated[float, Field(gt=0, le=60, description="longest wait for a connection or a reply")] = 2.0
    gap: Annotated[
        int, Field(ge=0, le=124, description="registers nobody asked for that a block may span (bits: 16 times that)")
    ] = 8
    max_registers: Annotated[
        int, Field(ge=4, le=125, description="most registers in one request, if the device takes fewer than 125")
    ] = 125
    max_bits: Annotated[
        int, Field(ge=1, le=2000, description="most bits in one request, if the device takes fewer than 2000")
    ] = 2000
    pause_after_connect_s: Annotated[
        float, Field(ge=0, le=60, description="wait before the first request, for devices that need it")
    ] = 0.0
    pause_s: Annotated[
        float, Field(ge=0, le=10, description="wait before each further request, for devices that need it")
    ] = 0.0
    rest_s: Annotated[
        float,
        Field(
            gt=0,
            le=3600,
            description="pause before what failed twice is asked again; doubles up to 60 s, or this if longer",
        ),
    ] = 10.0


class Modbus(Adapter[ModbusSettings, Plan]):
    """One Modbus TCP device, or one gateway with several units behind it."""

    sheet: ClassVar[Sheet] = Sheet(
        name="modbus",
        title=Name(zh="Modbus TCP", en="Modbus TCP"),
        supports=Supports.READ | Supports.WRITE,
        delivers=Delivers.LATEST,
        source_time=False,
        remarks=Name(
            zh="同一设备一条连接，同时只有一个请求；相邻地址自动合并成块。超过 2^53 的 64 位整数会丢失低位。",
            en="One connection a device and one request at a time; neighbouring addresses are read in one block. "
            "Integers of 64 bits lose low digits beyond 2^53.",
        ),
    )
    Settings = ModbusSettings

    def __init__(self, settings: ModbusSettings) -> None:
        super().__init__(settings)
        self._link = Link(
            settings.host, settings.port, settings.timeout_s, settings.pause_after_connect_s, settings.pause_s
        )
        self._reader = Reader(self._link, settings.rest_s)

    @classmethod
    def check(cls, tag: Tag) -> None:
        parse(tag)

    @classmethod
    def words(cls, address: str, count: int) -> Sequence[Tag]:
        return neighbours(address, count)

    async def connect(self) -> None:
        await self._link.open()

    def plan(self, tags: Sequence[Tag]) -> Plan:
        plan = compile_plan(
            tags,
            unit=self.settings.unit,
            gap=self.settings.gap,
            max_registers=self.settings.max_registers,
            max_bits=self.settings.max_bits,
        )
        self._reader.expect(plan)
        return plan

    async def read(self, plan: Plan) -> Reading:
        return await self._reader.read(plan)

    def requests(self, plan: Plan) -> Sequence[Request]:
        return asked_by(plan, self.settings)

    async def write(self, tag: Tag, value: float | str) -> None:
        """Functions 5, 6 and 16 by the tag's type; a bit of a register by 22, which leaves the other bits
        to the device. Without a reply the outcome is not known: LinkLost says so."""
        target = parse(tag)
        if target.table in (Table.DISCRETE_INPUTS, Table.INPUT_REGISTERS):
            raise WriteRefused(f"'{tag.address}': {target.table.words} can only be read")
        number = encode.number(target, value)
        place = {"dev_id": self.settings.unit if target.unit is None else target.unit, "address": target.start}
        if target.table is Table.COILS:
            await self._write(tag, WriteSingleCoilRequest(bits=[bool(number)], **place), 4)
        elif target.bit >= 0:
            bit = 1 << (target.bit if target.order in ("abcd", "cdab") else target.bit ^ 8)
            request = MaskWriteRegisterRequest(and_mask=0xFFFF ^ bit, or_mask=bit if number else 0, **place)
            await self._write(tag, request, 6)
        else:
            registers = encode.registers(target, number)
            if len(registers) == 1:
                await self._write(tag, WriteSingleRegisterRequest(registers=registers, **place), 4)
            else:
                await self._write(tag, WriteMultipleRegistersRequest(registers=registers, **place), 4)

    async def _write(self, tag: Tag, request: object, body: int) -> None:
        sent = request.encode()[:body]  # type: ignore[attr-defined]
        try:
            reply = await self._link.ask(request, body)
        except Refused as refusal:
            raise WriteRefused(f"'{tag.address}' was not written: {refusal}") from None
        except NoAnswer as failure:
            raise LinkLost(f"'{tag.address}': {failure}; whether it was written is not known") from None
        if reply.encode() != sent:
            raise AdapterError(f"'{tag.address}': the device confirmed another write than was asked; read it back")

    async def close(self) -> None:
        self._link.close()
        # One turn of the loop, in which the transport closes its socket.
        await asyncio.sleep(0)

    def counters(self) -> Mapping[str, int]:
        return dict(self._link.counts)
