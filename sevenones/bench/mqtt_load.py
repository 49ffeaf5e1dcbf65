"""What `bench mqtt` publishes: a device's side that is nothing but MQTT's bytes, so that it is never the limit.

python -m sevenones.bench.mqtt_load PORT KIND MESSAGES — waits for a line on stdin after it has connected and
introduced itself; prints one JSON object when the broker has acknowledged everything.
"""

from __future__ import annotations

import csv
import itertools
import json
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from protocols.sparkplug.values import CODES
from protocols.sparkplug.wire import Payload
from simulators.load import GATEWAY, MINE_CODE

METRICS = 200
DEVICES = 20
KINDS = ("small", "json200", "sparkplug200")
WINDOW = 2000
"""Messages on the way to the broker and not yet acknowledged."""
TURNS = 7
"""How many sets of values take turns: each differs from the one before in every value."""

Next = Callable[[int], tuple[str, bytes]]
"""Topic and payload of message n."""


def value(point: int, turn: int) -> float:
    return point % 100 + turn + 0.5


def addresses(kind: str) -> list[list[str]]:
    """For each device its points' addresses."""
    if kind == "small":
        return [[f"bench/{d}/{m}#v" for m in range(METRICS)] for d in range(DEVICES)]
    if kind == "json200":
        return [[f"bench/{d}#v.m{m}" for m in range(METRICS)] for d in range(DEVICES)]
    return [[f"bench/node/d{d}:m{m}" for m in range(METRICS)] for d in range(DEVICES)]


def samples(kind: str, messages: int) -> int:
    """Values in so many messages."""
    return messages * (1 if kind == "small" else METRICS)


def write_site(folder: Path, kind: str, port: int) -> None:
    """The site folder of one load on a broker of this host."""
    for name in ("templates", "equipment", "points"):
        (folder / name).mkdir(parents=True, exist_ok=True)

    def dump(name: str, content: object) -> None:
        (folder / name).write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML

    both = {"zh": "负载", "en": "load"}
    dump(
        "site.yaml",
        {"code": MINE_CODE, "name": both, "capacity_kt": 1, "gas_class": "low", "time_zone": "Asia/Shanghai"},
    )
    dump("areas.yaml", {"areas": {"mine": {"name": both}}})
    points = {f"p{n:03d}": {"name": both, "role": "load.value", "kind": "analog"} for n in range(METRICS)}
    dump("templates/load.yaml", {"id": "load", "name": both, "category": "other", "points": points})
    settings = {"host": "127.0.0.1", "port": port, "client_id": "bench-gateway"}
    adapter = "sparkplug" if kind.startswith("sparkplug") else "mqtt"
    dump("connections.yaml", {"connections": {"bench": {"gateway": GATEWAY, "adapter": adapter, "settings": settings}}})
    equipment = {f"d{n:02d}": {"template": "load", "name": both, "area": "mine"} for n in range(DEVICES)}
    dump("equipment/load.yaml", {"equipment": equipment})
    options = "" if adapter == "sparkplug" else "time=ts"
    with (folder / "points" / "load.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("equipment", "point", "connection", "address", "options"))
        for device, some in enumerate(addresses(kind)):
            table.writerows((f"d{device:02d}", f"p{n:03d}", "bench", where, options) for n, where in enumerate(some))


# ---- the messages


def small() -> Next:
    def make(number: int) -> tuple[str, bytes]:
        device, metric = number % DEVICES, number // DEVICES % METRICS
        turn = number // (DEVICES * METRICS) % TURNS
        return f"bench/{device}/{metric}", b'{"ts":%d,"v":%r}' % (time.time_ns() // 1000, value(metric, turn))

    return make


def json200() -> Next:
    bodies = [json.dumps({f"m{m}": value(m, turn) for m in range(METRICS)}).encode() for turn in range(TURNS)]

    def make(number: int) -> tuple[str, bytes]:
        turn = number // DEVICES % TURNS
        return f"bench/{number % DEVICES}", b'{"ts":%d,"v":%b}' % (time.time_ns() // 1000, bodies[turn])

    return make


def births() -> list[tuple[str, bytes]]:
    """The node's and its devices': aliases run through all metrics."""
    now = time.time_ns() // 1_000_000
    node = Payload(timestamp=now, seq=0)
    node.metrics.add(name=b"bdSeq", datatype=CODES["Int64"], long_value=0)
    made = [("spBv1.0/bench/NBIRTH/node", node.SerializeToString())]
    for device in range(DEVICES):
        born = Payload(timestamp=now, seq=device + 1)
        for m in range(METRICS):
            metric = born.metrics.add(name=b"m%d" % m, alias=device * METRICS + m, datatype=CODES["Double"])
            metric.double_value = -1.0
        made.append((f"spBv1.0/bench/DBIRTH/node/d{device}", born.SerializeToString()))
    return made


def sparkplug200() -> Next:
    bodies: dict[tuple[int, int], bytes] = {}
    for device, turn in itertools.product(range(DEVICES), range(TURNS)):
        payload = Payload()
        for m in range(METRICS):
            payload.metrics.add(alias=device * METRICS + m, datatype=CODES["Double"], double_value=value(m, turn))
        bodies[device, turn] = payload.SerializeToString()
    last = [0] * DEVICES

    def make(number: int) -> tuple[str, bytes]:
        device, turn = number % DEVICES, number // DEVICES % TURNS
        last[device] = max(last[device] + 1, time.time_ns() // 1_000_000)
        head = Payload(timestamp=last[device], seq=(number + DEVICES + 1) & 255).SerializeToString()
        return f"spBv1.0/bench/DDATA/node/d{device}", head + bodies[device, turn]

    return make


# ---- MQTT 3.1.1, as little of it as a publisher needs


def _packet(head: int, body: bytes) -> bytes:
    size, left = b"", len(body)
    while True:
        size += bytes((left & 127 | (128 if left > 127 else 0),))
        left >>= 7
        if not left:
            return bytes((head,)) + size + body


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _publish(topic: str, payload: bytes, number: int) -> bytes:
    return _packet(0x32, _text(topic) + (number % 65_535 + 1).to_bytes(2, "big") + payload)


class Publisher:
    """Publishes with QoS 1, at most WINDOW messages ahead of the broker."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.sendall(_packet(0x10, _text("MQTT") + bytes((4, 2, 0, 0)) + _text("bench-device")))
        if self._socket.recv(4)[3:] != b"\0":
            raise ConnectionError("the broker refuses the publisher")
        self._sent = self._bytes = 0

    def send(self, messages: list[tuple[str, bytes]]) -> None:
        self._socket.sendall(b"".join(_publish(*message, self._sent + n) for n, message in enumerate(messages)))
        self._sent += len(messages)
        self.wait(WINDOW)

    def wait(self, outstanding: int) -> None:
        """Until no more than so many are not acknowledged: an acknowledgement has four bytes."""
        while self._sent - self._bytes // 4 > outstanding:
            got = self._socket.recv(65_536)
            if not got:
                raise ConnectionError("the broker ended the connection")
            self._bytes += len(got)


def main(port: int, kind: str, messages: int) -> None:
    publisher = Publisher(port)
    make = {"small": small, "json200": json200, "sparkplug200": sparkplug200}[kind]()
    if kind == "sparkplug200":
        publisher.send(births())
    sys.stdin.readline()
    began = time.time()
    for start in range(0, messages, 100):
        publisher.send([make(number) for number in range(start, min(start + 100, messages))])
    publisher.wait(0)
    print(json.dumps({"began": began, "ended": time.time()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
