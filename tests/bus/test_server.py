"""Whether the bus server can be started here, in plain words when it cannot, and that it ends with us."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections import namedtuple

import psutil
import pytest

from bus import credentials, server, subjects
from bus.connection import BusUnavailable, PublishRefused
from bus.errors import BusError, CredentialError, ServerError
from bus.process import ServerProcess
from tests.ports import free_port
from tests.servers import CODE, mine_bus


@pytest.fixture
def home(tmp_path):
    credentials.make_all(tmp_path, CODE, ["edge1"])
    return tmp_path


def test_a_taken_port_is_named_with_its_holder(home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"127.0.0.1:{port} \(bus\).*process {os.getpid()}.*choose another"):
            server.prepare(home, port=port)
        with pytest.raises(ServerError, match=rf"127.0.0.1:{port} \(MQTT\)"):
            server.prepare(home, port=free_port(), mqtt_port=port)


def test_data_of_another_version_is_refused(home):
    config = server.prepare(home, port=free_port())
    mark = config.path.parent / "version.json"
    for content, words in (
        ({"layout": 2, "server": list(server.version())}, "layout 2"),
        ({"layout": 1, "server": [99, 0, 0]}, "written by nats-server 99.0.0"),
        ({"layout": 1}, "does not say"),
    ):
        mark.write_text(json.dumps(content))
        with pytest.raises(ServerError, match=words):
            server.prepare(home, port=free_port())
    mark.write_text(json.dumps({"layout": 1, "server": [2, 0, 0]}))
    server.prepare(home, port=free_port())


def test_a_disk_without_room_is_refused(home, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10 << 30, (10 << 30) - 1000, 1000))
    with pytest.raises(ServerError, match="make room"):
        server.prepare(home, port=free_port())


def test_without_credentials_nothing_is_prepared(tmp_path):
    with pytest.raises(CredentialError, match=r"mine\.facts"):
        server.prepare(tmp_path, port=free_port())


async def test_a_server_that_never_comes_is_told(home):
    with pytest.raises(ServerError, match="not ready within"):
        await server.wait_ready(f"nats://127.0.0.1:{free_port()}", 0.3)


async def test_a_server_that_ends_gives_its_last_words(home):
    config = server.prepare(home, port=free_port())
    config.path.write_text("nonsense: {")
    with pytest.raises(ServerError, match=r"ended with 1:\n.*Parse error"):
        await ServerProcess(config).start()


async def test_it_listens_on_loopback_only_and_syncs_always(tmp_path):
    async with mine_bus(tmp_path, mqtt=True) as running:
        listening = [
            c.laddr for c in psutil.Process(running.process.pid).net_connections("tcp") if c.status == "LISTEN"
        ]
        assert {address.port for address in listening} >= {running.mqtt_port}
        assert {address.ip for address in listening} == {"127.0.0.1"}
        assert json.loads(running.process.config.path.read_text())["jetstream"]["sync_interval"] == "always"


async def test_a_new_gateway_is_known_after_a_reload(tmp_path):
    async with mine_bus(tmp_path) as running:
        gateway = await running.connect("gateway-edge1")
        made = credentials.make_all(tmp_path, CODE, ["edge1", "edge2"])
        server.prepare(tmp_path, port=int(running.url.rsplit(":", 1)[1]), running=True)
        running.process.reload()
        running.credentials = made
        async with asyncio.timeout(45):
            while True:
                try:
                    newcomer = await running.connect("gateway-edge2")
                    break
                except BusError:
                    await asyncio.sleep(0.1)
        await newcomer.publish(f"mine.{CODE}.samples.edge2", b"x", "edge2-1")
        await gateway.wait_connected(30)
        await gateway.publish(f"mine.{CODE}.samples.edge1", b"x", "edge1-1")
        await newcomer.close()
        await gateway.close()


def test_the_server_ends_when_its_parent_is_killed(home):
    program = f"""
        import asyncio
        from pathlib import Path
        from bus import server
        from bus.process import ServerProcess

        async def main():
            process = ServerProcess(server.prepare(Path({str(home)!r}), port={free_port()}))
            await process.start()
            print(process.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    child = psutil.Process(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(30)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 600 MB of its own."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600m", "none", str(where)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only who may mount a small disk can fill it: run as root outside a container")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


async def test_a_full_disk_loses_nothing_acknowledged_and_the_bus_works_again_once_there_is_room(small_disk):
    subject, stop, taken = subjects.samples(CODE, "edge1"), asyncio.Event(), 0
    async with mine_bus(small_disk / "home") as running:
        keeping = asyncio.create_task(running.process.keep(stop))
        gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
        ballast = small_disk / "ballast"
        room = shutil.disk_usage(small_disk).free - (8 << 20)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room)
        with pytest.raises((BusUnavailable, PublishRefused)):
            while True:
                await gateway.publish(subject, b"." * 1_000_000, f"edge1-{taken + 1}", timeout=2)
                taken += 1
        ballast.unlink()
        async with asyncio.timeout(30):
            while True:
                try:
                    await gateway.publish(subject, b"after", "edge1-after", timeout=2)
                    break
                except BusUnavailable:
                    await asyncio.sleep(0.1)
        consumer = await store.consumer(subjects.SAMPLES, "store")
        sizes: list[int] = []
        async with asyncio.timeout(30):
            while len(b"after") not in sizes:
                sizes += [len(message.data) for message in await consumer.fetch(100, None, 1)]
        assert taken > 0 and sizes[:taken] == [1_000_000] * taken and sizes[-1] == len(b"after")
        assert len(sizes) <= taken + 2, "the one without an answer may be there or not"
        await gateway.close()
        await store.close()
        stop.set()
        await keeping
