"""The test server's process and the conformance suite's peer on it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocols.adapter import Tag
from protocols.opcua import OpcUa
from tests.ports import free_port
from tests.protocols.opcua.server import NAMESPACE, PASSWORD, USER, VARIABLES
from tests.protocols.peer import Peer


def tag(index: int, name: str, kind: str = "", namespace: str = NAMESPACE) -> Tag:
    return Tag(index, f"140581000000/machine/p{index}", f"nsu={namespace};s={name}", kind)


def item(index: int, number: int) -> Tag:
    return Tag(index, f"140581000000/machine/i{number}", f"nsu={NAMESPACE};i={number + 1}")


class _Forks:
    """The process that forks servers, started when the first is wanted, ended with this one."""

    _process: subprocess.Popen[str] | None = None

    @classmethod
    def fork(cls, **arguments: Any) -> int:
        if cls._process is None:
            cls._process = subprocess.Popen(
                (sys.executable, "-m", "tests.protocols.opcua.server"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            atexit.register(cls._process.kill)
        process = cls._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(arguments) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())


SHARED = Path(tempfile.mkdtemp(prefix="opcua-"))
"""Certificates take a second each to make: all tests but those of trust share them."""

atexit.register(shutil.rmtree, SHARED, ignore_errors=True)


class Machine:
    """One server. Its certificate is in `folder`, ours and the pinned ones in `folder`/client."""

    def __init__(
        self,
        folder: Path = SHARED,
        *,
        none: bool = False,
        distrust: str = "",
        items: int = 0,
        policies: Sequence[str] = (),
        tokens: Sequence[str] = ("UserName",),
        history: bool = False,
        **certificate: Any,
    ) -> None:
        """`distrust`: the status with which it refuses our certificate; `certificate`: see server.make_certificate."""
        self.port = free_port()
        self.folder = folder
        self.none, self.distrust, self.items, self.shift = none, distrust, items, 0
        self.more = {
            "policies": list(policies),
            "tokens": list(tokens),
            "certificate": certificate,
            "history": history,
        }
        folder.mkdir(parents=True, exist_ok=True)
        self._pid = 0
        self._control: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def settings(self, port: int | None = None, **more: Any) -> dict[str, Any]:
        settings = {
            "url": f"opc.tcp://127.0.0.1:{port or self.port}/test",
            "user": USER,
            "password": PASSWORD,
            "certificate_dir": str(self.folder / "client"),
            "timeout_s": 1,
            "watchdog_s": 2,
            "sampling_ms": 20,
            "publishing_ms": 50,
            "queue_size": 100,
        }
        if self.none:
            settings |= {"user": "", "password": "", "security": "none"}
        return settings | more

    def adapter(self, **more: Any) -> OpcUa:
        return OpcUa(OpcUa.Settings.model_validate(self.settings(**more)))

    async def start(self) -> None:
        connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
        path = tempfile.mktemp(suffix=".control")  # noqa: S306  a socket's path must be short
        door = await asyncio.start_unix_server(lambda reader, writer: connected.set_result((reader, writer)), path)
        self._pid = await asyncio.to_thread(
            _Forks.fork,
            port=self.port,
            folder=str(self.folder),
            control=path,
            none=self.none,
            distrust=self.distrust,
            items=self.items,
            shift=self.shift,
            **self.more,
        )
        self._control = await asyncio.wait_for(connected, 30)
        door.close()
        Path(path).unlink(missing_ok=True)
        assert await self._line() == "ready"

    async def _line(self) -> Any:
        assert self._control is not None
        return json.loads(await asyncio.wait_for(self._control[0].readline(), 30))

    async def order(self, **order: Any) -> Any:
        assert self._control is not None
        self._control[1].write(json.dumps(order).encode() + b"\n")
        return await self._line()

    async def set(self, **values: Any) -> None:
        await self.order(set=values)

    async def stop(self) -> None:
        """End it as a crash would; the kernel closes its connections."""
        pid, self._pid = self._pid, 0
        if pid and self._control is not None:
            os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                await self._control[0].read()
            self._control[1].close()

    def freeze(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._pid, signal.SIGCONT)


class OpcUaPeer(Peer):
    name = "opcua"
    tags: Sequence[Tag] = (tag(0, "Speed"), tag(1, "Count"), tag(2, "Level", "float32"), tag(3, "Word", "text"))
    wrong = (
        Tag(0, "p", "ns=2;s=Speed"),
        Tag(0, "p", "Speed"),
        Tag(0, "p", "nsu=urn:x"),
        Tag(0, "p", "nsu=;s=Speed"),
        Tag(0, "p", "nsu=urn:x;s="),
        Tag(0, "p", "nsu=urn:x;i=minus"),
        Tag(0, "p", "nsu=urn:x;i=4294967296"),
        Tag(0, "p", "nsu=urn:x;g=123"),
        Tag(0, "p", "nsu=urn:x;b=*"),
        Tag(0, "p", "svr=1;nsu=urn:x;s=Speed"),
        Tag(0, "p", "nsu=urn:x;s=Speed", "complex"),
        Tag(0, "p", "nsu=urn:x;s=Speed", "", "abcd"),
        Tag(0, "p", "nsu=urn:x;s=Speed", "", "", {"time": "ts"}),
    )
    missing = tag(4, "NoSuchThing")
    real = 0
    text = 3
    writable = 1
    write_protected = tag(5, "Locked")

    def __init__(self) -> None:
        self.machine = Machine()
        self._held: dict[str, Any] = {}

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return self.machine.settings(port)

    async def start(self) -> None:
        await self.machine.start()
        await self.machine.order(set=self._held)

    async def stop(self) -> None:
        await self.machine.stop()

    async def set(self, index: int, value: float | str) -> None:
        name = self.tags[index].address.rpartition("=")[2]
        if VARIABLES[name][0] == 0 and isinstance(VARIABLES[name][0], int) and math.isfinite(float(value)):
            value = int(value)
        self._held[name] = value
        await self.machine.set(**{name: value})

    async def get(self, index: int) -> float | str:
        found: float | str = await self.machine.order(get=self.tags[index].address.rpartition("=")[2])
        return found

    async def hang(self) -> None:
        self.machine.freeze()
