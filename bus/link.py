"""One connection to the bus server that heals itself, and questions with answers over it.

nats-py can reconnect by itself, but waits blindly for answers that a lost connection can no longer
bring, resends what a caller has given up, and ends for good at some errors. Here a lost connection
is closed, every open question fails at once, and a new client is made, for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from bus.credentials import Credential
from bus.errors import BusUnavailable, MessageTooBig, NobodyListens, NotPermitted

_log = structlog.get_logger("bus")

PING_S = 5
"""A link that answers neither of two pings, this far apart, is taken as lost."""
LOOK_S = 0.5
"""How often it is looked whether the client has given up its connection."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 2.0
"""Pause before reconnecting: doubled each time up to the longest, and jittered by half."""
HEADER_ROOM = 1024
"""Bytes of the largest message that are left for its headers."""
PENDING_MESSAGES, PENDING_BYTES = 4096, 64 << 20
"""What may wait for a slow handler before messages are dropped."""

_VIOLATION = re.compile(r"permissions violation for (publish|subscription) to \"([^\"]+)\"")

Callback = Callable[[Msg], Awaitable[None]]


@dataclass(eq=False)
class Listening:
    """A subscription that outlives connections. `stop()` ends it."""

    link: Link
    subject: str
    callback: Callback
    active: NatsSubscription | None = None

    async def stop(self) -> None:
        """End the subscription."""
        self.link.listenings.discard(self)
        active, self.active = self.active, None
        if active is not None and self.link.connected:
            with contextlib.suppress(nats.errors.Error):
                await active.unsubscribe()


@dataclass(eq=False)
class _Question:
    subject: str
    answer: asyncio.Future[Msg]


class Link:
    """A connection as one process. `connected` tells whether it stands now."""

    def __init__(self, url: str, credential: Credential, name: str) -> None:
        self.url = url
        self.credential = credential
        self.name = name
        self.listenings: set[Listening] = set()
        self.reconnects = 0
        self.slow_drops = 0
        self.last_error: Exception | None = None
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._questions: dict[str, _Question] = {}
        self._numbers = 0
        self._closing = False
        self._answers: Listening | None = None
        self._violations: dict[str, str] = {}
        self._task = asyncio.create_task(self._keep(), name=f"bus-{name}")

    @property
    def connected(self) -> bool:
        client = self._client
        if client is not None and not client.is_connected:
            # Known here before the keeper woke up: who waits for a connection must not go on at once.
            self._up.clear()
            self._lost.set()
        return self._up.is_set()

    async def wait_connected(self, wait_s: float | None) -> bool:
        """Whether the connection stands within `wait_s` seconds (None: wait for ever)."""
        if self.connected:
            return True
        try:
            async with asyncio.timeout(wait_s):
                await self._up.wait()
        except TimeoutError:
            return False
        return True

    async def wait_first(self, wait_s: float | None) -> None:
        """Wait for the first connection. Raises NotPermitted when the server refuses the credential,
        BusUnavailable when there is none within `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                await asyncio.shield(self._first)
        except TimeoutError:
            raise BusUnavailable(f"no connection to the bus at {self.url} within {wait_s} s: {self._why()}") from None

    async def close(self) -> None:
        """Send what is pending, then end the connection."""
        self._closing = True
        # asyncio.wait_for, which nats-py uses, can swallow a cancellation: ask until it is heard.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=0.5)
        client, self._client = self._client, None
        self._down()
        if client is not None:
            await _end(client)
        if not self._first.done():
            self._first.cancel()
        elif not self._first.cancelled():
            self._first.exception()

    def client(self) -> Client:
        """The client of now. Raises BusUnavailable."""
        if not self.connected or self._client is None:
            raise BusUnavailable(f"the bus at {self.url} is not connected: {self._why()}")
        return self._client

    async def send(self, subject: str, data: bytes, *, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Hand a message to the connection. Raises BusUnavailable, MessageTooBig."""
        client = self.client()
        if len(data) + HEADER_ROOM > client.max_payload:
            raise MessageTooBig(f"{len(data)} bytes for {subject}: the bus takes {client.max_payload - HEADER_ROOM}")
        try:
            await client.publish(subject, data, reply=reply, headers=headers)
        except (nats.errors.Error, OSError) as error:
            raise BusUnavailable(f"cannot send to {subject}: {error}") from error

    async def ask(self, subject: str, data: bytes, timeout: float, *, headers: dict[str, str] | None = None) -> Msg:
        """The first answer to a message. Raises BusUnavailable, MessageTooBig, NotPermitted."""
        if self._answers is None:
            self._answers = Listening(self, f"{self.credential.inbox}.ask.*", self._answered)
            await self.listen(self._answers, checked=False)
        self._numbers += 1
        reply = f"{self.credential.inbox}.ask.{id(self):x}-{self._numbers}"
        question = _Question(subject, asyncio.get_running_loop().create_future())
        self._questions[reply] = question
        try:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(0)  # a caller that retries at once must not keep the loop from the keeper
                await self.send(subject, data, reply=reply, headers=headers)
                answer = await question.answer
        except TimeoutError:
            raise BusUnavailable(f"no answer from {subject} within {timeout:.3g} s") from None
        finally:
            del self._questions[reply]
            if question.answer.done() and not question.answer.cancelled():
                question.answer.exception()
        if not answer.data and (answer.headers or {}).get("Status") == "503":
            raise NobodyListens(f"nobody answers {subject} now")
        return answer

    async def listen(self, listening: Listening, *, checked: bool = True) -> None:
        """Subscribe now and on every later connection. With `checked` a refusal raises NotPermitted."""
        self.listenings.add(listening)
        if not self.connected:
            return
        try:
            client = self.client()
            await self._subscribe(client, listening)
            if checked:
                await barrier(client)
        except (BusUnavailable, nats.errors.Error, OSError):
            return  # lost meanwhile: the next connection subscribes
        refused = self._violations.pop(listening.subject.lower(), None)
        if refused is not None:
            self.listenings.discard(listening)
            raise NotPermitted(f"'{self.credential.process}' may not subscribe to {listening.subject}")

    async def _subscribe(self, client: Client, listening: Listening) -> None:
        self._violations.pop(listening.subject.lower(), None)
        listening.active = await client.subscribe(
            listening.subject,
            cb=listening.callback,
            pending_msgs_limit=PENDING_MESSAGES,
            pending_bytes_limit=PENDING_BYTES,
        )

    async def _answered(self, message: Msg) -> None:
        question = self._questions.get(message.subject)
        if question is not None and not question.answer.done():
            question.answer.set_result(message)

    async def _keep(self) -> None:
        """Connect, wait until the connection is lost, and again."""
        wait = FIRST_WAIT_S
        while not self._closing:
            try:
                client = await self._connect()
            except (nats.errors.Error, OSError, EOFError, ValueError, TimeoutError) as error:
                self._failed(error)
                if isinstance(error, nats.errors.AuthorizationError):
                    wait = LONGEST_WAIT_S
            else:
                wait = FIRST_WAIT_S
                # The event comes only after a close that a dead link can hold up for minutes.
                while self.connected and not self._lost.is_set():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await self._lost.wait()
                self._client = None
                self._down()
                _log.warning("bus lost", url=self.url, name=self.name, error=self._why())
                await _end(client)
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _connect(self) -> Client:
        """A client that stands; `_lost` is then the event that it is closed."""
        client, lost = Client(), asyncio.Event()
        options: dict[str, Any] = {}
        if self.credential.tls is not None:
            # The handshake comes before the server says anything: nobody between can talk us out of it.
            options = {"tls": self.credential.tls.context(), "tls_handshake_first": True}

        async def on_closed() -> None:
            lost.set()

        try:
            await client.connect(
                self.url,
                name=self.name,
                error_cb=self._on_error,
                closed_cb=on_closed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=3,
                ping_interval=PING_S,
                max_outstanding_pings=2,
                nkeys_seed_str=self.credential.seed,
                inbox_prefix=self.credential.inbox,
                **options,
            )
            subscribed: set[Listening] = set()
            while missing := self.listenings - subscribed:
                for listening in missing:
                    await self._subscribe(client, listening)
                subscribed |= missing
                await barrier(client)
        except BaseException:
            await _end(client)
            raise
        self._client, self._lost = client, lost
        self._up.set()
        if self._first.done():
            self.reconnects += 1
            _log.info("bus reconnected", url=self.url, name=self.name)
        else:
            self._first.set_result(None)
        return client

    def _failed(self, error: Exception) -> None:
        self.last_error = error
        refused = isinstance(error, nats.errors.AuthorizationError) or "authorization" in str(error).lower()
        if refused:
            _log.error("bus refused the credential", url=self.url, process=self.credential.process)
        if refused and not self._first.done():
            self._first.set_exception(
                NotPermitted(f"the bus at {self.url} refused the credential of '{self.credential.process}'")
            )

    def _down(self) -> None:
        self._up.clear()
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(
                    BusUnavailable(f"the connection to the bus was lost before {question.subject} answered")
                )

    def _why(self) -> str:
        return str(self.last_error) if self.last_error else "not yet connected"

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            self.slow_drops += 1
            return
        self.last_error = error
        match = _VIOLATION.search(str(error).lower())
        if match is None:
            return
        what, subject = match.groups()
        _log.error("bus refused", process=self.credential.process, what=what, subject=subject)
        if what == "subscription":
            self._violations[subject] = what
            return
        for question in self._questions.values():
            if question.subject.lower() == subject and not question.answer.done():
                question.answer.set_exception(
                    NotPermitted(f"'{self.credential.process}' may not publish to {question.subject}")
                )


async def barrier(client: Client, timeout: int = 2) -> None:
    """Return once the server has taken all that was sent before, and what it said to it has come.

    nats-py's flush sends its ping ahead of what is still pending; only a second one is behind it.
    """
    await client.flush(timeout)
    await client.flush(timeout)


async def _end(client: Client) -> None:
    try:
        async with asyncio.timeout(3):
            await client.close()
    except (nats.errors.Error, OSError, TimeoutError):
        pass
