"""A gateway as a process of its own, for tests that kill it: reads what to do from one JSON argument."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvloop

import gateway
from bus import credentials
from models.site.model import Retention
from tests.gateway.sites import connection, point, site


def tests_site(modbus_port: int, mqtt_port: int, password: str, silent_port: int):
    """Two Modbus devices at 200 ms, one of them with a point that is statutory, and one MQTT device."""
    connections = [
        connection("plc", "modbus", {"fast": 0.2}, host="127.0.0.1", port=modbus_port, timeout_s=1.0),
        connection("silent", "modbus", {"fast": 0.2}, host="127.0.0.1", port=silent_port, timeout_s=1.0),
        connection(
            "chamber", "mqtt", {}, host="127.0.0.1", port=mqtt_port, user="gateway", password=password, client_id="gw"
        ),
    ]
    register = {"type": "uint16", "silence_s": 2.0}
    points = [
        point("polled", "plc", address="hr:0", **register),
        point("safety", "plc", address="hr:0", retention=Retention.STATUTORY, **register),
        point("other", "silent", address="hr:0", **register),
        point("message", "chamber", "", address="mine/chamber/state#v", type="", options={"time": "ts"}),
    ]
    return site(connections, points)


async def main(order: dict) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    home = Path(order["home"])
    made = tests_site(order["modbus"], order["mqtt"], order["password"], order["silent"])
    await gateway.run(made, "edge1", home, order["bus"], credentials.load(home, "gateway-edge1"), stop)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
