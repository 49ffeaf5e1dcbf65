"""`sevenones bus` as a user runs it: the demo's site, a server that is restarted, an end without remains."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

import simulators
from bus import credentials, subjects
from bus.connection import Bus, BusUnavailable
from bus.server import wait_ready
from tests.ports import free_port

SITE = Path(simulators.__file__).parent / "mines" / "demo"


@pytest.mark.processes
async def test_the_command_runs_a_ready_bus_and_leaves_nothing_behind(tmp_path):
    port, mqtt = free_port(), free_port()
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "bus", "--site", str(SITE), "--home", str(tmp_path / "home")),
        *("--port", str(port), "--mqtt-port", str(mqtt)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_ready(f"nats://127.0.0.1:{port}", 60)
        made = credentials.load_all(tmp_path / "home")
        (gateway,) = made.gateways
        bus = await Bus.connect(f"nats://127.0.0.1:{port}", made.processes[f"gateway-{gateway}"], wait_s=30)
        subject = subjects.samples(made.code, gateway)

        async def published(data, number):
            async with asyncio.timeout(60):
                while True:
                    try:
                        return await bus.publish(subject, data, number)
                    except BusUnavailable:  # it listens a moment before its streams are there
                        await asyncio.sleep(0.1)

        await published(b"x", "1")
        (server,) = psutil.Process(command.pid).children()
        server.kill()
        async with asyncio.timeout(60):
            while (await bus.wait_connected()) and not bus.reconnects:
                await asyncio.sleep(0.1)
        await published(b"y", "2")
        assert (await bus.stream_state(subjects.SAMPLES)).messages == 2
        await bus.close()
        (server,) = psutil.Process(command.pid).children()
        os.kill(command.pid, signal.SIGTERM)
        assert await asyncio.wait_for(command.wait(), 45) == 0
        assert not server.is_running()
    finally:
        if command.returncode is None:
            command.kill()
            await command.wait()


async def test_a_taken_port_is_told_in_one_line(tmp_path):
    held = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = held.sockets[0].getsockname()[1]
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "bus", "--site", str(SITE), "--home", str(tmp_path / "home")),
        *("--port", str(port)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await asyncio.wait_for(command.communicate(), 90)
    held.close()
    assert command.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in words.decode() and "Traceback" not in words.decode()
