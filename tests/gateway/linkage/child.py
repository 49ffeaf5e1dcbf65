"""A gateway over a range, as a process of its own and without any bus, for tests that kill it: told what to do by one
JSON argument."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import uvloop

import gateway
from bus import credentials
from gateway.linkage import latches
from tests.gateway.linkage.ranges import CUT, Range


async def main(order: dict) -> None:
    latches.SAVE_S = 5.0  # a disk that others keep busy is no slow one here
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    home = Path(order["home"])
    range_ = Range(home, CUT)
    range_.sensor, range_.feeder = SimpleNamespace(port=order["sensor"]), SimpleNamespace(port=order["feeder"])
    credential = credentials.load(home, "gateway-edge1")
    await gateway.run(range_.site(), "edge1", home, order["bus"], credential, stop)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
