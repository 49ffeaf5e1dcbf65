"""The simulators as processes of their own, on the event loop that they really use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

import simulators
from models.site import load
from simulators.load import value_at
from simulators.truth import read_truth
from tests.protocols.peer import free_port
from tests.simulators.test_load import poll

DEMO = Path(simulators.__file__).parent / "mines" / "demo"


async def test_the_load_mine_as_a_process(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.load", "--points", "300", "--devices", "3", "--site", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        assert ready["points"] == 300
        connections = load(tmp_path).connections
        values, before, after = await poll(connections["device_0001"].settings["port"], 100)
        old, new = (value_at(np.arange(100, 200), int(instant)) for instant in (before, after))
        assert ((values == old) | (values == new)).all()
    finally:
        process.send_signal(signal.SIGTERM)
        rest = await asyncio.wait_for(process.stdout.read(), 10)
        assert await process.wait() == 0
    assert json.loads(rest)["requests"] == 2


async def test_simulate_serves_the_demo_and_ends_cleanly(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "SEVENONES_MODBUS_PORT": str(port),
        "SEVENONES_OPCUA_PORT": str(free_port()),
        "SEVENONES_MQTT_PORT": str(free_port()),  # nobody is there: the others must not mind
        "SEVENONES_OPCUA_PASSWORD": "opcua",
        "SEVENONES_MQTT_PASSWORD": "mqtt",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "simulate", "--site", str(DEMO), "--home", str(tmp_path), "--seed", "4"),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=2)
    try:
        deadline = time.monotonic() + 40
        while not await client.connect():
            assert process.returncode is None, (await process.communicate())[1].decode()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        assert len((await client.read_holding_registers(0, count=114)).registers) == 114
        await asyncio.sleep(1.5)
    finally:
        client.close()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    site = load(DEMO, environment=environment)
    known = set(read_truth(tmp_path)["point"].to_pylist())
    assert known == {point.id for point in site.points if point.kind != "text"}


async def test_simulate_names_what_is_wrong_with_a_site(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "simulate", "--site", str(tmp_path), "--home", str(tmp_path / "home")),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"site.yaml" in said
    assert b"Traceback" not in said
