"""What comes in over MQTT, against `topics.csv`, which people wrote and reviewed, asked of a real server."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import nats
import pytest

from bus import credentials
from bus.secret import write_secret
from bus.subjects import ANCHORS, SITES, STREAMS
from tests.middleplatform.access.mqtt_wire import Wire
from tests.servers import CODE, mine_bus

OTHER = "140581000001"
USERS = {"device": "simulator", "gateway": "gateway"}
WAIT_S = 20
KEPT = ("$sparkplug.certificates.", "$MQTT.rmsgs.")
ALL = (*STREAMS, SITES, ANCHORS)


def rows() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "topics.csv").read_text("utf-8").splitlines()
    found = list(csv.DictReader(line for line in text if not line.startswith("# ")))
    return [{word: cell.format(code=CODE, other=OTHER) for word, cell in row.items()} for row in found]


MATRIX = rows()


class Spies:
    """One in each account who hears everything, which no credential of ours may.

    `heard`: (account, subject) of all that was said, by its payload.
    """

    def __init__(self) -> None:
        self.heard: dict[str, list[tuple[str, str]]] = {}
        self._clients = []

    async def come_in(self, running) -> None:
        path = running.process.config.path
        config = json.loads(path.read_text())
        made = {account: credentials.make("spy") for account in config["accounts"]}
        for account, credential in made.items():
            config["accounts"][account]["users"].append({"nkey": credential.public})
        write_secret(path, json.dumps(config))
        running.process.reload()
        for account, credential in made.items():
            client = await self._client(running.url, credential.seed)

            async def hear(message, account=account) -> None:
                # The server keeps births for those who come later: it is what Sparkplug 3.0 calls an aware one.
                if account != "DEVICES" or not message.subject.startswith(KEPT):
                    self.heard.setdefault(message.data.decode(), []).append((account, message.subject))

            await client.subscribe(">", cb=hear)
            await client.flush()
            self._clients.append(client)

    async def _client(self, url, seed):
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    return await nats.connect(url, nkeys_seed_str=seed, allow_reconnect=False)
                except (nats.errors.Error, OSError):
                    await asyncio.sleep(0.05)

    async def leave(self) -> None:
        for client in self._clients:
            await client.close()


@pytest.fixture
async def running(tmp_path):
    async with mine_bus(tmp_path, gateways=("edge1", "edge2"), mqtt=True) as running:
        yield running


async def test_what_devices_say_reaches_what_the_matrix_says_and_never_the_mine(running):
    admin = await running.connect("admin")
    before = [await admin.stream_state(stream) for stream in ALL]
    spies = Spies()
    await spies.come_in(running)
    expected: dict[str, list[tuple[str, str]]] = {}
    for column, user in USERS.items():
        login = (running.mqtt_port, user, running.credentials.mqtt_password(user))
        wire, wills = await Wire.open(*login), []
        for row in MATRIX:
            topic, cell = row["topic"], set(row[column]) - {"-"}
            assert cell <= set("plx"), row
            where = [("DEVICES", row["subject"])] if "p" in cell else []
            await wire.publish(topic, f"said {user} {topic}".encode())
            assert wire.alive == ("x" not in cell), f"{column} publishes {topic}"
            if not wire.alive:
                wire = await Wire.open(*login)
            assert await wire.subscribe(topic) == ("l" in cell), f"{column} subscribes to {topic}"
            if not wire.alive:
                wire = await Wire.open(*login)
            wills.append((topic, await Wire.open(*login, will=topic, saying=f"left {user} {topic}".encode())))
            if where:
                expected |= {f"{how} {user} {topic}": where for how in ("said", "left")}
        # Those that reach nobody first: when all that reach somebody have, the others have had their time.
        for topic, left in sorted(wills, key=lambda each: f"left {user} {each[0]}" in expected):
            assert left.alive or "x" in next(row for row in MATRIX if row["topic"] == topic)[column], topic
            left.drop()
        wire.drop()
    async with asyncio.timeout(WAIT_S):
        while not expected.keys() <= spies.heard.keys():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    said = {payload: where for payload, where in spies.heard.items() if payload.startswith(("said ", "left "))}
    assert said == expected
    after = [await admin.stream_state(stream) for stream in ALL]
    assert after == before
    await spies.leave()
    await admin.close()
