"""A real mosquitto of the test's own, which can be stopped, frozen and killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from protocols.adapter import Tag
from tests.needs import program
from tests.ports import free_port
from tests.protocols.peer import Peer

USER, PASSWORD = "gateway", "open sesame"


class Broker:
    """mosquitto on a port of its own, with users, persistence and no limit that would drop QoS 1 data."""

    def __init__(self, folder: Path, *, more: str = "", tls: str = "") -> None:
        self.port = free_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        passwords = folder / "passwords"
        passwords.touch(0o600)
        for user in (USER, "device"):
            command = [program("mosquitto_passwd"), "-b", str(passwords), user, PASSWORD]
            subprocess.run(command, check=True, capture_output=True)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n{tls}allow_anonymous false\npassword_file {passwords}\n"
            f"persistence true\npersistence_location {folder}/\n"
            "max_inflight_messages 0\nmax_queued_messages 0\n"
            f"user root\n{more}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [program("mosquitto"), "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            except OSError:
                assert time.monotonic() < deadline and self._process.poll() is None, "mosquitto does not start"
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM writes the persistence file first."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
            process.wait(30)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


class Publisher:
    """A device's side: publishes with QoS 1 and waits for the broker's word."""

    def __init__(self, port: int, user: str = "device", password: str = PASSWORD) -> None:
        self._client: Any = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.username_pw_set(user, password)
        self._client.max_inflight_messages_set(200)
        deadline = time.monotonic() + 30
        while True:  # a broker's listeners open one after the other
            try:
                self._client.connect("127.0.0.1", port, keepalive=30)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "the broker does not listen"
                time.sleep(0.05)
        self._client.loop_start()

    def send(self, topic: str, payload: bytes | str | dict[str, Any], *, retain: bool = False, qos: int = 1) -> Any:
        data = json.dumps(payload) if isinstance(payload, dict) else payload
        return self._client.publish(topic, data, qos=qos, retain=retain)

    async def publish(self, topic: str, payload: bytes | str | dict[str, Any], **options: Any) -> None:
        info = self.send(topic, payload, **options)
        await asyncio.to_thread(info.wait_for_publish, 30)
        assert info.is_published()

    def listen(self, topic: str, heard: Callable[[bytes], None]) -> None:
        """Call `heard` with each payload on a topic, once the broker has granted it."""
        granted = threading.Event()
        self._client.on_message = lambda _client, _data, message: heard(message.payload)
        self._client.on_subscribe = lambda *_: granted.set()
        self._client.subscribe(topic, 1)
        assert granted.wait(10)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._client.disconnect()
        self._client.loop_stop()


def tag(index: int, address: str, kind: str = "", **options: Any) -> Tag:
    return Tag(index, f"140581000000/chamber/p{index}", address, kind, "", options)


def settings(port: int, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "user": USER,
        "password": PASSWORD,
        "client_id": "sevenones-test",
        "keepalive_s": 2,
        "timeout_s": 1,
        **more,
    }


class MqttPeer(Peer):
    """A pump that publishes its state whenever a value is set."""

    name = "mqtt"
    tags: Sequence[Tag] = (
        tag(0, "mine/pump/state#level", time="ts"),
        tag(1, "mine/+/state#motor.phase[1]", time="ts"),
        tag(2, "mine/other#v", "number", time="ts", command="mine/other/set", template='{"set": {value}}'),
        tag(3, "mine/pump/state#word", "text", time="ts"),
    )
    wrong = (
        tag(0, "mine/pump/state"),
        tag(0, "mine/pump/state#"),
        tag(0, "#level"),
        tag(0, "mine/a#b/state#level"),
        tag(0, "mine/pu+mp#level"),
        tag(0, "mine/pump#a..b"),
        tag(0, "mine/pump#a[x]"),
        tag(0, "mine/pump#a", "float"),
        tag(0, "mine/pump#a", tme="ts"),
        tag(0, "mine/pump#a[*].b[*]"),
        tag(0, "mine/pump#a", format="xml"),
        tag(0, "mine/pump#a", encoding="ebcdic"),
        tag(0, "mine/pump#a", separator=";"),
        tag(0, "mine/pump#a[*]", samples="b"),
        tag(0, "mine/pump#a", time="ts[*]"),
        tag(0, "mine/pump#a", time="ts", time_format="%H:%M:%S"),
        tag(0, "mine/pump#a", time="ts", time_format="%Y-%m-%d %H:%M:%S"),
        tag(0, "mine/pump#a", words="on"),
        tag(0, "mine/pump#a", command="mine/+/set"),
        tag(0, "mine/pump#a", command="mine/set", template="on"),
        tag(0, "mine/pump#a", template="{value}"),
        tag(0, "mine/pump#a", time="ts", time_zone="Mars/Olympus"),
        Tag(0, "p", "mine/pump#a", "", "abcd"),
    )
    missing = tag(4, "mine/pump/state#no.such", time="ts")
    real = 0
    text = 3
    writable = 2
    write_protected = tag(0, "mine/pump/state#level", time="ts")

    def __init__(self, folder: Path, protocol: str = "3.1.1") -> None:

        self._protocol = protocol
        self._broker = Broker(folder)
        self._publisher: Publisher | None = None
        self._values: dict[int, float | str] = {0: 0.0, 1: 0.0, 2: 0.0, 3: "off"}

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return settings(port or self._broker.port, protocol=self._protocol)

    async def start(self) -> None:
        await asyncio.to_thread(self._broker.start)
        self._publisher = await asyncio.to_thread(Publisher, self._broker.port)
        self._publisher.listen("mine/other/set", self._obey)

    def _obey(self, payload: bytes) -> None:
        """What the device does with a command: it takes the value and says so."""
        self._values[2] = json.loads(payload)["set"]
        assert self._publisher is not None
        self._publisher.send("mine/other", {"v": self._values[2], "ts": time.time()})

    async def get(self, index: int) -> float | str:
        return self._values[index]

    async def stop(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
            self._publisher = None
        await asyncio.to_thread(self._broker.stop)

    async def hang(self) -> None:
        self._broker.freeze()

    async def set(self, index: int, value: float | str) -> None:
        self._values[index] = value
        assert self._publisher is not None
        values, now = self._values, time.time()
        if index == 2:
            await self._publisher.publish("mine/other", {"v": values[2], "ts": now})
        else:
            state = {"level": values[0], "motor": {"phase": [0, values[1]]}, "word": values[3], "ts": now}
            await self._publisher.publish("mine/pump/state", state)
