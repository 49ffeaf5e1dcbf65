"""Every credential can do its task and nothing else: each refusal is asked of a real server."""

import asyncio
import json
import secrets
import stat
from dataclasses import replace

import aiomqtt
import nats
import nkeys
import pytest

from bus import credentials, subjects
from bus.connection import Bus, BusUnavailable, NotPermitted
from bus.link import barrier
from tests.servers import CODE, mine_bus


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def running(home):
    async with mine_bus(home, gateways=("edge1", "edge2"), mqtt=True) as running:
        yield running


async def raw(running, process, **options):
    """A client without our own care: what an intruder with that credential would use."""
    errors: list[str] = []

    async def on_error(error: Exception) -> None:
        errors.append(str(error))

    credential = running.credentials.processes[process]
    options.setdefault("inbox_prefix", credential.inbox)
    client = await nats.connect(running.url, nkeys_seed_str=credential.seed, error_cb=on_error, **options)
    return client, errors


async def quiet(_: Exception) -> None:
    return


async def test_nobody_comes_in_without_a_credential(running):
    for options in (
        {},
        {"user": "gateway", "password": running.credentials.mqtt_password("gateway")},
        {"token": "edge1"},
    ):
        with pytest.raises(nats.errors.Error):
            await nats.connect(running.url, allow_reconnect=False, max_reconnect_attempts=1, error_cb=quiet, **options)


async def test_a_wrong_key_is_refused_in_plain_words(running):
    stranger = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER).decode()
    credential = replace(running.credentials.processes["store"], seed=stranger)
    with pytest.raises(NotPermitted, match="refused the credential of 'store'"):
        await Bus.connect(running.url, credential, wait_s=10)


KEPT = (subjects.samples, subjects.safety, subjects.events)


@pytest.mark.parametrize(
    ("process", "refused"),
    [
        ("gateway-edge1", [kind(CODE, "edge2") for kind in (*KEPT, subjects.live, subjects.command)]),
        ("gateway-edge1", [subjects.state(CODE, "gateway-edge2"), subjects.command(CODE, "edge1")]),
        ("gateway-edge1", [kind("140581000001", "edge1") for kind in KEPT]),
        ("store", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command)]),
        ("watch", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live)]),
        ("mirror", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command)]),
        ("api", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live)]),
        ("gateway-edge1", [kind(CODE, "manual") for kind in (*KEPT, subjects.live)]),
        ("operator", [kind(CODE, "manual") for kind in KEPT]),
        ("api", [kind("140581000001", "manual") for kind in KEPT]),
        ("cli", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command, subjects.state)]),
        ("operator", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.state)]),
        ("operator", [subjects.command("140581000001", "edge1"), subjects.command("140581000001", "edge2")]),
        ("simulator", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command, subjects.state)]),
        ("simulator", [subjects.fault(CODE), "_INBOX_api.x"]),
        ("trainer", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command, subjects.state)]),
        ("trainer", [subjects.fault("140581000001")]),
        ("operator", [subjects.fault(CODE)]),
        ("admin", [kind(CODE, "edge1") for kind in (*KEPT, subjects.live, subjects.command, subjects.state)]),
    ],
)
async def test_a_process_cannot_publish_for_another(running, process, refused):
    client, errors = await raw(running, process)
    for subject in refused:
        await client.publish(subject, b"forged")
    await barrier(client)
    assert len(errors) == len(refused), errors
    for subject, error in zip(refused, errors, strict=True):
        # The client hands on the server's words in small letters.
        assert "permissions violation for publish" in error and f'"{subject.lower()}"' in error.lower()
    await client.close()
    admin = await running.connect("admin")
    for stream in subjects.STREAMS:
        assert (await admin.stream_state(stream)).messages == 0
    await admin.close()


@pytest.mark.parametrize(
    ("process", "refused"),
    [
        ("gateway-edge1", [subjects.samples(CODE, "edge2"), subjects.command(CODE, "edge2"), "_INBOX_gateway-edge2.>"]),
        ("gateway-edge1", [subjects.state(CODE, "*"), "_INBOX_api.>", "_INBOX.>", "$JS.API.>", ">", "*.>"]),
        ("store", [subjects.samples(CODE, "*"), "_INBOX_watch.>", "*.>", ">"]),
        ("watch", ["_INBOX_store.>", "mine.>"]),
        ("mirror", [subjects.samples(CODE, "*"), subjects.live(CODE, "*"), "_INBOX_store.>", ">"]),
        ("api", [subjects.samples(CODE, "*"), "_INBOX_gateway-edge1.>", subjects.command(CODE, "*"), "mine.>"]),
        ("cli", [subjects.samples(CODE, "*"), "_INBOX_api.>", subjects.command(CODE, "*")]),
        ("operator", [subjects.samples(CODE, "*"), "_INBOX_api.>", subjects.command(CODE, "*"), ">"]),
        ("simulator", [subjects.samples(CODE, "*"), subjects.command(CODE, "*"), "_INBOX_trainer.>", ">"]),
        ("trainer", [subjects.fault(CODE), subjects.live(CODE, "*"), "_INBOX_api.>", ">"]),
        ("admin", [subjects.samples(CODE, "*"), subjects.live(CODE, "*"), "_INBOX_api.>"]),
    ],
)
async def test_a_process_cannot_listen_to_another(running, process, refused):
    client, errors = await raw(running, process)
    for subject in refused:
        await client.subscribe(subject)
    await barrier(client)
    assert len(errors) == len(refused), errors
    assert all("permissions violation for subscription" in error for error in errors)
    await client.close()


@pytest.mark.parametrize(
    ("process", "verb"),
    [
        (process, verb)
        for process in ("api", "cli", "operator", "gateway-edge1")
        for verb in ("CONSUMER.CREATE.SAMPLES.mine", "CONSUMER.MSG.NEXT.SAMPLES.store", "STREAM.MSG.GET.SAMPLES")
    ]
    + [("store", "CONSUMER.MSG.NEXT.SAMPLES.watch"), ("store", "CONSUMER.CREATE.SAMPLES.other")]
    + [("store", "STREAM.DELETE.SAMPLES"), ("store", "STREAM.PURGE.SAMPLES"), ("store", "STREAM.UPDATE.SAMPLES")]
    + [("mirror", "CONSUMER.MSG.NEXT.SAMPLES.store"), ("mirror", "STREAM.PURGE.SAMPLES")]
    + [("watch", "CONSUMER.MSG.NEXT.SAMPLES.store"), ("gateway-edge1", "STREAM.CREATE.MORE")]
    + [("admin", "STREAM.DELETE.SAMPLES"), ("admin", "STREAM.PURGE.SAMPLES"), ("admin", "STREAM.MSG.GET.SAMPLES")]
    + [("admin", "CONSUMER.CREATE.SAMPLES.mine"), ("admin", "STREAM.CREATE.MORE")],
)
async def test_streams_and_consumers_are_for_those_who_own_them(running, process, verb):
    client, errors = await raw(running, process)
    await client.publish(f"$JS.API.{verb}", json.dumps({"config": {"name": "x"}}).encode())
    await barrier(client)
    assert len(errors) == 1 and "permissions violation" in errors[0]
    await client.close()


async def test_our_own_calls_say_at_once_what_is_not_permitted(running):
    loop = asyncio.get_running_loop()
    begun = loop.time()
    api, store, cli = [await running.connect(process) for process in ("api", "store", "cli")]
    with pytest.raises(NotPermitted, match="'store' may not publish"):
        await store.publish(subjects.samples(CODE, "edge1"), b"x", "edge1-1")
    with pytest.raises(NotPermitted):
        await api.consumer(subjects.SAMPLES, "store")

    async def handler(subject: str, data: bytes) -> None:
        raise AssertionError(subject)

    with pytest.raises(NotPermitted, match="'cli' may not subscribe"):
        await cli.listen(subjects.samples(CODE, "*"), handler)
    assert loop.time() - begun < 4
    for bus in (api, store, cli):
        assert bus.connected
        await bus.close()


async def test_each_process_can_do_its_task(running):
    names = ("gateway-edge1", "gateway-edge2", "store", "watch", "api", "cli")
    buses = {name: await running.connect(name) for name in names}
    heard: list[str] = []

    async def handler(subject: str, data: bytes) -> None:
        heard.append(subject)

    for name in ("api", "cli"):
        await buses[name].listen(subjects.live(CODE, "*"), handler)
        await buses[name].listen(subjects.state(CODE, "*"), handler)
    for gateway in ("edge1", "edge2"):
        bus = buses[f"gateway-{gateway}"]
        for kind in KEPT:
            await bus.publish(kind(CODE, gateway), b"x", f"{gateway}-1")
        await bus.live(subjects.live(CODE, gateway), b"x")
        await bus.live(subjects.state(CODE, f"gateway-{gateway}"), b"{}")
        assert (await bus.stream_state("SAMPLES")).max_bytes > 0
    for process in ("store", "watch"):
        for stream in subjects.STREAMS:
            consumer = await buses[process].consumer(stream, process)
            sources: list[str] = []
            async with asyncio.timeout(20):
                while len(sources) < 2:  # a fetch ends with what has come
                    messages = await consumer.fetch(10, None, 2)
                    sources += [subjects.source_of(message.subject) for message in messages]
                    await consumer.acknowledge(messages)
            assert sorted(sources) == ["edge1", "edge2"]
        await buses[process].live(subjects.state(CODE, process), b"{}")
    async with asyncio.timeout(20):
        while len(heard) < 2 * 6:
            await asyncio.sleep(0.05)
    assert len(heard) == 2 * 6 and len(set(heard)) == 6
    for bus in buses.values():
        await bus.close()


async def test_a_device_cannot_forge_samples_over_mqtt(running):
    made, got = running.credentials, []
    admin = await running.connect("admin")
    before = {stream: (await admin.stream_state(stream)).messages for stream in subjects.STREAMS}
    gateway = aiomqtt.Client(
        "127.0.0.1", running.mqtt_port, username="gateway", password=made.mqtt_password("gateway"), identifier="gw"
    )
    device = aiomqtt.Client(
        "127.0.0.1", running.mqtt_port, username="simulator", password=made.mqtt_password("simulator")
    )
    api = await running.connect("api")

    async def handler(subject: str, data: bytes) -> None:
        raise AssertionError(f"a device reached {subject}")

    await api.listen(subjects.live(CODE, "*"), handler)
    async with gateway, device:
        await gateway.subscribe("mine/#", qos=1)
        for topic in ("samples/edge1", "safety/edge1", "events/edge1", "live/edge1"):
            await device.publish(f"mine/{CODE}/{topic}", b"forged", qos=1)
        async with asyncio.timeout(10):
            async for message in gateway.messages:
                got.append(str(message.topic))
                if len(got) == 4:
                    break
    assert f"mine/{CODE}/samples/edge1" in got
    after = {stream: (await admin.stream_state(stream)).messages for stream in subjects.STREAMS}
    assert after == before
    await admin.close()
    await api.close()


async def test_mqtt_refuses_strangers_and_a_device_reads_nothing(running):
    made = running.credentials
    for login in ({}, {"username": "gateway", "password": "wrong"}, {"username": "nobody", "password": "x"}):
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", running.mqtt_port, timeout=5, **login):
                pass
    device = aiomqtt.Client(
        "127.0.0.1", running.mqtt_port, username="simulator", password=made.mqtt_password("simulator")
    )
    async with device:
        (code,) = await device.subscribe("mine/#", qos=1)
        assert code.is_failure


async def test_a_sparkplug_host_and_its_nodes_meet_on_the_bus_and_each_says_only_its_own(running):
    made = running.credentials

    def client(user, name):
        password = made.mqtt_password(user)
        return aiomqtt.Client("127.0.0.1", running.mqtt_port, username=user, password=password, identifier=name)

    async def heard(of, many):
        found = []
        async with asyncio.timeout(10):
            async for message in of.messages:
                found.append(str(message.topic))
                if len(found) == many:
                    return found
        raise AssertionError(found)

    births = [f"spBv1.0/{CODE}/{kind}" for kind in ("NBIRTH/fans", "DBIRTH/fans/fan_1", "DDATA/fans/fan_1")]
    orders = [f"spBv1.0/{CODE}/NCMD/fans", f"spBv1.0/{CODE}/DCMD/fans/fan_1"]
    async with client("gateway", "host") as host, client("simulator", "node") as node:
        (code,) = await host.subscribe("spBv1.0/#", qos=1)
        assert not code.is_failure
        for topic in (f"spBv1.0/{CODE}/NCMD/fans", f"spBv1.0/{CODE}/DCMD/fans/+", "spBv1.0/STATE/host"):
            (code,) = await node.subscribe(topic, qos=1)
            assert not code.is_failure, topic
        for topic in births:
            await node.publish(topic, b"x")
        assert await heard(host, 3) == births
        await host.publish("spBv1.0/STATE/host", b"{}", qos=1)
        for topic in orders:
            await host.publish(topic, b"x")
        # The state goes by the server's store for QoS 1 and the orders do not: either may come first.
        got = await heard(node, 3)
        assert sorted(got) == sorted(["spBv1.0/STATE/host", *orders])
        assert [topic for topic in got if topic in orders] == orders

    async with client("gateway", "host2") as host, client("simulator", "node2") as node:
        (code,) = await node.subscribe(f"spBv1.0/{CODE}/DDATA/#", qos=1)
        assert code.is_failure, "a node does not hear what others say"
        await host.subscribe("spBv1.0/#", qos=1)
        await host.subscribe("mine/#", qos=1)
        # Each forges what is the other's, and then says something of its own, which alone arrives.
        await host.publish(f"spBv1.0/{CODE}/DDATA/fans/fan_1", b"forged")
        await host.publish("mine/pump/state", b"forged")
        await host.publish(orders[0], b"x")
        assert await heard(host, 1) == [orders[0]]
        await node.publish(orders[1], b"forged")
        await node.publish(births[0], b"x")
        assert await heard(host, 1) == [births[0]]


def test_credentials_are_kept_and_for_their_owner_only(tmp_path):
    first = credentials.make_all(tmp_path, CODE, ["edge1"])
    second = credentials.make_all(tmp_path, CODE, ["edge1", "edge2"])
    assert second.processes["store"] == first.processes["store"]
    assert second.mqtt == first.mqtt
    assert credentials.load_all(tmp_path).gateways == ("edge1", "edge2")
    files = list((tmp_path / "bus" / "credentials").iterdir())
    assert files and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert stat.S_IMODE((tmp_path / "bus" / "credentials").stat().st_mode) == 0o700
    seed = first.processes["store"].seed
    assert seed not in repr(first) and first.mqtt_password("gateway") not in repr(first)


@pytest.mark.parametrize("name", ["a.b", ">", "*", "", "A", "a b"])
def test_a_gateway_name_that_would_be_a_wildcard_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="cannot name a gateway"):
        credentials.make_all(tmp_path, CODE, [name])


async def test_no_secret_lies_in_the_configuration_or_the_arguments(running):
    text = running.process.config.path.read_text()
    made = running.credentials
    for secret in (
        *(credential.seed for credential in made.processes.values()),
        *(user.password for user in made.mqtt.values()),
    ):
        assert secret not in text
        assert all(secret not in argument for argument in running.process.config.argv)
    assert stat.S_IMODE(running.process.config.path.stat().st_mode) == 0o600


async def test_a_missing_stream_is_unavailable_not_lost(tmp_path):
    async with mine_bus(tmp_path, set_up=False) as running:
        gateway = await running.connect("gateway-edge1")
        with pytest.raises(BusUnavailable):
            await gateway.publish(subjects.samples(CODE, "edge1"), b"x", "edge1-1", timeout=2)
        await gateway.close()
