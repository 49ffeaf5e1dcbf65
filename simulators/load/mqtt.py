"""Load over MQTT: each second messages of JSON with many values each, on a mosquitto of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

import aiomqtt
import numpy as np
import orjson

from simulators.devices.device import DeviceError
from simulators.load.wave import value_at

VALUES = 200
"""Values a message."""


class MqttLoad:
    """Points `first` … of the wave, `VALUES` on each topic `load/<n>`: `{"ts": ms, "v": {"m0": …}}`, QoS 1."""

    def __init__(self, first: int, count: int, seed: int, port: int, folder: Path) -> None:
        self.first, self.count, self.port = first, count, port
        self._seed = seed
        self._folder = folder
        edges = [*range(0, count, VALUES), count]
        self.ranges = list(itertools.pairwise(edges))
        self._keys = [f"m{n}" for n in range(VALUES)]
        self.broker: Process | None = None
        self._client: aiomqtt.Client | None = None
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Start the broker and connect. Raises DeviceError."""
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise DeviceError("需要程序 mosquitto · the program mosquitto is needed: apt-get install mosquitto")
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        )
        argv = [program, "-c", str(config)]
        self.broker = await asyncio.create_subprocess_exec(*argv, stdout=DEVNULL, stderr=DEVNULL)
        for last in (*[False] * 50, True):
            try:
                client = aiomqtt.Client("127.0.0.1", self.port, identifier="load", max_inflight_messages=1000)
                self._client = await self._stack.enter_async_context(client)
                return
            except aiomqtt.MqttError as error:
                if last or self.broker.returncode is not None:
                    raise DeviceError(f"mosquitto 没有启动 · mosquitto does not serve port {self.port}") from error
                await asyncio.sleep(0.1)

    async def turn(self, second: int) -> None:
        """Publish another second."""
        if self._client is None:
            return
        values = value_at(np.arange(self.first, self.first + self.count), second, self._seed).tolist()
        for number, (low, high) in enumerate(self.ranges):
            document = {"ts": second * 1000, "v": dict(zip(self._keys, values[low:high], strict=False))}
            await self._client.publish(f"load/{number}", orjson.dumps(document), qos=1)

    async def close(self) -> None:
        with contextlib.suppress(aiomqtt.MqttError):
            await self._stack.aclose()
        if self.broker is not None and self.broker.returncode is None:
            self.broker.terminate()
            await self.broker.wait()
