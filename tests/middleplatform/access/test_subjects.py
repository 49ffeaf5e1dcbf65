"""Every subject for every process, against `subjects.csv`, which people wrote and reviewed, asked of a real server."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import aiomqtt
import nats
import pytest

from bus import subjects
from bus.link import barrier
from tests.servers import CODE, mine_bus

OTHER = "140581000001"
_SAID = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"')


def rows() -> list[dict[str, str]]:
    text = (Path(__file__).parent / "subjects.csv").read_text("utf-8").splitlines()
    found = list(csv.DictReader(line for line in text if not line.startswith("#")))
    for row in found:
        row["subject"] = row["subject"].format(code=CODE, other=OTHER)
    return found


MATRIX = rows()
PROCESSES = [name for name in MATRIX[0] if name != "subject"]


@pytest.fixture
async def running(tmp_path):
    async with mine_bus(tmp_path, gateways=("edge1", "edge2"), mqtt=True) as running:
        yield running


async def client_of(running, process):
    """A client without our own care, and what the server said to it."""
    said: list[str] = []

    async def on_error(error: Exception) -> None:
        said.append(str(error).lower())

    credential = running.credentials.processes[process]
    options = {"inbox_prefix": credential.inbox, "error_cb": on_error}
    return await nats.connect(running.url, nkeys_seed_str=credential.seed, **options), said


async def test_each_process_may_what_the_matrix_says_and_nothing_else(running):
    assert set(running.credentials.processes) == set(PROCESSES), "a new process needs a column"
    for process in PROCESSES:
        client, said = await client_of(running, process)
        for row in MATRIX:
            await client.publish(row["subject"], b"forged")
            await client.subscribe(row["subject"])
        await barrier(client, 10)
        await client.close()
        refused = {found.groups() for each in said if (found := _SAID.search(each))}
        for row in MATRIX:
            allowed = set(row[process]) - {"-"}
            assert allowed <= {"p", "l"}
            for letter, act in (("p", "publish"), ("l", "subscription")):
                was = (act, row["subject"].lower()) not in refused
                assert was == (letter in allowed), f"{process} {act} {row['subject']}"


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
