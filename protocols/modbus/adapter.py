"""The Modbus adapter: reads by plan, writes single values."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from models.site.model import Name
from models.words import halves
from protocols.adapter import Adapter, Delivers, LinkLost, Reading, Request, Sheet, Supports, Tag, WriteRefused
from protocols.modbus import encode, extent
from protocols.modbus.address import HIGHEST, MOST_REGISTERS, Table, parse
from protocols.modbus.faults import Closed, NoAnswer, Refused
from protocols.modbus.forbidden import Forbidden
from protocols.modbus.forecast import asked_by, neighbours
from protocols.modbus.link import Link
from protocols.modbus.planner import Plan, compile_plan, on_wire
from protocols.modbus.reader import NARROWING, Reader
from protocols.modbus.settings import ModbusSettings


class Modbus(Adapter[ModbusSettings, Plan]):
    """One Modbus device, or several units behind one address or on one serial port."""

    sheet: ClassVar[Sheet] = Sheet(
        name="modbus",
        title=Name(zh="Modbus TCP 与 RTU", en="Modbus TCP and RTU"),
        supports=Supports.READ | Supports.WRITE,
        delivers=Delivers.LATEST,
        source_time=False,
        remarks=Name(
            zh="TCP、TCP 内的 RTU、串口；同一地址或串口同时只有一个请求，多个连接轮流；相邻地址自动合并成块。"
            "超过 2^53 的 64 位整数会丢失低位。",
            en="TCP, RTU inside TCP and serial ports; one request at a time on an address or port, whose connections "
            "take turns; neighbouring addresses are read in one block. 64-bit integers lose low digits beyond 2^53.",
        ),
        limits=(
            Name("一次请求最多 125 个寄存器或 2000 个位", "at most 125 registers or 2000 bits in one request"),
            Name(f"字符串最多 {MOST_REGISTERS} 个寄存器", f"a text of at most {MOST_REGISTERS} registers"),
            Name(
                f"一次轮询最多用 {NARROWING} 个额外请求去找设备没有的地址",
                f"at most {NARROWING} requests more a poll to find the addresses that a device lacks",
            ),
        ),
    )
    Settings = ModbusSettings

    def __init__(self, settings: ModbusSettings) -> None:
        super().__init__(settings)
        quirks = settings.quirks
        self._link = Link(
            settings.place,
            settings.timeout_s,
            quirks.pause_after_connect_s,
            quirks.pause_s,
            any_unit=quirks.any_unit,
        )
        self._reader = Reader(self._link, settings.rest_s)
        self._forbidden = Forbidden.parse(settings.forbidden)

    @classmethod
    def check(cls, tag: Tag) -> None:
        parse(tag)

    @classmethod
    def span(cls, tag: Tag) -> tuple[Hashable, int, int] | None:
        return extent.span(tag)

    @classmethod
    def raw_range(cls, tag: Tag) -> tuple[float, float] | None:
        return extent.raw_range(tag)

    @classmethod
    def words(cls, address: str, count: int) -> Sequence[Tag]:
        return neighbours(address, count)

    async def connect(self) -> None:
        await self._link.open()

    def plan(self, tags: Sequence[Tag]) -> Plan:
        settings = self.settings
        plan = compile_plan(
            tags,
            unit=settings.unit,
            gap=settings.gap,
            max_registers=settings.max_registers,
            max_bits=settings.max_bits,
            forbidden=self._forbidden,
            first_address=settings.quirks.first_address,
            apart=settings.quirks.one_request_a_field,
            serial=settings.transport != "tcp",
        )
        self._reader.expect(plan)
        return plan

    async def read(self, plan: Plan) -> Reading:
        reading = await self._reader.read(plan)
        if self.settings.quirks.close_after_poll:
            self._link.hang_up()
        return reading

    def requests(self, plan: Plan) -> Sequence[Request]:
        return asked_by(plan, self.settings.place)

    async def write(self, tag: Tag, value: float | str) -> None:
        """Functions 5, 6, 15 and 16 by the tag's type; bits of a register by 22, which leaves its other bits
        to the device. Without a reply the outcome is not known: LinkLost says so."""
        target = parse(tag)
        if target.table in (Table.DISCRETE_INPUTS, Table.INPUT_REGISTERS):
            raise WriteRefused(
                f"'{tag.address}'：{target.table.zh}只读，不能写入 · "
                f"'{tag.address}': {target.table.words} can only be read"
            )
        unit = self.settings.unit if target.unit is None else target.unit
        start = on_wire(target, self.settings.quirks.first_address)
        if not 0 <= start <= HIGHEST - target.width + 1:
            raise WriteRefused(
                f"'{tag.address}' 超出设备可能有的地址 · '{tag.address}' is outside what the device can have"
            )
        if self._forbidden.touches(unit, target.table, start, target.width):
            raise WriteRefused(
                f"'{tag.address}' 在连接设置 forbidden 所禁止的范围之内 · "
                f"'{tag.address}' is in a range that the connection's settings forbid"
            )
        if unit == 0 and self.settings.transport != "tcp":
            raise WriteRefused(
                f"'{tag.address}'：串行线路的站号 0 为广播，无人确认写入 · "
                f"'{tag.address}': unit 0 of a serial line is everyone, and nobody would confirm it"
            )
        multiple = self.settings.quirks.multiple_writes_only
        try:
            await self._link.ask(encode.request(target, unit, start, value, multiple=multiple))
        except Refused as refusal:
            raise WriteRefused(
                f"'{tag.address}' 没有写入：{halves(refusal).zh} · "
                f"'{tag.address}' was not written: {halves(refusal).en}"
            ) from None
        except NoAnswer as failure:
            raise LinkLost(
                f"“{tag.address}”：{halves(failure).zh}，是否已写入不明 · "
                f"'{tag.address}': {halves(failure).en}; whether it was written is not known"
            ) from None
        except Closed as lost:
            raise LinkLost(
                f"“{tag.address}”：{halves(lost).zh}，是否已写入不明 · "
                f"'{tag.address}': {halves(lost).en}; whether it was written is not known"
            ) from None

    async def close(self) -> None:
        self._link.close()
        # One turn of the loop, in which the transport closes its socket.
        await asyncio.sleep(0)

    def counters(self) -> Mapping[str, int]:
        return dict(self._link.counts)
