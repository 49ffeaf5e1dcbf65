"""Publishing, consuming and live values on a real server."""

import asyncio

import pytest

from bus import subjects
from bus.connection import BusUnavailable
from tests.servers import CODE, mine_bus


@pytest.fixture
async def running(tmp_path):
    async with mine_bus(tmp_path) as running:
        yield running


async def test_a_published_message_is_consumed_once_and_only_once(running):
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    subject = subjects.samples(CODE, "edge1")
    await gateway.publish(subject, b"one", "edge1-1")
    await gateway.publish(subject, b"one again", "edge1-1")
    await asyncio.gather(*(gateway.publish(subject, str(n).encode(), f"edge1-{n}") for n in range(2, 50)))
    consumer = await store.consumer(subjects.SAMPLES, "store")
    messages = []
    async with asyncio.timeout(20):
        while len(messages) < 49:  # a fetch ends with what has come
            messages += await consumer.fetch(1000, None, 2)
    assert [m.data for m in messages] == [b"one", *(str(n).encode() for n in range(2, 50))]
    assert [m.stream_sequence for m in messages] == list(range(1, 50))
    assert {m.subject for m in messages} == {subject} and not any(m.redelivered for m in messages)
    await consumer.acknowledge(messages)
    assert await consumer.fetch(1000, None, 0.2) == []
    async with asyncio.timeout(20):
        while await consumer.lag():
            await asyncio.sleep(0.05)
    await gateway.close()
    await store.close()


async def test_fetch_returns_as_soon_as_something_comes(running):
    gateway, store = await running.connect("gateway-edge1"), await running.connect("store")
    consumer = await store.consumer(subjects.SAFETY, "store")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    fetching = asyncio.create_task(consumer.fetch(100, None, 60))
    await asyncio.sleep(0.3)
    await gateway.publish(subjects.safety(CODE, "edge1"), b"x", "edge1-1")
    assert [m.data for m in await fetching] == [b"x"]
    assert loop.time() - begun < 30
    await gateway.close()
    await store.close()


async def test_live_values_reach_who_listens_and_are_kept_nowhere(running):
    gateway, api, admin = [await running.connect(p) for p in ("gateway-edge1", "api", "admin")]
    got: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def handler(subject: str, data: bytes) -> None:
        await got.put((subject, data))

    await api.listen(subjects.live(CODE, "*"), handler)
    await gateway.live(subjects.live(CODE, "edge1"), b"now")
    assert await asyncio.wait_for(got.get(), 20) == (subjects.live(CODE, "edge1"), b"now")
    for stream in subjects.STREAMS:
        assert (await admin.stream_state(stream)).messages == 0
    for bus in (gateway, api, admin):
        await bus.close()


async def test_a_request_is_answered_by_its_gateway_or_unavailable(running):
    gateway, api = await running.connect("gateway-edge1"), await running.connect("api")

    async def answer(_: str, data: bytes) -> bytes:
        return data.upper()

    with pytest.raises(BusUnavailable):
        await api.request(subjects.command(CODE, "edge1"), b"select", 5)
    await gateway.answer(subjects.command(CODE, "edge1"), answer)
    assert await api.request(subjects.command(CODE, "edge1"), b"select", 5) == b"SELECT"
    await gateway.close()
    await api.close()


async def test_an_answer_goes_to_who_asked_and_into_no_stream(running):
    """The server lets an answerer send wherever a question's reply subject says."""
    async with await running.connect("gateway-edge1") as gateway, await running.connect("operator") as operator:

        async def answer(_: str, data: bytes) -> bytes:
            return b"answer"

        await gateway.answer(subjects.command(CODE, "edge1"), answer)
        assert await operator.request(subjects.command(CODE, "edge1"), b"x", 10.0) == b"answer"
        before = (await gateway.stream_state("SAMPLES")).last_sequence
        other = subjects.samples(CODE, "edge2")
        await operator._link.send(subjects.command(CODE, "edge1"), b"x", reply=other)
        assert await operator.request(subjects.command(CODE, "edge1"), b"x", 10.0) == b"answer"
        await asyncio.sleep(0.2)
        assert (await gateway.stream_state("SAMPLES")).last_sequence == before
