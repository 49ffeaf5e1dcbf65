"""A gateway in small, to be killed: writes each delivery to a file, to disk, then acknowledges it.

python -m tests.protocols.sql.consumer SETTINGS FILE
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys

from protocols.adapter import Delivery
from protocols.sql import Sql
from tests.protocols.sql.source import tag


async def main(settings: str, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def deliver(delivery: Delivery) -> None:
        lines = "".join(f"{int(value)}\n" for value in delivery.reading.value if math.isfinite(value))
        os.write(file, lines.encode())
        await asyncio.to_thread(os.fsync, file)
        await asyncio.sleep(0.03)  # where a kill hurts: on disk, and not acknowledged
        delivery.acknowledge()

    adapter = Sql(Sql.Settings.model_validate(json.loads(settings)))
    await adapter.connect()
    await adapter.subscribe([tag(0, "CH4")], deliver)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
