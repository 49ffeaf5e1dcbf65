"""Small site folders as an engineer writes them, for real gateways of their own process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from typer.testing import CliRunner

from sevenones import cli
from simulators.devices.modbus import Area, ModbusDevice, Unit

CODE = "140581000000"
TEMPLATE = """id: drive
name: {zh: 驱动, en: Drive}
category: transport
points:
  setpoint: {name: {zh: 给定速度, en: Speed setpoint}, role: drive.setpoint, kind: analog, unit: m/s,
             low: 0, high: 5, dead_band: 0.01, writable: true}
  command: {name: {zh: 启停, en: Run command}, role: drive.command, kind: state, writable: true,
            states: {0: {zh: 停止, en: Stop}, 1: {zh: 启动, en: Start}}}
  speed: {name: {zh: 速度, en: Speed}, role: drive.speed, kind: analog, unit: m/s, low: 0, high: 5, dead_band: 0}
"""
SITE = """code: 140581000000
name: {zh: 试验矿, en: Test Mine}
capacity_kt: 900
gas_class: low
time_zone: Asia/Shanghai
"""
AREAS = "areas:\n  mine: {name: {zh: 全矿井, en: Whole mine}}\n"
REGISTERS = {"setpoint": "hr:0", "command": "hr:1", "speed": "hr:2"}


def write_site(
    folder: Path,
    ports: Mapping[str, int],
    *,
    periods: Mapping[str, str] | None = None,
    points: Mapping[str, Sequence[str]] | None = None,
    remark: str = "",
) -> Path:
    """A site with a drive a device: equipment and connection have the name that `ports` gives. `points`:
    which points of a drive there are, all by default; `remark` changes nothing but the files."""
    for sub in ("templates", "equipment"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    (folder / "site.yaml").write_text(SITE + (f"# {remark}\n" if remark else ""))
    (folder / "areas.yaml").write_text(AREAS)
    (folder / "templates" / "drive.yaml").write_text(TEMPLATE)
    connections, equipment = ["connections:"], ["equipment:"]
    for name, port in ports.items():
        period = (periods or {}).get(name, "100 ms")
        connections.append(
            f"  {name}: {{gateway: edge1, adapter: modbus, settings: {{host: 127.0.0.1, port: {port}, timeout_s: 1}}, "
            f"groups: {{fast: {{period: {period}}}}}}}"
        )
        bound = (points or {}).get(name, tuple(REGISTERS))
        scale = {"setpoint": ", scale: 0.01", "speed": ", scale: 0.001"}
        rows = ", ".join(f"{key}: {{address: '{REGISTERS[key]}', type: uint16{scale.get(key, '')}}}" for key in bound)
        equipment.append(
            f"  {name}: {{template: drive, name: {{zh: 驱动, en: Drive}}, area: mine, "
            f"defaults: {{connection: {name}}}, points: {{{rows}}}}}"
        )
    (folder / "connections.yaml").write_text("\n".join(connections) + "\n")
    (folder / "equipment" / "drives.yaml").write_text("\n".join(equipment) + "\n")
    return folder


class Drive:
    """The Modbus device of one drive; `speed` counts its reads up, so that every poll brings news."""

    def __init__(self) -> None:
        self.area = Area(2, 10)
        self.device = ModbusDevice({1: Unit({"hr": self.area})})
        self.connects = 0
        self.device.before = self._count
        self._known: set[int] = set()

    def _count(self) -> None:
        for link in self.device.links:
            if id(link) not in self._known:
                self._known.add(id(link))
                self.connects += 1
        number = (self.register(2) + 1) % 5000
        self.area.write(2, number.to_bytes(2, "big"))

    def register(self, address: int) -> int:
        return int.from_bytes(self.area.image[2 * address : 2 * address + 2], "big")


class Command:
    """A `sevenones` command as a process of its own."""

    def __init__(self, *words: str, environment: Mapping[str, str] | None = None) -> None:
        self.words = words
        self.environment = {**os.environ, **(environment or {})}
        self.child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sevenones", *self.words, env=self.environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def end(self, number: int = signal.SIGKILL) -> int | None:
        if self.child is None:
            return None
        if self.child.returncode is None:
            self.child.send_signal(number)
        await self.child.communicate()
        return self.child.returncode


async def sevenones(*words: str, stdin: str | None = None) -> tuple[int, str]:
    """A command, typed: (code, what it printed). In this process, so that many of them take no minute; one at
    a time, for they share its terminal."""

    def typed() -> tuple[int, str]:
        result = CliRunner().invoke(cli.build(words[0]), list(words), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return await asyncio.to_thread(typed)


async def sevenones_apart(*words: str) -> tuple[int, str]:
    """The same as a process of its own, beside others."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sevenones", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


def ask(home: Path, path: str, gateway: str = "edge1") -> dict:
    """What the gateway's own door answers. Raises OSError, ValueError while it is not there."""
    known = json.loads((home / "metrics" / f"gateway-{gateway}.json").read_text())
    request = urllib.request.Request(known["url"] + path, headers={"Authorization": f"Bearer {known['token']}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


async def until(condition, within: float = 30.0):
    """The first true answer of `condition`, which may not be possible yet."""
    began = time.monotonic()
    while True:
        try:
            if found := await asyncio.to_thread(condition):
                return found
        except (OSError, ValueError, KeyError, urllib.error.HTTPError) as error:
            if time.monotonic() - began > within:
                raise AssertionError(f"it did not happen: {error!r}") from error
        assert time.monotonic() - began < within, "it did not happen"
        await asyncio.sleep(0.05)
