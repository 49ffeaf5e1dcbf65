"""Every subject for every process, against `subjects.csv`, which people wrote and reviewed, asked of a real server."""

from __future__ import annotations

import asyncio
import csv
import re
from pathlib import Path

import aiomqtt
import nats
import pytest

from bus import subjects
from bus.link import barrier
from bus.server import prepare
from middleplatform.access import users
from middleplatform.access.bus_keys import create_key, people
from middleplatform.access.policy import ROLES
from middleplatform.access.scope import Scope
from tests.servers import CODE, mine_bus

_WILD = re.compile(r"[*>]")
OTHER = "140581000001"
_SAID = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')


def rows() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "subjects.csv").read_text("utf-8").splitlines()
    found = list(csv.DictReader(line for line in text if not line.startswith("#")))
    return [
        {word.format(code=CODE, other=OTHER): cell.format(code=CODE, other=OTHER) for word, cell in row.items()}
        for row in found
    ]


MATRIX = rows()
USERS = [name for name in MATRIX[0] if name.startswith("user ")]
PROCESSES = [name for name in MATRIX[0] if name != "subject" and name not in USERS]


@pytest.fixture
async def running(tmp_path):
    async with mine_bus(tmp_path, gateways=("edge1", "edge2"), mqtt=True) as running:
        yield running


async def client_of(running, process):
    """A client without our own care, and what the server said to it."""
    said: list[str] = []
    return await come_in(running, running.credentials.processes[process], said), said


async def come_in(running, credential, said):
    async def on_error(error: Exception) -> None:
        said.append(str(error).lower())

    options = {"inbox_prefix": credential.inbox, "error_cb": on_error, "allow_reconnect": False}
    return await nats.connect(running.url, nkeys_seed_str=credential.seed, **options)


async def hold(client, said, who) -> None:
    """That one may exactly what the column says. What has a wildcard is no subject to publish."""
    acts = [(row, letter) for row in MATRIX for letter in ("l" if _WILD.search(row["subject"]) else "pl")]
    for row, letter in acts:
        if letter == "p":
            await client.publish(row["subject"], b"forged")
        else:
            await client.subscribe(row["subject"])
    await barrier(client, 10)
    refused = {found.groups() for each in said if (found := _SAID.search(each))}
    assert all(set(row[who]) <= set("pl-") for row in MATRIX)
    for row, letter in acts:
        act = {"p": "publish", "l": "subscription"}[letter]
        was = (act, row["subject"].lower()) not in refused
        assert was == (letter in row[who]), f"{who} {act} {row['subject']}"


async def test_each_process_may_what_the_matrix_says_and_nothing_else(running):
    assert set(running.credentials.processes) == set(PROCESSES), "a new process needs a column"
    for process in PROCESSES:
        client, said = await client_of(running, process)
        await hold(client, said, process)
        await client.close()


async def test_each_user_hears_what_the_matrix_says_and_says_nothing(running):
    home, made = running.home, {}
    for number, column in enumerate(USERS):
        role, *bounds = column.split()[1:]
        # Given while the user might, and narrowed after: what holds is what is then, not what was.
        name = f"user{number}"
        users.create_user(home, name, "right horse", "analyst")
        _, made[column] = create_key(home, CODE, name)
        users.set_role(home, name, role)
        users.set_scope(home, name, Scope.of({field: [bound] for field, bound in (each.split("=") for each in bounds)}))
    assert {column.split()[1] for column in USERS} == set(ROLES), "every role has a column"
    port = int(running.url.rpartition(":")[2])
    prepare(home, port=port, mqtt_port=running.mqtt_port, people=people(home, CODE), running=True)
    running.process.reload()
    first = next(column for column in USERS if any(row[column] != "-" for row in MATRIX))
    async with asyncio.timeout(20):
        while True:  # until the server has taken it
            try:
                await (await come_in(running, made[first], [])).close()
                break
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.05)
    for column, credential in made.items():
        if all(row[column] == "-" for row in MATRIX):
            with pytest.raises(nats.errors.Error, match="Authorization"):
                await come_in(running, credential, [])
            continue
        said: list[str] = []
        client = await come_in(running, credential, said)
        await hold(client, said, column)
        await client.close()


async def test_no_process_is_allowed_a_subject_of_the_mine_that_the_matrix_does_not_name(running):
    listed = {row["subject"] for row in MATRIX}
    for process in PROCESSES:
        allowed = running.credentials.permissions(process)
        for subject in (*allowed.publish, *allowed.subscribe):
            if subject.startswith("mine."):
                pattern = re.escape(subject).replace(r"\*", r"[^.]+").replace(r"\>", ".+").replace(">", ".+")
                assert any(re.fullmatch(pattern, each) for each in listed), f"{process}: {subject} needs a row"


async def test_a_device_on_mqtt_reaches_no_subject_of_the_mine(running):
    admin = await running.connect("admin")
    before = {stream: (await admin.stream_state(stream)).messages for stream in subjects.STREAMS}
    heard: list[str] = []

    async def hear(message) -> None:
        heard.append(message.subject)

    listening = []
    for process in PROCESSES:
        client, _ = await client_of(running, process)
        for row in MATRIX:
            if "l" in row[process]:
                await client.subscribe(row["subject"], cb=hear)
        await barrier(client)
        listening.append(client)
    device = aiomqtt.Client(
        "127.0.0.1",
        running.mqtt_port,
        username="simulator",
        password=running.credentials.mqtt_password("simulator"),
        identifier="forger",
    )
    async with device:
        for row in MATRIX:
            if row["subject"].startswith("mine."):
                await device.publish(row["subject"].replace(".", "/"), b"forged", qos=1)
    api = listening[PROCESSES.index("api")]
    await api.publish(subjects.command(CODE, "edge1"), b"own")
    for client in listening:
        await barrier(client)
    assert heard == [subjects.command(CODE, "edge1")], "what a process itself may say comes through, and nothing else"
    after = {stream: (await admin.stream_state(stream)).messages for stream in subjects.STREAMS}
    assert after == before
    for client in listening:
        await client.close()
    await admin.close()
