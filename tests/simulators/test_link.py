"""The link in front of a device: what it carries, and what its faults do to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from simulators.devices.link import MOST_HELD, Link
from tests.simulators.reading import until


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    """In front of a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Link("127.0.0.1", 0, "127.0.0.1", server.sockets[0].getsockname()[1])
    await made.start()
    yield made
    await made.close()
    server.close()


async def connect(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", link.port)


async def ask(link: Link, data: bytes = b"abc", seconds: float = 10.0) -> tuple[bytes, float]:
    """The answer, and how long it took."""
    reader, writer = await connect(link)
    begun = time.monotonic()
    try:
        writer.write(data)
        answer = await asyncio.wait_for(reader.readexactly(len(data)), seconds)
        return answer, time.monotonic() - begun
    finally:
        writer.close()


async def test_it_carries_all_in_its_order_whatever_holds_it_back(link: Link) -> None:
    data = bytes(range(256)) * 4096 * 4  # four times what one direction holds back
    assert len(data) > 2 * MOST_HELD
    assert (await ask(link, data))[0] == data
    link.fault("delay", 0.2)
    reader, writer = await connect(link)
    writer.write(data)
    assert await asyncio.wait_for(reader.readexactly(len(data)), 60) == data
    writer.close()


async def test_delay_and_slow_answers_take_their_time(link: Link) -> None:
    link.fault("delay", 0.3)
    assert (await ask(link))[1] >= 0.3
    link.fault("slow", 0.2)
    assert (await ask(link))[1] >= 0.5
    link.fault("delay", 0)
    assert (await ask(link))[1] >= 0.2


async def test_what_is_held_back_goes_on_when_the_fault_ends(link: Link) -> None:
    link.fault("delay", 600)
    asking = asyncio.create_task(ask(link))
    await until(lambda: any(pair._to_device.size for pair in link.pairs), "it is held back")
    link.fault("delay", 0)
    assert (await asking)[0] == b"abc"


async def test_loss_only_costs_time_until_tcp_gives_up(link: Link) -> None:
    link.fault("loss", 0.5)
    waits = [link.wait_s(from_device=True) for _ in range(4000)]
    known = [wait for wait in waits if wait is not None]
    assert 0.35 < sum(wait == 0 for wait in known) / len(waits) < 0.65
    assert {round(wait, 3) for wait in known} <= {0.0, 0.2, 0.6, 1.4, 3.0, 6.2}
    assert 0.005 < waits.count(None) / len(waits) < 0.03  # one in 2^6
    link.fault("loss", 1)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask(link)


@pytest.mark.parametrize("kind", ["cut", "hang"])
async def test_nothing_comes_through_and_a_connection_that_lived_through_it_ends_with_it(link: Link, kind: str) -> None:
    reader, writer = await connect(link)
    link.fault(kind, 1)
    writer.write(b"abc")
    with pytest.raises(TimeoutError):
        await ask(link, seconds=0.3)
    link.fault(kind, 0)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 30)
    writer.close()
    assert (await ask(link))[0] == b"abc"


async def test_rubbish_and_a_reset(link: Link) -> None:
    link.fault("garbage", 1)
    reader, writer = await connect(link)
    writer.write(b"abc")
    assert await asyncio.wait_for(reader.read(100), 30) != b"abc"
    writer.close()
    link.fault("garbage", 0)
    link.fault("reset", 0.2)
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await connect(link)
    await until(lambda: link.listening, "it listens again")
    assert (await ask(link))[0] == b"abc"
