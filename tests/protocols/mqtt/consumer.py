"""A gateway in small, to be killed: writes each delivery to a file, to disk, then acknowledges it.

python -m tests.protocols.mqtt.consumer PORT FILE [FATAL]

With FATAL it kills itself in its FATALth write, where a kill hurts most: after the disk, before the acknowledgement.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys

from protocols.adapter import Delivery
from protocols.mqtt import Mqtt
from tests.protocols.mqtt.broker import settings, tag


async def main(port: int, path: str, fatal: int | None) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    waiting: list[Delivery] = []

    async def deliver(delivery: Delivery) -> None:
        waiting.append(delivery)

    async def write() -> None:
        for number in itertools.count(1):
            while not waiting:
                await asyncio.sleep(0.02)
            some = waiting[:]
            waiting.clear()
            lines = "".join(f"{int(value)}\n" for delivery in some for value in delivery.reading.value)
            os.write(file, lines.encode())
            await asyncio.to_thread(os.fsync, file)
            if number == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            await asyncio.sleep(0.02)
            for delivery in reversed(some):
                delivery.acknowledge()

    adapter = Mqtt(Mqtt.Settings.model_validate(settings(port)))
    await adapter.connect()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        tasks.create_task(adapter.subscribe([tag(0, "plant/+#n")], deliver))
        await asyncio.sleep(0.05)
        while adapter._link is not None and adapter._link._granted:  # what is sent before goes to nobody
            await asyncio.sleep(0.01)
        print("connected", flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
