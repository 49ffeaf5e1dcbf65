"""A small mine whose API, bus and gateway run, with real devices: one that is in its site, newcomers that are not."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bus import credentials
from gateway.process import run as run_gateway
from middleplatform.access import tokens
from middleplatform.api.process import run as run_api
from models.site import load
from sevenones.workshop import Workshop
from simulators.devices.modbus import Area, ModbusDevice, Unit
from tests.middleplatform.api.stage import Stage, _answers, _tokens
from tests.ports import free_port
from tests.protocols.opcua.machine import Machine
from tests.servers import CODE, mine_bus

FILES = {
    "site.yaml": f"""code: {CODE}
name: {{zh: 试验矿, en: Test Mine}}
capacity_kt: 900
gas_class: low
time_zone: Asia/Shanghai
""",
    "areas.yaml": "areas:\n  main: {name: {zh: 主斜井, en: Main incline}}\n",
    "connections.yaml": """# 手写的说明要保留
connections:
  panel:
    gateway: edge1
    adapter: modbus
    settings: {host: 127.0.0.1, port: PANEL, unit: 1, timeout_s: 1}
    groups:
      fast: {period: 200 ms}
# 结尾的说明也是
""",
    "equipment/panel.yaml": """equipment:
  gas_1:
    template: methane_sensor
    name: {zh: 一号甲烷, en: Methane 1}
    area: main
    points:
      ch4: {connection: panel, group: fast, address: 'hr:0', type: uint16, scale: 0.01}
      state: {connection: panel, group: fast, address: 'hr:1', type: uint16}
  feeder_1:
    template: substation_feeder
    name: {zh: 一号馈电, en: Feeder 1}
    area: main
    points:
      breaker: {connection: panel, group: fast, address: 'hr:2', type: uint16}
      command: {connection: panel, group: fast, address: 'hr:3', type: uint16}
      current_a: {connection: panel, group: fast, address: 'hr:90', type: uint16}
""",
    "rules/gas.yaml": """rules:
  cut_1:
    name: {zh: 甲烷断电, en: Methane cuts off}
    when: {any: [{point: gas_1/ch4, at_least: 1.5}]}
    command: {feeder_1/command: 2}
    then: [{point: feeder_1/breaker, equals: 0}]
    within: 2 s
    by: platform
    restore: {when: {all: [{point: gas_1/ch4, below: 1.0}]}, by: authorised}
    source: "AQ 6201：甲烷超限断电不大于2s AQ 6201: local cut-off within 2 s"
""",
}
TABLE = """1号皮带机 PLC 点表 V2.3,,,,,,,
序号,信号名称,寄存器地址,功能码,数据类型,字节序,系数,单位
1,皮带速度,101,3,Float,CDAB,,m/s
2,煤流量,103,3,Float,CDAB,,t/h
3,1号电机电流,107,3,INT16,,0.1,A
4,备用,110,3,WORD,,,
"""
"""A vendor's: it counts from 1, and names two points as nobody else does."""


@asynccontextmanager
async def mine(home: Path, loop: asyncio.AbstractEventLoop) -> AsyncIterator[Stage]:
    """`home/site` is the folder that the API runs from. `stage.belt` and `stage.machine`, a Modbus device and an OPC UA
    server, are not in it."""
    panel, belt = Area(2, 40), Area(2, 140)
    panel.write(0, bytes.fromhex("0032 0000 0001 0000"))
    belt.write(100, _float(3.459) + _float(812.5) + bytes(4) + struct.pack(">h", 511))
    belt.write(120, bytes.fromhex("0100"))
    first, second = ModbusDevice({1: Unit({"hr": panel})}), ModbusDevice({3: Unit({"hr": belt})})
    machine = Machine()
    starting = asyncio.create_task(machine.start())
    await first.start()
    await second.start()
    folder = home / "site"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("PANEL", str(first.port)), "utf-8")
    reader, admin = _tokens(home)
    site = load(folder)
    try:
        async with mine_bus(home, CODE) as running:
            stop, port = asyncio.Event(), free_port()
            stage = Stage(home, f"http://127.0.0.1:{port}", loop, reader, admin)
            stage.engineer = tokens.create_token(home, "e", role="engineer")  # type: ignore[attr-defined]
            stage.panel, stage.belt, stage.machine = first, second, machine  # type: ignore[attr-defined]
            work = [
                asyncio.create_task(
                    run_gateway(site, "edge1", home, running.url, credentials.load(home, "gateway-edge1"), stop)
                ),
                asyncio.create_task(
                    run_api(site, home, running.url, credentials.load(home, "api"), "127.0.0.1", port, stop,
                            tools=Workshop(folder, home))
                ),
            ]  # fmt: skip
            try:
                await _answers(stage.url, lambda body: body["bus"])
                await starting
                yield stage
            finally:
                stop.set()
                for task in work:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(task, 20)
    finally:
        await machine.stop()
        await first.close()
        await second.close()


def _float(value: float) -> bytes:
    """As a device with its words in reverse sends it."""
    data = struct.pack(">f", value)
    return data[2:] + data[:2]
