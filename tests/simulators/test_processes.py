"""The simulators as processes of their own, on the event loop that they really use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

import simulators
from models.site import load
from simulators.truth import read_truth
from tests.ports import free_port
from tests.simulators.test_load import of_its_seconds, poll

DEMO = Path(simulators.__file__).parent / "mines" / "demo"


async def test_the_load_mine_as_a_process(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.load", "--points", "300", "--devices", "3", "--site", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        assert ready["points"] == 300
        connections = load(tmp_path).connections
        values, before, after = await poll(connections["device_0001"].settings["port"], 100)
        assert of_its_seconds(values, np.arange(100, 200), before, after)
    finally:
        process.send_signal(signal.SIGTERM)
        rest = await asyncio.wait_for(process.stdout.read(), 30)
        assert await process.wait() == 0
    assert json.loads(rest)["requests"] == 2


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def a_client_is_killed(port: int, folder: Path) -> None:
    """While it is subscribed: the server must not take it to heart, nor to the terminal."""
    url, node = f"opc.tcp://127.0.0.1:{port}/sevenones", "nsu=urn:sevenones:simulators;s=Shearer.Position"
    certificate = folder / "simulators" / "shearer_opcua" / "server.der"
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(listens, port):
            await asyncio.sleep(0.2)
    killed = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "tests.simulators.subscriber",
            url,
            str(certificate),
            str(folder),
            "gateway",
            "opcua",
            node,
        ),
        stdout=asyncio.subprocess.PIPE,
    )
    assert killed.stdout is not None
    assert await asyncio.wait_for(killed.stdout.readline(), 60) == b"subscribed\n"
    await asyncio.sleep(0.5)
    killed.kill()
    await killed.communicate()


async def test_simulate_serves_the_demo_and_ends_cleanly(tmp_path: Path) -> None:
    port, opcua = free_port(), free_port()
    environment = {
        "SEVENONES_MODBUS_PORT": str(port),
        "SEVENONES_OPCUA_PORT": str(opcua),
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
        deadline = time.monotonic() + 90
        while not await client.connect():
            assert process.returncode is None, (await process.communicate())[1].decode()
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        assert len((await client.read_holding_registers(0, count=114)).registers) == 114
        await a_client_is_killed(opcua, tmp_path)
        await asyncio.sleep(1.5)
    finally:
        client.close()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), 60)
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
    _, said = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 1
    assert b"site.yaml" in said
    assert b"Traceback" not in said
