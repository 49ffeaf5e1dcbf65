"""The test server's process and the conformance suite's peer on it."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocols.adapter import Tag
from protocols.opcua import OpcUa
from tests.protocols.opcua.server import NAMESPACE, PASSWORD, USER, VARIABLES
from tests.protocols.peer import Peer, free_port


def tag(index: int, name: str, kind: str = "", namespace: str = NAMESPACE) -> Tag:
    return Tag(index, f"140581000000/machine/p{index}", f"nsu={namespace};s={name}", kind)


def item(index: int, number: int) -> Tag:
    return Tag(index, f"140581000000/machine/i{number}", f"nsu={NAMESPACE};i={number + 1}")


class Machine:
    """The process. Its certificate is in `folder`, ours and the pinned ones in `folder`/client."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.arguments = arguments
        folder.mkdir(parents=True, exist_ok=True)
        self._process: asyncio.subprocess.Process | None = None

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
        if "--none" in self.arguments:
            settings |= {"user": "", "password": "", "security": "none"}
        return settings | more

    def adapter(self, **more: Any) -> OpcUa:
        return OpcUa(OpcUa.Settings.model_validate(self.settings(**more)))

    async def start(self) -> None:
        command = (sys.executable, "-m", "tests.protocols.opcua.server", str(self.port), str(self.folder))
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *self.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await self._line() == "ready"

    async def _line(self) -> Any:
        assert self._process is not None and self._process.stdout is not None
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), 20))

    async def order(self, **order: Any) -> Any:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._line()

    async def set(self, **values: Any) -> None:
        await self.order(set=values)

    async def stop(self) -> None:
        """End it as a crash would; the kernel closes its connections."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


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

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder)
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
