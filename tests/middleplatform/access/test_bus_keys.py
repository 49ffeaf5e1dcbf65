"""Users who hear the bus: what a real server lets their credentials do, and when it lets them no longer."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text, update
from typer.testing import CliRunner

import simulators
from bus import certificates, credentials, subjects
from bus.connection import Bus, NotPermitted
from bus.server import prepare, wait_ready
from middleplatform.access import users
from middleplatform.access.bus_keys import create_key, list_keys, people, revoke_key
from middleplatform.access.errors import AccessError
from middleplatform.access.policies import NO_CHANGE, apply_policy
from middleplatform.access.scope import Scope
from middleplatform.audit.log import entries
from middleplatform.database import connect
from middleplatform.database.tables.access import bus_keys
from sevenones import hearing
from sevenones.commands import user
from tests.ports import free_port
from tests.servers import CODE, mine_bus

SITE = Path(simulators.__file__).parent / "mines" / "demo"
OTHER = "140581000001"
WAIT_S = 30


@pytest.mark.parametrize(
    ("role", "scope", "said"),
    [
        ("operator", {}, "may not hear the bus"),
        ("bureau", {}, "may not hear the bus"),
        ("analyst", {"mines": [OTHER]}, f"without the mine {CODE}"),
        ("analyst", {"areas": ["east"]}, "bounded by areas"),
        ("administrator", {"subsystems": ["transport"]}, "bounded by subsystems"),
        ("engineer", {"classes": ["statutory", "events"]}, "bounded by classes"),
        ("engineer", {"mines": [CODE], "areas": ["east"], "classes": ["events"]}, "bounded by areas, classes"),
    ],
)
def test_what_subjects_cannot_tell_apart_is_refused_and_not_widened(tmp_path, role, scope, said):
    users.create_user(tmp_path, "zhang", "right horse", role, Scope.of(scope))
    with pytest.raises(AccessError, match=said) as refused:
        create_key(tmp_path, CODE, "zhang")
    assert " · " in str(refused.value)
    assert list_keys(tmp_path, CODE) == [] and people(tmp_path, CODE) == []


@pytest.mark.parametrize(
    ("scope", "role", "heard"),
    [
        ({}, "analyst", {"live.*", "state.*"}),
        ({"mines": [OTHER, CODE]}, "engineer", {"live.*", "state.*"}),
        ({"classes": ["bulk", "statutory"]}, "administrator", {"live.*", "state.*"}),
    ],
)
def test_role_and_scope_say_what_is_heard(tmp_path, scope, role, heard):
    users.create_user(tmp_path, "zhang", "right horse", role, Scope.of(scope))
    number, made = create_key(tmp_path, CODE, "zhang")
    (person,) = people(tmp_path, CODE)
    assert (person.name, person.public) == ("zhang", made.public)
    assert set(person.permissions.subscribe) == {f"mine.{CODE}.{each}" for each in heard}
    assert person.permissions.publish == () and not person.permissions.answers
    assert person.permissions.as_config()["publish"] == {"deny": [">"]}
    assert [(key.id, key.refused) for key in list_keys(tmp_path, CODE)] == [(number, "")]
    kept = entries(tmp_path, what="bus_key.")
    assert [(each.what, each.about) for each in kept] == [("bus_key.add", "zhang")]
    assert made.seed not in (kept[0].after or "") and made.seed not in repr(made)


def test_what_opened_something_opens_it_only_while_it_holds(place):
    """Role, scope, policy, password, expiry, revocation and removal are asked anew each time."""
    users.create_user(place, "olga", "right horse", "administrator")
    users.create_user(place, "zhang", "right horse", "analyst")
    create_key(place, CODE, "zhang", 1)

    def heard():
        return [set(person.permissions.subscribe) for person in people(place, CODE)]

    live, state = subjects.live(CODE, "*"), subjects.state(CODE, "*")
    assert heard() == [{live, state}]
    users.set_role(place, "zhang", "bureau")
    assert heard() == []
    apply_policy(place, "roles: {bureau: {add: [bus.hear]}}", "olga")
    assert heard() == [{live}], "a bureau reads no figures of the platform"
    apply_policy(place, "roles: {bureau: {add: [bus.hear], remove: [live.read]}}", "olga")
    assert heard() == [] and "nothing that is on the bus" in list_keys(place, CODE)[0].refused
    apply_policy(place, NO_CHANGE, "olga")
    users.set_role(place, "zhang", "analyst")
    users.set_scope(place, "zhang", Scope.of({"areas": ["east"]}))
    assert heard() == []
    users.set_scope(place, "zhang", Scope.of({}))
    users.set_password(place, "zhang", "another horse", must_change=True)
    assert heard() == [] and "initial password" in list_keys(place, CODE)[0].refused
    with pytest.raises(AccessError, match="initial password"):
        create_key(place, CODE, "zhang")
    users.set_password(place, "zhang", "a horse of my own")
    assert heard() == [{live, state}]
    with connect(place).begin() as connection:
        connection.execute(update(bus_keys).values(expires=time.time_ns() // 1000 - 1))
    assert heard() == [] and "expired" in list_keys(place, CODE)[0].refused
    second, _ = create_key(place, CODE, "zhang")
    assert revoke_key(place, second) and revoke_key(place, second) and not revoke_key(place, second + 1)
    assert heard() == [] and "revoked" in list_keys(place, CODE)[1].refused
    create_key(place, CODE, "zhang")
    users.remove_user(place, "zhang")
    users.create_user(place, "zhang", "right horse", "administrator")
    assert heard() == [], "who comes later under the same name has not the keys of the one before"
    assert [each.what for each in reversed(entries(place, what="bus_key."))] == [
        "bus_key.add", "bus_key.add", "bus_key.revoke", "bus_key.add",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, -1, 3651, float("nan"), float("inf")])
def test_a_credential_has_an_end(tmp_path, days):
    users.create_user(tmp_path, "zhang", "right horse", "analyst")
    with pytest.raises(AccessError, match="at most 3650 days"):
        create_key(tmp_path, CODE, "zhang", days)


class Bench:
    """A mine's bus that follows the relational store, and what it was told."""

    def __init__(self, running):
        self.running = running
        port, mqtt = int(running.url.rsplit(":", 1)[1]), running.mqtt_port
        self._prepare = partial(prepare, running.home, port=port, mqtt_port=mqtt, running=True)
        self.let_in: list[list[str]] = []

    def take(self, found):
        self._prepare(people=found)
        self.running.process.reload()
        self.let_in.append([person.name for person in found])


@pytest.fixture
async def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(hearing, "LOOK_S", 0.05)
    async with mine_bus(tmp_path, gateways=("edge1",), mqtt=True) as running:
        bench = Bench(running)
        task = asyncio.create_task(hearing.follow(tmp_path, CODE, bench.take))
        yield bench
        task.cancel()


async def eventually(met, what):
    async with asyncio.timeout(WAIT_S):
        while not met():
            await asyncio.sleep(0.02)
    assert met(), what


async def come_in(url, made):
    """A connection, once the server has taken the credential."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await Bus.connect(url, made, wait_s=10)
            except NotPermitted:
                await asyncio.sleep(0.05)


async def test_who_is_let_in_hears_and_says_nothing_and_is_cut_off_when_it_ends(bench):
    running, home = bench.running, bench.running.home
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    consumer = await store.consumer(subjects.SAMPLES, "store")
    users.create_user(home, "zhang", "right horse", "analyst")
    number, made = create_key(home, CODE, "zhang")
    person = await come_in(running.url, made)
    heard: list[str] = []

    async def hear(subject, data):
        heard.append(subject)

    await person.listen(subjects.live(CODE, "*"), hear)
    await person.listen(subjects.state(CODE, "*"), hear)
    await gateway.live(subjects.live(CODE, "edge1"), b"x")
    await gateway.live(subjects.state(CODE, "gateway-edge1"), b"{}")
    await eventually(lambda: len(heard) == 2, "live values and a heartbeat")
    for subject in (subjects.samples(CODE, "edge1"), subjects.events(CODE, "manual"), subjects.live(CODE, "edge1")):
        with pytest.raises(NotPermitted):
            await person.publish(subject, b"forged", "1")
    with pytest.raises(NotPermitted):
        await person.consumer(subjects.SAMPLES, "mine")
    for subject in (subjects.samples(CODE, "*"), subjects.live(OTHER, "*"), subjects.command(CODE, "*"), ">"):
        with pytest.raises(NotPermitted):
            await person.listen(subject, hear)
    # Revoked while it is used: cut off, and not let in again; the mine's own processes notice nothing.
    assert revoke_key(home, number)
    await eventually(lambda: not person.connected, "cut off")
    with pytest.raises(NotPermitted):
        await Bus.connect(running.url, made, wait_s=10)
    await gateway.publish(subjects.samples(CODE, "edge1"), b"x", "edge1-1")
    (message,) = await consumer.fetch(10, None, 5)
    await consumer.acknowledge([message])
    assert (gateway.reconnects, store.reconnects) == (0, 0)
    assert bench.let_in == [["zhang"], []]
    for bus in (person, gateway, store):
        await bus.close()


async def test_nobody_stays_in_whose_leave_cannot_be_read(bench):
    home = bench.running.home
    users.create_user(home, "zhang", "right horse", "analyst")
    _, made = create_key(home, CODE, "zhang")
    person = await come_in(bench.running.url, made)
    with connect(home).begin() as connection:
        connection.execute(text("UPDATE users SET scope = 'rubbish'"))
    await eventually(lambda: not person.connected, "cut off")
    with connect(home).begin() as connection:
        connection.execute(text("UPDATE users SET scope = NULL"))
    await eventually(lambda: person.connected, "back by itself")
    await person.close()


@pytest.mark.processes
async def test_the_commands_let_a_user_in_by_tls_and_the_seed_is_in_one_file_alone(tmp_path):
    home, port = tmp_path / "home", free_port()
    home.mkdir(0o700)
    certificates.init(home)
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "bus", "--site", str(SITE), "--home", str(home), "--port", str(port)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_ready(f"nats://127.0.0.1:{port}", 60)
        users.create_user(home, "zhang", "right horse", "engineer")

        def run(*words):
            return CliRunner().invoke(user.app, ["bus", *words, "--home", str(home)], env={"COLUMNS": "200"})

        file = tmp_path / "zhang.json"
        done = run("add", "zhang", "--to", str(file), "--days", "1")
        assert done.exit_code == 0, done.output
        made = credentials.Credential.load(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and made.tls is not None
        assert run("add", "zhang", "--to", str(file)).exit_code == 1, "a file that is there stays"
        person = await come_in(f"nats://127.0.0.1:{port}", made)
        assert made.public in run("list").output and made.seed not in done.output
        everywhere = [path for path in home.rglob("*") if path.is_file()]
        assert [path for path in everywhere if made.seed.encode() in path.read_bytes()] == []
        accounts = json.loads((home / "bus" / "mine" / "server.conf").read_text())["accounts"]
        (theirs,) = [each for each in accounts["MINE"]["users"] if each["nkey"] == made.public]
        assert theirs["allowed_connection_types"] == ["STANDARD"], "neither a device nor an edge comes in by it"
        assert run("revoke", "1").exit_code == 0 and run("revoke", "9").exit_code == 1
        await eventually(lambda: not person.connected, "cut off")
        await person.close()
    finally:
        command.terminate()
        await asyncio.wait_for(command.wait(), 30)
