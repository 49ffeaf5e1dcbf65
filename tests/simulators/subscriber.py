"""An OPC UA client to be killed: subscribes to one node and says so.

python -m tests.simulators.subscriber URL CERTIFICATE FOLDER USER PASSWORD NODE

CERTIFICATE is the server's; the client's own goes into FOLDER.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.simulators.test_opcua_device import client


async def main(url: str, certificate: str, folder: str, user: str, password: str, node: str) -> None:
    made = await client(url, Path(folder), user, password, Path(certificate))
    async with made:
        subscription = await made.create_subscription(50, queue_maxsize=1000)
        index = await made.get_namespace_index(node.removeprefix("nsu=").split(";")[0])
        await subscription.subscribe_data_change(made.get_node(f"ns={index};{node.split(';')[1]}"))
        print("subscribed", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
