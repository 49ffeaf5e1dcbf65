"""The settings of mosquitto that the README gives keep what was acknowledged, over kill -9 of mosquitto."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from pathlib import Path

import pytest

from tests.protocols.mqtt.broker import Broker, Publisher, tag
from tests.protocols.mqtt.test_delivery import running

README = Path(__file__).parents[3] / "protocols" / "mqtt" / "README.md"
TAG = tag(0, "plant/+#n")


def advised() -> dict[str, str]:
    """The README's settings of mosquitto."""
    block = re.search(r'```text title="mosquitto.conf"\n(.*?)```', README.read_text(), re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


@pytest.fixture
def settings() -> str:
    """What of them a test's broker does not set itself."""
    found = advised()
    for name, value in (("persistence", "true"), ("max_queued_messages", "0"), ("max_inflight_messages", "0")):
        assert found.pop(name) == value
    found.pop("persistence_location")
    assert found["autosave_interval"] == "1"
    return "".join(f"{name} {value}\n" for name, value in found.items())


async def test_what_mosquitto_has_written_survives_its_kill_9(tmp_path: Path, settings: str) -> None:
    """It writes each second: what it acknowledged within the last one can be lost, as the README says."""
    broker = Broker(tmp_path / "broker", more=settings)
    broker.start()
    try:
        async with running(broker.port, [TAG]):
            pass  # the broker keeps a session for us from now on
        sent = 0
        for _ in range(3):
            publisher = await asyncio.to_thread(Publisher, broker.port)
            for _ in range(30):
                await publisher.publish("plant/a", {"n": sent})
                sent += 1
            written = time.time()
            async with asyncio.timeout(60):
                while not any(path.stat().st_mtime > written + 1 for path in (tmp_path / "broker").glob("*.db")):
                    await asyncio.sleep(0.1)
            await asyncio.to_thread(broker.stop, signal.SIGKILL)
            publisher.close()
            await asyncio.to_thread(broker.start)
        async with running(broker.port, [TAG]) as run:
            await run.has(range(sent), 60)
            assert sorted(set(run.values)) == list(range(sent))
    finally:
        broker.stop()


async def test_more_than_mosquittos_default_of_1000_waits_for_us(tmp_path: Path, settings: str) -> None:
    broker = Broker(tmp_path / "broker", more=settings)
    broker.start()
    publisher = await asyncio.to_thread(Publisher, broker.port)
    try:
        async with running(broker.port, [TAG]):
            pass
        for number in range(3000):
            publisher.send("plant/a", {"n": number})
        await publisher.publish("plant/a", {"n": 3000})
        async with running(broker.port, [TAG]) as run:
            await run.until(3001, 60)
            assert run.values == list(range(3001))
    finally:
        publisher.close()
        broker.stop()
