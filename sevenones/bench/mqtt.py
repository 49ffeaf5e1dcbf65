"""`bench mqtt`: messages on a mosquitto of its own → decode, time, quality, exception report, encode →
durable on the bus, each acknowledged to the broker only then. The gateway alone is the measured process.

A publisher sends as fast as the broker takes it; every value changes with every message. The rate is from
the first message to the last sample on the bus's disk: the ceiling. Lost: values sent that are not there.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bus import credentials, subjects
from bus.connection import Bus
from models.samples import Batch
from sevenones.bench import mqtt_load
from sevenones.bench.stack import Meter, Stack, free_port
from simulators.load import GATEWAY, MINE_CODE

MESSAGES = {"small": 80_000, "json200": 3_000, "sparkplug200": 5_000}
MOST_S = 60.0
"""The longest wait for one load's last sample."""


class NoBroker(RuntimeError):
    """The program mosquitto is not there."""


def run(scale: float = 1.0) -> dict[str, Any]:
    """All three loads, with so many times the messages. Raises NoBroker."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or shutil.which(
        "mosquitto"
    )
    if program is None:
        raise NoBroker("需要程序 mosquitto · the program mosquitto is needed: apt-get install mosquitto")
    loads = [measure(program, kind, round(messages * scale)) for kind, messages in MESSAGES.items()]
    return {"bench": "mqtt", "loads": loads}


def measure(program: str, kind: str, messages: int) -> dict[str, Any]:
    """One load on a broker, a bus and a gateway of its own."""
    with tempfile.TemporaryDirectory(prefix="sevenones-mqtt-") as folder:
        home, site = Path(folder) / "home", Path(folder) / "site"
        home.mkdir(mode=0o700)
        port = free_port()
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        )
        mqtt_load.write_site(site, kind, port)
        with Stack(home, site) as stack:
            stack.run("mosquitto", [program, "-c", str(config)])
            url = stack.start_bus(MINE_CODE, [GATEWAY])
            stack.start_gateways(url, [GATEWAY])
            _until_up(stack)
            return _measure(stack, url, kind, messages, port)


def _until_up(stack: Stack) -> None:
    deadline = time.monotonic() + 60
    while stack.state(GATEWAY).get("connections", {}).get("bench", {}).get("state") != "up":
        if time.monotonic() > deadline:
            raise TimeoutError(f"the gateway did not connect to the broker: see {stack.home}/logs")
        time.sleep(0.1)
    time.sleep(1.0)


def _measure(stack: Stack, url: str, kind: str, messages: int, port: int) -> dict[str, Any]:
    argv = [sys.executable, "-m", "sevenones.bench.mqtt_load", str(port), kind, str(messages)]
    publisher = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(2.0)  # births, where there are any, are taken
    meter = Meter(stack)
    meter.start()
    told, _ = publisher.communicate("go\n", timeout=MOST_S)
    sent = json.loads(told)
    expected = mqtt_load.samples(kind, messages)
    rows, doubled, last_us = asyncio.run(_stored(stack, url, round(sent["began"] * 1e6), expected))
    use = meter.stop()
    gateway, seconds = use[f"gateway-{GATEWAY}"], last_us / 1e6 - sent["began"]
    return {
        "load": kind,
        "messages": messages,
        "samples": expected,
        "lost": expected - rows,
        "doubled": doubled,
        "samples_per_s": round(rows / seconds),
        "messages_per_s": round(messages / seconds),
        "published_messages_per_s": round(messages / (sent["ended"] - sent["began"])),
        "cpu_us_per_sample": round(gateway.cpu_s / max(rows, 1) * 1e6, 3),
        "cpu_us_per_message": round(gateway.cpu_s / messages * 1e6, 1),
        "gateway_rss_mb": round(gateway.rss_mb),
    }


async def _stored(stack: Stack, url: str, first: int, expected: int) -> tuple[int, int, int]:
    """Read the stream until all is there, or nothing more comes: good rows from `first` on (µs), how many of
    them came twice, and when the bus kept the last, µs."""
    keys: list[np.ndarray[Any, Any]] = []
    rows, last = 0, first
    deadline = time.monotonic() + MOST_S
    async with await Bus.connect(url, credentials.load(stack.home, "store")) as bus:
        consumer = await bus.consumer(subjects.SAMPLES, "store")
        while rows < expected and time.monotonic() < deadline:
            fetched = await consumer.fetch(500, 64 << 20, 3.0)
            for message in fetched:
                samples = Batch.decode(message.data).samples
                # The clock of the source in ms may lie a little before.
                ours = (samples.ts >= first - 1000) & (samples.quality >= 192) & (samples.value >= 0)
                if ours.any():
                    keys.append(np.stack([samples.point[ours], samples.ts[ours].view(np.uint64)], axis=1))
                    rows += int(ours.sum())
                    parts = message.reply.split(".")
                    last = int(parts[7] if len(parts) == 9 else parts[9]) // 1000
            await consumer.acknowledge(fetched)
    if not keys:
        return 0, 0, last
    distinct = len(np.unique(np.concatenate(keys), axis=0))
    return distinct, rows - distinct, last
