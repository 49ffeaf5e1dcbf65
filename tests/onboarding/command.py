"""A command of the front door, beside a device that the test serves."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from sevenones.cli import build
from simulators.devices.modbus import ModbusDevice, Unit


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


async def sevenones(*words: str | Path, environment: dict[str, str] | None = None) -> Ended:
    """Run a command to its end in a thread of this process, beside the device that the test serves. What it says
    when it ends with an error is in `err`, whichever way it went."""

    def run() -> Ended:
        arguments = [str(word) for word in words]
        done = CliRunner().invoke(build(arguments[0]), arguments, env=environment)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ended(done.exit_code, done.stdout, done.stderr + (done.stdout if done.exit_code else ""))

    return await asyncio.to_thread(run)


async def process(*words: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None) -> Ended:
    """The same in a process of its own, as users start it; a traceback is never what they should see."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sevenones",
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160", **(environment or {})},
    )
    out, err = await asyncio.wait_for(started.communicate(), 100)
    ended = Ended(started.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended


def device(units: dict[int, dict[str, dict[int, bytes]]], holes: range = range(0)) -> ModbusDevice:
    """A device of which each unit's tables hold these bytes from these addresses on; registers between the first
    and the last exist and are zero, but those of `holes`."""
    built = {}
    for number, tables in units.items():
        known: dict[str, list[int]] = {}
        for table, blocks in tables.items():
            width = 2 if table in ("hr", "ir") else 1
            ends = [start + len(data) // width for start, data in blocks.items()]
            known[table] = [at for at in range(min(blocks), max(ends)) if at not in holes]
        unit = Unit.with_addresses(known)
        for table, blocks in tables.items():
            area = unit.areas[table]
            for start, data in blocks.items():
                area.write(start, data)
        built[number] = unit
    return ModbusDevice(built)


def registers(value: float, kind: str, order: str) -> bytes:
    """A value's bytes in a device, spelled out apart from the code that is tested."""
    if kind.startswith("float"):
        data = np.array([value], np.dtype(kind).newbyteorder(">")).tobytes()
    else:
        data = (int(value) % (1 << int(kind[-2:]))).to_bytes(int(kind[-2:]) // 8, "big")
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order in ("cdab", "dcba"):
        words.reverse()
    if order in ("badc", "dcba"):
        words = [bytes(reversed(word)) for word in words]
    return b"".join(words)
