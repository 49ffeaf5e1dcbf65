"""The real processes, started by their own commands on a home of their own, and what they use."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bus import credentials, server, streams
from bus.connection import Bus
from models.site import load
from models.site.model import Site
from sevenones.supervisor import python


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Use:
    """What one process used between `mark` and `read`: CPU seconds, and its largest resident memory in MB."""

    cpu_s: float = 0.0
    rss_mb: float = 0.0


@dataclass
class Stack:
    """bus, store, api and gateways of one site, as a mine would run them."""

    home: Path
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(self.processes):
            self.end(name)

    def end(self, name: str) -> None:
        """Ask one process to end; after 15 s it is killed."""
        process = self.processes[name]
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def run(self, name: str, argv: Sequence[str]) -> None:
        """Start one more process; its output goes to a log in the home."""
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ)
            )

    def start(self) -> tuple[Site, str, str]:
        """Start all of it. Returns the site, the API's address and a token."""
        site = load(self.folder, environment=dict(os.environ))
        url = self.start_bus(site.code, site.gateways())
        door = self.start_platform(url)
        self.start_gateways(url, site.gateways())
        return site, *door

    def start_platform(self, url: str) -> tuple[str, str]:
        """Start store and API at a bus. Returns the API's address and a token."""
        from middleplatform.access import tokens

        port = free_port()
        self.run("store", python("store", *self.common(url)))
        self.run("api", python("api", *self.common(url), "--port", str(port)))
        return f"http://127.0.0.1:{port}", tokens.create_token(self.home, name="bench", role="analyst")

    def start_bus(self, code: str, gateways: Sequence[str]) -> str:
        """Start the bus alone, with its streams. Returns its address."""
        credentials.make_all(self.home, code, gateways)
        config = server.prepare(self.home, port=free_port())
        self.run("bus", config.argv)
        asyncio.run(self._streams(config.url, code))
        return config.url

    def start_gateways(self, url: str, names: Sequence[str]) -> None:
        for name in names:
            self.run(f"gateway-{name}", python("gateway", *self.common(url), "--name", name))

    def state(self, gateway: str) -> dict[str, Any]:
        """What a gateway says of itself; {} until it says something."""
        try:
            door = json.loads((self.home / "metrics" / f"gateway-{gateway}.json").read_text())
            request = urllib.request.Request(  # noqa: S310 - our own loopback address
                door["url"] + "/state", headers={"Authorization": f"Bearer {door['token']}"}
            )
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):
            return {}

    def common(self, url: str) -> tuple[str, ...]:
        """What every process is told."""
        return ("--site", str(self.folder), "--home", str(self.home), "--bus", url)

    async def _streams(self, url: str, code: str) -> None:
        await server.wait_ready(url)
        async with await Bus.connect(url, credentials.load(self.home, "admin")) as admin:
            await streams.ensure(admin, code)

    def endpoint(self, within_s: float) -> dict[str, str]:
        """The store's door, once it is open."""
        path = self.home / "store" / "endpoint.json"
        deadline = time.monotonic() + within_s
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the store did not open within {within_s:.0f} s: see {self.home}/logs/store.log")
            time.sleep(0.1)
        found: dict[str, str] = json.loads(path.read_text())
        return found


class Meter(threading.Thread):
    """Watches what the stack's processes use, once a second."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._watched = {name: psutil.Process(process.pid) for name, process in stack.processes.items()}
        self._begin = {name: sum(process.cpu_times()[:2]) for name, process in self._watched.items()}
        self.use = {name: Use() for name in self._watched}
        self.peak_total_mb = 0.0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(1.0):
            self._look()

    def _look(self) -> None:
        total = 0.0
        for name, process in self._watched.items():
            rss = process.memory_info().rss / 2**20
            total += rss
            use = self.use[name]
            use.rss_mb = max(use.rss_mb, rss)
            use.cpu_s = sum(process.cpu_times()[:2]) - self._begin[name]
        self.peak_total_mb = max(self.peak_total_mb, total)

    def stop(self) -> dict[str, Use]:
        self._done.set()
        self.join()
        self._look()
        return self.use
