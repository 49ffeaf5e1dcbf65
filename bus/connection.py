"""A process's connection to the bus: publish with acknowledgement, live values, requests, consumers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from nats.aio.msg import Msg

from bus.consumer import DEFAULT_ACK_WAIT_S, DEFAULT_MAX_ACK_PENDING, Consumer, Message
from bus.credentials import Credential
from bus.errors import BusUnavailable, MessageTooBig, NotPermitted, PublishRefused, StreamFull
from bus.link import Link, Listening
from bus.subjects import INBOX

__all__ = [
    "Bus",
    "BusUnavailable",
    "Consumer",
    "Message",
    "MessageTooBig",
    "NotPermitted",
    "PublishRefused",
    "StreamFull",
    "StreamState",
]

_log = structlog.get_logger("bus")

_STORE_FAILED = 10077
_MESSAGE_TOO_BIG = 10054
_NO_RESOURCES = (10023, 10047)

Handler = Callable[[str, bytes], Awaitable[None]]
Answerer = Callable[[str, bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class StreamState:
    """What a stream holds: `max_bytes` and `max_age_s` are its limits (0: none); `born`: when it was made, µs UTC."""

    stream: str
    messages: int
    bytes: int
    max_bytes: int
    max_age_s: float
    first_sequence: int
    last_sequence: int
    born: int = 0


class Bus:
    """The bus as one process sees it. Make it with `connect`; it heals itself until `close`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.live_dropped = 0

    @classmethod
    async def connect(
        cls, url: str, credential: Credential, *, name: str | None = None, wait_s: float | None = None
    ) -> Bus:
        """Connect as `credential`'s process.

        Waits for the first connection `wait_s` seconds (None: for ever; 0: not at all, it goes on in
        the background). Raises NotPermitted when the server refuses the credential, BusUnavailable
        when the time is over.
        """
        link = Link(url, credential, name or credential.process)
        if wait_s == 0:
            return cls(link)
        try:
            await link.wait_first(wait_s)
        except BaseException:
            await link.close()
            raise
        return cls(link)

    async def __aenter__(self) -> Bus:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self._link.connected

    @property
    def reconnects(self) -> int:
        """How often the connection was made anew."""
        return self._link.reconnects

    async def wait_connected(self, wait_s: float | None = None) -> bool:
        """Whether the connection stands within `wait_s` seconds (None: wait for ever)."""
        return await self._link.wait_connected(wait_s)

    async def close(self) -> None:
        """End the connection; what was published without acknowledgement is sent first."""
        await self._link.close()

    async def publish(self, subject: str, data: bytes, message_id: str, timeout: float = 5.0) -> None:
        """Return once the subject's stream has the message on its disk.

        The stream takes a `message_id` once within its duplicate window, so a retry is safe. Several
        calls may be outstanding; they reach the stream in the order in which they were begun. Raises
        StreamFull, MessageTooBig, NotPermitted (all PublishRefused) or BusUnavailable: then the stream
        may have it or not.
        """
        answer = await self._link.ask(subject, data, timeout, headers={"Nats-Msg-Id": message_id})
        _taken(subject, answer)

    async def append(
        self, subject: str, data: bytes, message_id: str, *, after: int | None = None, timeout: float = 15.0
    ) -> int:
        """As `publish`, with the message's number in its stream. With `after`, the stream refuses it
        (PublishRefused) unless that is its last message's number."""
        headers = {"Nats-Msg-Id": message_id}
        if after is not None:
            headers["Nats-Expected-Last-Sequence"] = str(after)
        return _taken(subject, await self._link.ask(subject, data, timeout, headers=headers))

    async def live(self, subject: str, data: bytes) -> None:
        """Tell whoever listens now. Dropped and counted in `live_dropped` when it cannot be sent."""
        try:
            await self._link.send(subject, data)
        except (BusUnavailable, MessageTooBig):
            self.live_dropped += 1

    async def listen(self, subject: str, handler: Handler) -> Listening:
        """Call `handler(subject, data)` for every message, one after the other, over reconnections.

        A handler's exception is logged and the next message taken. Raises NotPermitted.
        """

        async def callback(message: Msg) -> None:
            try:
                await handler(message.subject, message.data)
            except Exception:
                _log.exception("bus handler failed", subject=message.subject)

        listening = Listening(self._link, subject, callback)
        await self._link.listen(listening)
        return listening

    async def answer(self, subject: str, handler: Answerer, *, at_once: int = 1) -> Listening:
        """Answer requests on `subject` with what `handler(subject, data)` returns, up to `at_once` at a time."""
        turns = asyncio.Semaphore(at_once)
        answering: set[asyncio.Task[None]] = set()

        async def one(message: Msg) -> None:
            try:
                answer = await handler(message.subject, message.data)
                # The server lets an answer go wherever the asker wishes: not into a stream or to others' subjects.
                if message.reply.startswith(INBOX):
                    await self._link.send(message.reply, answer)
            except Exception:
                _log.exception("bus handler failed", subject=message.subject)
            finally:
                turns.release()

        async def callback(message: Msg) -> None:
            await turns.acquire()
            task = asyncio.create_task(one(message))
            answering.add(task)
            task.add_done_callback(answering.discard)

        listening = Listening(self._link, subject, callback)
        await self._link.listen(listening)
        return listening

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes:
        """The answer to a request. Raises BusUnavailable (nobody listens, no answer in time), NotPermitted."""
        answer = await self._link.ask(subject, data, timeout)
        return bytes(answer.data)

    async def consumer(
        self,
        stream: str,
        durable: str,
        *,
        max_ack_pending: int = DEFAULT_MAX_ACK_PENDING,
        ack_wait_s: float = DEFAULT_ACK_WAIT_S,
    ) -> Consumer:
        """The durable consumer of `stream`, made when it is not there.

        Returns at once when the bus is away: `fetch` makes it later. Raises NotPermitted.
        """
        consumer = Consumer(self._link, stream, durable, max_ack_pending, ack_wait_s)
        await consumer.open()
        return consumer

    async def stream_state(self, stream: str, timeout: float = 5.0) -> StreamState:
        """What `stream` holds now. Raises BusUnavailable, NotPermitted."""
        found = await self.control(f"STREAM.INFO.{stream}", None, timeout)
        config, state = found["config"], found["state"]
        return StreamState(
            stream,
            state["messages"],
            state["bytes"],
            max(0, config["max_bytes"]),
            config["max_age"] / 1e9,
            state["first_seq"],
            state["last_seq"],
            round(datetime.fromisoformat(found["created"]).timestamp() * 1e6),
        )

    async def control(
        self, verb: str, request: dict[str, Any] | None, timeout: float = 5.0, *, domain: str | None = None
    ) -> dict[str, Any]:
        """One call of JetStream's own API, of this server or of another one's domain. Raises BusUnavailable;
        NotPermitted; PublishRefused with the server's words when it says no."""
        api = "$JS.API" if domain is None else f"$JS.{domain}.API"
        answer = await self._link.ask(f"{api}.{verb}", json.dumps(request).encode() if request else b"", timeout)
        found: dict[str, Any] = json.loads(answer.data)
        error = found.get("error")
        if error is None:
            return found
        if error.get("code") == 404:
            raise BusUnavailable(f"{verb}: {error['description']}")
        raise PublishRefused(f"{verb}: {error['description']} (code {error.get('err_code')})")


def _taken(subject: str, answer: Msg) -> int:
    """The message's number, from the stream's answer to it."""
    try:
        found = json.loads(answer.data)
        error = found.get("error")
    except (ValueError, AttributeError):
        raise BusUnavailable(f"{subject} was answered by something that is not a stream") from None
    if error is None and "seq" in found:
        return int(found["seq"])
    error = error or {}
    number, words = error.get("err_code"), str(error.get("description", answer.data[:80]))
    if number == _MESSAGE_TOO_BIG:
        raise MessageTooBig(f"{subject}: {words}")
    if number in _NO_RESOURCES or (number == _STORE_FAILED and ("exceeded" in words or "space" in words)):
        raise StreamFull(f"{subject}: {words}")
    if error.get("code") in (400, 401, 403):
        raise PublishRefused(f"{subject}: {words} (code {number})")
    raise BusUnavailable(f"{subject}: {words} (code {number})")
