"""A gateway on a disk that takes nothing, its log neither: `start` it so, or have it filled while it is `running`.
Says on stderr what the feeder was told."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import tempfile
from pathlib import Path

import gateway
from bus import credentials
from gateway import logs, numbers
from tests.gateway.linkage.ranges import CUT, FEED, Range


def fill() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    sys.stdout = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115


async def main(when: str, home: Path) -> None:
    numbers.RESERVED_AT_ONCE = 2  # they run out at once
    range_ = Range(home, CUT)
    range_.put(range_.power, FEED, 1)
    range_.methane(0.3)
    await range_.sensor.start()
    await range_.feeder.start()
    own = home / "gateway" / "edge1"
    if when == "start":
        fill()
    stop = asyncio.Event()
    running = asyncio.create_task(
        gateway.run(range_.site(), "edge1", home, "nats://127.0.0.1:9", credentials.make("gateway-edge1"), stop)
    )
    if when == "running":
        await range_.until(lambda: running.done() or (own / "numbers").exists())
        await asyncio.sleep(0.1)
        fill()
    await asyncio.sleep(0.3)  # and samples go on
    range_.methane(1.6)
    await range_.until(lambda: running.done() or range_.writes)
    stop.set()
    await running
    sys.stderr.write(f"{range_.writes}\n")
    with contextlib.suppress(OSError):
        sys.stdout.close()
    await range_.sensor.close()
    await range_.feeder.close()


if __name__ == "__main__":
    logs.never_in_the_way()
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as folder:
        asyncio.run(main(sys.argv[1], Path(folder)))
