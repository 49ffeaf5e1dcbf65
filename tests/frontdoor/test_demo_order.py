"""In what order the demo starts: its devices are there before the gateways that read them, as a mine's are."""

from __future__ import annotations

import asyncio
import socket
import time
from types import SimpleNamespace

from rich.console import Console

from bus import server
from models.site.model import Connection
from sevenones.demo import Demo
from sevenones.supervisor import Program
from tests.gateway.sites import connection, point, site
from tests.ports import free_block, free_port


class Listed:
    """Instead of a supervisor: what was started."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, program: Program) -> None:
        self.names.append(program.name)


def made(*ports: int):
    connections: list[Connection] = [connection(f"c{port}", "modbus", {"fast": 1.0}, port=port) for port in ports]
    return site(connections, [point("speed", connection=connections[0].name)])


async def _starts(tmp_path, monkeypatch, made_site, *, ready_s: float) -> tuple[Listed, asyncio.Task[None], Demo]:
    async def ready(*_: object) -> None:
        return None

    monkeypatch.setattr(server, "prepare", lambda *_, **__: SimpleNamespace(url="nats://127.0.0.1:1"))
    monkeypatch.setattr(server, "wait_ready", ready)
    demo = Demo(tmp_path, free_block(), 1, Console(quiet=True))
    demo.ready_s = ready_s
    monkeypatch.setattr(demo, "_sign_in", lambda: None)
    monkeypatch.setattr(demo, "_live", lambda: True)
    found = Listed()
    task = asyncio.create_task(demo._start(found, made_site, {}, asyncio.Event()))  # type: ignore[arg-type]
    return found, task, demo


async def test_gateways_start_once_the_devices_answer(tmp_path, monkeypatch):
    first, second = free_port(), free_port()
    found, task, _ = await _starts(tmp_path, monkeypatch, made(first, second), ready_s=60.0)
    async with asyncio.timeout(30):
        while "api" not in found.names:
            await asyncio.sleep(0.01)
    with socket.create_server(("127.0.0.1", first)):
        # One of the two is not there yet: asked often enough for it to be seen that nothing starts.
        await asyncio.wait([task], timeout=1.0)
        assert "simulator" in found.names and "gw-edge1" not in found.names
        with socket.create_server(("127.0.0.1", second)):
            await asyncio.wait_for(task, 30)
    assert found.names[-1] == "gw-edge1"


async def test_what_does_not_come_in_time_holds_no_gateway_up(tmp_path, monkeypatch):
    began = time.monotonic()
    found, task, _ = await _starts(tmp_path, monkeypatch, made(free_port()), ready_s=0.5)
    await asyncio.wait_for(task, 30)
    assert "gw-edge1" in found.names and time.monotonic() - began >= 0.5
