"""What answers at an address, how fast, and what it can do: asked gently, one request at a time, and never writing.

A refusal, a silence and another protocol are told apart, for each has another remedy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.onboarding.probe import modbus, mqtt, opcua, serial
from gateway.onboarding.probe.report import Options, Report
from gateway.onboarding.target import Target
from models.words import halves
from protocols.adapter import AdapterError

Ask = Callable[[Target, Options, Report], Awaitable[None]]

PROBES: dict[str, Ask] = {"modbus": modbus.ask, "opcua": opcua.ask, "mqtt": mqtt.ask}


async def probe(target: Target, options: Options | None = None) -> Report:
    """What was found. Never raises for what the other side does. Raises TargetError for settings that cannot be."""
    target.build()
    report = Report(target.name)
    asked = PROBES.get(target.adapter)
    if target.settings.get("transport") == "serial":
        await serial.ask(target, options or Options(), report)
    elif asked is None:
        await _connect_only(target, report)
    else:
        await asked(target, options or Options(), report)
    return report


async def _connect_only(target: Target, report: Report) -> None:
    """What every protocol allows: connect, and say what the adapter says."""
    device = target.build()
    try:
        await device.connect()
    except AdapterError as error:
        said = halves(error)
        report.bad(f"连接失败：{said.zh}", f"it cannot be connected: {said.en}", kind="link")
    else:
        report.good("已连接", f"connected by {device.sheet.title.en}", kind="link")
    finally:
        await device.close()
