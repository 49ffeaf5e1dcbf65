"""The other side of the wire: what the conformance suite asks of a protocol's test device."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from protocols.adapter import Tag


class Peer(ABC):
    """One device of the protocol, in the test's hands. The real server program or library, if there is one.

    `name` is the entry point. `tags` are three or more numeric tags, with indices 0 … n-1, that the
    device has and that can take the values 0 to 100. `wrong` are tags that `check` must refuse.
    `missing` passes `check` but the device has no such thing; its index is len(tags). `text` is one
    of the tags' indices that can hold text, `real` one that can hold NaN and infinity, `writable`
    one that can be written, `write_protected` a tag that cannot; None where the protocol has no such
    thing. `exempt` names tests of the suite that cannot apply, each with the reason.
    """

    name: ClassVar[str]
    tags: Sequence[Tag]
    wrong: Sequence[Tag] = ()
    missing: Tag | None = None
    real: int | None = None
    text: int | None = None
    writable: int | None = None
    write_protected: Tag | None = None
    exempt: Mapping[str, str] = {}

    @abstractmethod
    def settings(self, port: int | None = None) -> dict[str, Any]:
        """A connection's `settings:` for this device, with time-outs of at most 1 s; with `port`, the
        same for another port of this host."""

    @abstractmethod
    async def start(self) -> None:
        """Bring the device up, on the same port each time. Its values are those last set, else 0."""

    @abstractmethod
    async def stop(self) -> None:
        """Take the device down: connections are closed, new ones refused. No harm when it is down."""

    @abstractmethod
    async def set(self, index: int, value: float | str) -> None:
        """Give a tag a value; a device that sends by itself sends it now."""

    @abstractmethod
    async def hang(self) -> None:
        """From now on answer nothing and send nothing, and leave the connections open. Ends with stop()."""

    async def get(self, index: int) -> float | str:
        """The value that the device now holds, for tests of writing."""
        raise NotImplementedError

    def excuses(self, task: asyncio.Task[Any]) -> bool:
        """Whether a task that is there after `close` is the device's own and not the adapter's."""
        return False


@asynccontextmanager
async def stranger(says: bytes | None) -> AsyncIterator[int]:
    """A TCP server that does not speak the protocol, and its port. It greets each connection with `says`
    and answers everything with it; with None it takes all and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if says:
                writer.write(says)
            while await reader.read(65536):
                if says:
                    writer.write(says)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
