"""A whole gateway with one connection as a process of its own, for tests that kill it.

python -m tests.protocols.gatewaychild ORDER      {home, bus, adapter, settings, points: {key: address}}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

import gateway
from bus import credentials
from models.identity import point_id
from models.samples import Batch, Samples, concat
from tests.gateway.sites import CODE, connection, point, site
from tests.servers import RunningBus


def identity(key: str) -> int:
    return point_id(f"{CODE}/e/{key}")


async def main(order: dict[str, Any]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    home = Path(order["home"])
    points = [point(key, "source", "", address=address) for key, address in order["points"].items()]
    source = replace(connection("source", order["adapter"], {}), settings=order["settings"])
    made = site([source], points)
    await gateway.run(made, "edge1", home, order["bus"], credentials.load(home, "gateway-edge1"), stop)


class Child:
    """The process, started and killed as one likes."""

    def __init__(
        self, server: RunningBus, adapter: str, settings: Mapping[str, Any], points: Mapping[str, str]
    ) -> None:
        self.order = {"home": str(server.home), "bus": server.url, "adapter": adapter}
        self.order |= {"settings": dict(settings), "points": dict(points)}  # type: ignore[dict-item]
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.protocols.gatewaychild",
            json.dumps(self.order),
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def end(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await self.process.wait()


@contextlib.asynccontextmanager
async def running(child: Child) -> AsyncIterator[Child]:
    try:
        yield child
    finally:
        await child.end()


class Stream:
    """Everything that the bus has of one stream so far: `read` adds what is new."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._batches: list[Samples] = []

    async def read(self) -> None:
        while messages := await self._consumer.fetch(200, None, 0.3):
            self._batches += [Batch.decode(message.data).samples for message in messages]
            await self._consumer.acknowledge(messages)

    def of(self, key: str) -> Samples:
        """All samples of a point, in the order in which they came."""
        rows = concat(self._batches)
        return rows.take(rows.point == identity(key))


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
