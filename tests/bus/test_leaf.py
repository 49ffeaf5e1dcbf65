"""An edge with its own bus server, joined to the mine's: what it keeps arrives once, and delays no present value."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from bus import sites, streams, subjects
from bus.config import Tls, Upstream
from bus.connection import Bus, BusUnavailable, NotPermitted
from tests.certificates import certificate
from tests.proxy import Proxy
from tests.servers import CODE, SMALL, mine_bus

SUBJECT = subjects.samples(CODE, "edge1")
LIVE = subjects.live(CODE, "edge1")


@asynccontextmanager
async def joined(tmp_path):
    """(mine's server, edge's server, the link between them), joined.

    The mine's streams are made last: made before the link stands, they ask again only after some 40 s.
    """
    async with (
        mine_bus(tmp_path / "mine", gateways=(), leaves={"edge1": ["edge1"]}, set_up=False) as mine,
        Proxy(mine.leaf_port) as link,
        mine_bus(
            tmp_path / "edge",
            gateways=("edge1",),
            name="edge1",
            upstream=Upstream(f"nats://127.0.0.1:{link.port}", mine.credentials.processes["leaf-edge1"]),
        ) as edge,
    ):
        gateway, api, admin = (
            await edge.connect("gateway-edge1"),
            await mine.connect("api"),
            await mine.connect("admin"),
        )
        through = asyncio.Event()

        async def handler(subject: str, data: bytes) -> None:
            through.set()

        await api.listen(LIVE, handler)
        async with asyncio.timeout(60):
            while not through.is_set():
                await gateway.live(LIVE, b"")
                await asyncio.sleep(0.05)
        await streams.ensure(admin, CODE, SMALL, edges={"edge1": ["edge1"]})
        for bus in (gateway, api, admin):
            await bus.close()
        yield mine, edge, link


async def until(condition, wait_s):
    """Seconds that it took until `await condition()` was true."""
    begun = time.monotonic()
    async with asyncio.timeout(wait_s):
        while not await condition():
            await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def messages_at(admin):
    return (await admin.stream_state(subjects.SAMPLES)).messages


async def test_kept_samples_arrive_once_and_live_values_at_once(tmp_path):
    async with joined(tmp_path) as (mine, edge, _):
        gateway = await edge.connect("gateway-edge1")
        store, api = await mine.connect("store"), await mine.connect("api")
        heard: list[float] = []

        async def handler(subject: str, data: bytes) -> None:
            heard.append(time.time() - float(data))

        await api.listen(subjects.live(CODE, "*"), handler)
        consumer = await store.consumer(subjects.SAMPLES, "store")
        for number in range(200):
            await gateway.publish(SUBJECT, str(number).encode(), f"edge1-{number}")
        got = []
        async with asyncio.timeout(60):
            while len(got) < 200:
                messages = await consumer.fetch(500, None, 1)
                got += [message.data for message in messages]
                await consumer.acknowledge(messages)
        assert got == [str(number).encode() for number in range(200)]
        assert await consumer.fetch(500, None, 0.5) == [], "nothing is kept twice"
        async with asyncio.timeout(30):  # at once when nothing else keeps both of us busy: one that is held never is
            while not heard or min(heard) >= 0.2:
                await gateway.live(LIVE, str(time.time()).encode())
                await asyncio.sleep(0.1)
        for bus in (gateway, store, api):
            await bus.close()


async def test_the_link_is_encrypted_where_a_certificate_is_given(tmp_path):
    pem, key = certificate(tmp_path, (), ["127.0.0.1"])
    (tmp_path / "stranger").mkdir()
    foreign, _ = certificate(tmp_path / "stranger", (), ["127.0.0.1"])
    leaves = {"edge1": ["edge1"]}

    async with mine_bus(
        tmp_path / "mine", gateways=(), leaves=leaves, leaf_tls=Tls(str(pem), str(key)), set_up=False
    ) as mine:
        proof = mine.credentials.processes["leaf-edge1"]
        api = await mine.connect("api")
        heard: list[bytes] = []

        async def handler(subject: str, data: bytes) -> None:
            heard.append(data)

        await api.listen(LIVE, handler)
        address = f"127.0.0.1:{mine.leaf_port}"
        for name, upstream, joins in (
            ("plain", Upstream(f"nats://{address}", proof), False),
            ("foreign", Upstream(f"tls://{address}", proof, str(foreign)), False),
            ("right", Upstream(f"tls://{address}", proof, str(pem)), True),
        ):
            heard.clear()
            async with mine_bus(tmp_path / name, gateways=("edge1",), name="edge1", upstream=upstream) as edge:
                gateway = await edge.connect("gateway-edge1")
                for _ in range(300 if joins else 30):
                    await gateway.live(LIVE, name.encode())
                    await asyncio.sleep(0.1)
                    if heard:
                        break
                assert (heard[:1] == [name.encode()]) == joins, (name, heard, list(edge.process.log)[-5:])
                await gateway.close()
        await api.close()


async def test_a_command_goes_down_and_its_answer_up(tmp_path):
    async with joined(tmp_path) as (mine, edge, _):
        gateway, api = await edge.connect("gateway-edge1"), await mine.connect("api")

        async def answer(_: str, data: bytes) -> bytes:
            return b"executed " + data

        await gateway.answer(subjects.command(CODE, "edge1"), answer)
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await api.request(subjects.command(CODE, "edge1"), b"1", 1) == b"executed 1"
                    break
                except BusUnavailable:
                    await asyncio.sleep(0.1)
        await gateway.close()
        await api.close()


async def test_a_leaf_credential_opens_no_other_door(tmp_path):
    async with joined(tmp_path) as (mine, edge, _):
        for url in (mine.url, f"nats://127.0.0.1:{mine.leaf_port}"):
            with pytest.raises((NotPermitted, BusUnavailable)):
                await Bus.connect(url, mine.credentials.processes["leaf-edge1"], wait_s=1)
        for process in ("store", "gateway-edge1"):
            with pytest.raises(NotPermitted):
                await Bus.connect(mine.url, edge.credentials.processes[process], wait_s=5)


async def test_an_edge_sends_nothing_up_that_is_not_its_own(tmp_path):
    """Even who holds the edge's box whole cannot reach the mine's streams or another gateway's values."""
    async with joined(tmp_path) as (mine, edge, _):
        api, admin = await mine.connect("api"), await mine.connect("admin")
        heard: list[str] = []

        async def handler(subject: str, data: bytes) -> None:
            heard.append(subject)

        await api.listen(subjects.live(CODE, "*"), handler)
        before = await admin.stream_state(subjects.SAFETY)
        path = edge.process.config.path
        config = json.loads(path.read_text())
        intruder = next(u for u in config["accounts"]["MINE"]["users"] if "admin" in str(u["permissions"]))
        intruder["permissions"] = {"publish": [">"], "subscribe": [">"]}
        remote = config["leafnodes"]["remotes"][0]
        del remote["deny_exports"], remote["deny_imports"]
        await edge.process.stop()
        path.write_text(json.dumps(config))
        await edge.process.start()
        rogue = await edge.connect("admin")
        async with asyncio.timeout(60):
            while LIVE not in heard:
                for subject in (
                    subjects.safety(CODE, "edge2"),
                    subjects.live(CODE, "edge2"),
                    LIVE,
                ):
                    await rogue.live(subject, b"forged")
                domain = subjects.domain_of("mine", CODE)
                await rogue.live(f"$JS.{domain}.API.STREAM.DELETE.SAFETY", b"")
                await rogue.live(f"$JS.{domain}.API.STREAM.PURGE.SAFETY", b"")
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        assert set(heard) == {LIVE}
        assert await admin.stream_state(subjects.SAFETY) == before
        for bus in (api, admin, rogue):
            await bus.close()


async def cut_and_resume(tmp_path, outage_s, wait_s):
    async with joined(tmp_path) as (mine, edge, link):
        gateway, admin, api = (
            await edge.connect("gateway-edge1"),
            await mine.connect("admin"),
            await mine.connect("api"),
        )
        first_live = asyncio.Event()

        async def handler(subject: str, data: bytes) -> None:
            if data == b"after":
                first_live.set()

        await api.listen(subjects.live(CODE, "*"), handler)
        for number in range(100):
            await gateway.publish(SUBJECT, b"." * 1000, f"edge1-{number}")
        began = await until(lambda: _count(admin, 100), 60)

        await link.cut()
        number = 100
        end = time.monotonic() + outage_s
        while time.monotonic() < end:
            await gateway.publish(SUBJECT, b"." * 1000, f"edge1-{number}")
            number += 1
            await asyncio.sleep(0.01)
        assert await messages_at(admin) == 100
        await link.mend()
        mended = time.monotonic()

        async def tell() -> None:
            while not first_live.is_set():
                await gateway.live(LIVE, b"after")
                await asyncio.sleep(0.05)

        telling = asyncio.create_task(tell())
        live_s = await until(lambda: _is_set(first_live), 60)
        await telling
        await until(lambda: _count(admin, number), wait_s)
        kept_s = time.monotonic() - mended
        await asyncio.sleep(1)
        assert await messages_at(admin) == number, "none lost, none doubled"
        print(f"\nsource begins {began:.1f} s; after a cut of {outage_s} s: live {live_s:.1f} s, kept {kept_s:.1f} s")
        for bus in (gateway, admin, api):
            await bus.close()


async def _count(admin, number):
    return await messages_at(admin) >= number


async def _answered(asker, where, data):
    """Its answer, once the mine's server has heard from the edge's that there is who answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await asker.request(where, data, 10.0)
            except BusUnavailable:
                await asyncio.sleep(0.1)


async def _is_set(event):
    return event.is_set()


async def test_a_short_cut_of_the_link_loses_and_doubles_nothing(tmp_path):
    await cut_and_resume(tmp_path, 3, 60)


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("outage_s", [5, 20, 60])
async def test_a_long_cut_of_the_link_loses_and_doubles_nothing(tmp_path, outage_s):
    await cut_and_resume(tmp_path, outage_s, 150)


async def test_orders_questions_and_the_sites_versions_reach_a_gateway_behind_its_edge(tmp_path):
    async with joined(tmp_path) as (mine, edge, _):
        gateway = await edge.connect("gateway-edge1")

        async def echo(subject: str, data: bytes) -> bytes:
            return subject.encode() + b" " + data

        await gateway.answer(subjects.command(CODE, "edge1"), echo)
        await gateway.answer(subjects.question(CODE, "edge1"), echo)
        async with await mine.connect("operator") as operator, await mine.connect("engineer") as engineer:
            for asker, subject in ((operator, subjects.command), (engineer, subjects.question)):
                where = subject(CODE, "edge1")
                assert await _answered(asker, where, b"x") == where.encode() + b" x"
            folder = tmp_path / "site"
            folder.mkdir()
            (folder / "site.yaml").write_text("code: 1\n")
            await sites.publish(engineer, CODE, sites.pack(folder), "x")
            with pytest.raises(BusUnavailable, match="not found"):
                await sites.numbers(gateway)
            there = subjects.domain_of("mine", CODE)
            assert list(await sites.numbers(gateway, there)) == [1]
            assert (await sites.fetch(gateway, 1, there)).data == sites.pack(folder)
        await gateway.close()
