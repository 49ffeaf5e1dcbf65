"""An OPC UA server whose values all change at a rate that it is told: the other end of `bench opcua`.

    python -m simulators.opcua_load --port P --folder F --values N

says one line when it serves. Each line on its input is `<rounds> <rounds a second>`: every value then
counts up by one in each round. When they are done it says what it wrote and how long that took, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from asyncua import Server, ua

from simulators.devices.opcua import APPLICATION, make_certificate

NAMESPACE = "urn:sevenones:load"


async def serve(port: int, folder: Path, values: int) -> None:
    """Serve until the input ends."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/load")
    uri = APPLICATION + "load"
    await server.set_application_uri(uri)
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    certificate, key = make_certificate(folder, uri, "127.0.0.1")
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    space = await server.register_namespace(NAMESPACE)
    holder = await server.nodes.objects.add_object(ua.NodeId("Load", space), ua.QualifiedName("Load", space))
    nodes = []
    for number in range(values):
        name = ua.QualifiedName(f"V{number}", space)
        nodes.append((await holder.add_variable(ua.NodeId(number + 1, space), name, 0.0)).nodeid)
    await server.start()
    print(json.dumps({"url": f"opc.tcp://127.0.0.1:{port}/load"}), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    count = 0
    while line := await lines.readline():
        rounds, rate = line.split()
        began = time.monotonic()
        for turn in range(int(rounds)):
            count += 1
            await _write(server, nodes, float(count))
            await asyncio.sleep(max(0.0, began + (turn + 1) / float(rate) - time.monotonic()))
        print(json.dumps({"last": count, "seconds": time.monotonic() - began}), flush=True)
    await server.stop()


async def _write(server: Server, nodes: list[ua.NodeId], value: float) -> None:
    now = datetime.now(UTC)
    for start in range(0, len(nodes), 500):
        for node in nodes[start : start + 500]:
            data = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=now)
            await server.write_attribute_value(node, data)
        # The subscriptions' own tasks get their turn.
        await asyncio.sleep(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--values", type=int, required=True)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(given.port, given.folder, given.values))


if __name__ == "__main__":
    main()
