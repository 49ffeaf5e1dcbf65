"""One connection to a broker: paho's client on the running event loop.

paho is driven here rather than through aiomqtt because only paho can leave the acknowledgement to us
(`manual_ack`), and because a reader that falls behind must stop reading the socket: a queue that
drops would lose messages until the next connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.adapter import LinkLost, SignInRefused, WriteRefused
from protocols.mqtt import faults
from protocols.mqtt.columns import Message
from protocols.mqtt.settings import BrokerSettings
from protocols.mqtt.window import AckWindow

log = structlog.get_logger(__name__)

MAX_QUEUED_BYTES = 32_000_000
READS_AT_ONCE = 256
_HEARTBEAT = "sevenones/nothing"
LINK_COUNTS = ("messages_total", "acknowledged_total", "malformed_total", "redelivered_total", "sessions_resumed_total")
"""What a link counts."""


class Will(NamedTuple):
    """What the broker publishes for us, retained, when we are gone without a goodbye."""

    topic: str
    payload: bytes


class Link:
    """Opened once. What arrives waits in a bounded queue; when that is full the socket is left unread,
    so that the broker keeps the rest."""

    def __init__(
        self, settings: BrokerSettings, counts: dict[str, int], will: Will | None = None, *, passing: bool = False
    ) -> None:
        """`passing`: under a name beside the connection's own, with a session that ends with the link."""
        self._clean = passing
        if passing:
            settings = settings.model_copy(update={"client_id": f"{settings.client_id[:100]}-{secrets.token_hex(4)}"})
        self._settings = settings
        self._will = will
        self._counts = counts
        self._where = f"the MQTT broker {settings.host}:{settings.port}"
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._answer: asyncio.Future[None] = self._loop.create_future()
        self._lost: LinkLost | None = None
        self._inbox: deque[Message] = deque()
        self._inbox_bytes = 0
        self._arrived = asyncio.Event()
        self._poked = False
        self._granted: dict[int, asyncio.Future[list[Any]]] = {}
        self._taken: dict[int, asyncio.Future[None]] = {}
        self._up = False
        self._own = bool(settings.tls and settings.tls.cert)
        self._fault = ""
        self._paused = False
        self._closed = False
        self._attached: Any = None
        self._writing = False
        self._misc: asyncio.Task[None] | None = None
        self._client = self._make()
        self.window = AckWindow(self._send_ack)

    def _make(self) -> Any:
        settings = self._settings
        five = settings.protocol == "5"
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if five else self._clean,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = settings.timeout_s
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        if settings.user:
            client.username_pw_set(settings.user, settings.secret() or None)
        if settings.tls:
            try:
                client.tls_set_context(settings.tls.context())
            except (OSError, ssl.SSLError) as error:
                raise SignInRefused(
                    f"连接的 TLS 文件无法使用：{error} · a TLS file of the connection cannot be used: {error}"
                ) from None
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_log = self._on_log
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    # ---- life

    async def open(self) -> None:
        """Connect and sign in. Raises LinkLost, SignInRefused."""
        settings = self._settings
        arguments: dict[str, Any] = {"host": settings.host, "port": settings.port, "keepalive": settings.keepalive_s}
        if settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if self._clean else settings.session_expiry_s
            properties.ReceiveMaximum = min(settings.max_queued, 65_535)
            arguments |= {"clean_start": self._clean, "properties": properties}
        dialled = self._loop.run_in_executor(None, lambda: self._client.connect(**arguments))
        try:
            async with asyncio.timeout(settings.timeout_s * 2):
                await asyncio.shield(dialled)
        except ssl.SSLCertVerificationError as error:
            raise faults.of_certificate(self._where, settings.host, error) from None
        except ssl.SSLError as error:
            told = faults.of_tls(self._where, str(error), own=self._own)
            raise told or LinkLost(f"{self._where}：TLS 失败：{error} · {self._where}: TLS failed: {error}") from None
        except TimeoutError:
            dialled.add_done_callback(self._abandon)
            raise LinkLost(
                f"{self._where} 在 {settings.timeout_s:g} 秒内没有应答 · "
                f"{self._where} did not answer within {settings.timeout_s:g} s"
            ) from None
        except ConnectionResetError as error:
            told = faults.of_tls(self._where, "UNEXPECTED_EOF", own=self._own) if settings.tls else None
            raise told or LinkLost(
                f"{self._where} 无法到达：{error} · {self._where} cannot be reached: {error}"
            ) from None
        except (OSError, ValueError) as error:
            raise LinkLost(f"{self._where} 无法到达：{error} · {self._where} cannot be reached: {error}") from None
        except asyncio.CancelledError:
            dialled.add_done_callback(self._abandon)
            raise
        self._attach()
        try:
            async with asyncio.timeout(settings.timeout_s):
                await self._answer
        except TimeoutError:
            raise LinkLost(
                f"{self._where} 接受了连接，但在 {settings.timeout_s:g} 秒内没有应答 · "
                f"{self._where} took the connection but did not answer within {settings.timeout_s:g} s"
            ) from None
        self._misc = asyncio.create_task(self._keep_alive())

    def _abandon(self, done: asyncio.Future[Any]) -> None:
        """A dial that ended after nobody waited for it any more."""
        if not done.cancelled() and done.exception() is None and (socket := self._client.socket()):
            socket.close()

    async def close(self) -> None:
        """Say goodbye, if the socket takes it at once, and give everything up. Never raises."""
        self._closed = True
        self.window.forget()
        if self._misc:
            self._misc.cancel()
            await asyncio.gather(self._misc, return_exceptions=True)
        with contextlib.suppress(Exception):
            self._client.disconnect()
            self._client.loop_write()
        socket = self._client.socket() or self._attached
        self._detach()
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.close()
        if self._answer.done() and not self._answer.cancelled():
            self._answer.exception()
        self._lose(LinkLost("连接已关闭 · the connection was closed"))

    # ---- what the adapter asks

    async def subscribe(self, patterns: Sequence[str]) -> list[str]:
        """Subscribe with QoS 1; gives the patterns that the broker refused. The answer stands behind the
        messages that the broker kept for us: take those meanwhile, or it never comes."""
        refused: list[str] = []
        for start in range(0, len(patterns), 50):
            some = patterns[start : start + 50]
            self._raise_if_lost()
            code, mid = self._client.subscribe([(pattern, 1) for pattern in some])
            if code != paho.MQTT_ERR_SUCCESS:
                raise LinkLost(
                    f"{self._where}：订阅无法发出：{paho.error_string(code)} · "
                    f"{self._where}: the subscription could not be sent: {paho.error_string(code)}"
                )
            self._granted[mid] = self._loop.create_future()
            try:
                codes = await self._suback(self._granted[mid])
            finally:
                self._granted.pop(mid, None)
            refused += [pattern for pattern, answer in zip(some, codes, strict=False) if answer.is_failure]
        return refused

    async def _suback(self, answer: asyncio.Future[list[Any]]) -> list[Any]:
        """The answer to a subscription, however many messages come or wait before it."""
        while True:
            before = self._counts["messages_total"]
            await asyncio.wait([answer], timeout=self._settings.timeout_s)
            if answer.done():
                return answer.result()
            if self._counts["messages_total"] == before and not self._paused:
                raise LinkLost(
                    f"{self._where} 在 {self._settings.timeout_s:g} 秒内没有答复订阅 · "
                    f"{self._where} did not answer a subscription within {self._settings.timeout_s:g} s"
                )

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, properties: Properties | None = None
    ) -> int:
        """Send one message; gives its number, by which `published` knows it. Raises LinkLost."""
        self._raise_if_lost()
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise LinkLost(
                f"{self._where}：消息无法发出：{paho.error_string(info.rc)} · "
                f"{self._where}: a message could not be sent: {paho.error_string(info.rc)}"
            )
        return int(info.mid)

    async def command(self, topic: str, payload: bytes) -> None:
        """Send a command, which a broker shall not keep for a device that is away: it would be carried out long
        after anybody waits for it. In version 5 it expires, with QoS 1; before that only QoS 0 is not kept.
        Raises LinkLost, AdapterError."""
        if self._settings.protocol != "5":
            self.publish(topic, payload)
            return
        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = max(1, math.ceil(self._settings.timeout_s))
        await self.published(self.publish(topic, payload, qos=1, properties=properties))

    async def published(self, number: int) -> None:
        """Wait until the broker has taken a message of QoS 1. Raises LinkLost, AdapterError."""
        done = self._taken.setdefault(number, self._loop.create_future())
        try:
            await asyncio.wait([done], timeout=self._settings.timeout_s)
            if not done.done():
                raise LinkLost(
                    f"{self._where} 在 {self._settings.timeout_s:g} 秒内没有接收消息 · "
                    f"{self._where} did not take a message within {self._settings.timeout_s:g} s"
                )
            done.result()
        finally:
            self._taken.pop(number, None)

    def poke(self) -> None:
        """Let `take` return, though nothing has arrived."""
        self._poked = True
        self._arrived.set()

    async def take(self, most: int, most_bytes: int) -> list[Message]:
        """What has arrived; nothing only after `poke`. Raises LinkLost after the last one was taken."""
        while not self._inbox:
            self._raise_if_lost()
            if self._poked:
                break
            self._arrived.clear()
            await self._arrived.wait()
        self._poked = False
        taken: list[Message] = []
        size = 0
        while self._inbox and len(taken) < most and size < most_bytes:
            message = self._inbox.popleft()
            size += len(message.payload)
            taken.append(message)
        self._inbox_bytes -= size
        if self._paused and len(self._inbox) < self._settings.max_queued // 2 and self._lost is None:
            self._paused = False
            self._loop.add_reader(self._attached, self._readable)
            self._loop.call_soon(self._readable)
        return taken

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """These messages are safe. May be called from any thread."""
        if threading.get_ident() == self._thread:
            self.window.finished(numbers)
        else:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.window.finished, numbers)

    def _send_ack(self, mid: int, qos: int) -> None:
        self._counts["acknowledged_total"] += 1
        self._client.ack(mid, qos)

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise self._lost

    def _lose(self, why: LinkLost) -> None:
        if self._lost is None:
            self._lost = why
        self.window.forget()
        self._arrived.set()
        waiting: list[asyncio.Future[Any]] = [self._answer, *self._granted.values(), *self._taken.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(self._lost)
                future.exception()  # asked for here, so that asyncio does not complain where nobody waits

    # ---- the event loop's side

    def _attach(self) -> None:
        self._attached = self._client.socket()
        if self._attached is None:
            self._lose(LinkLost(f"{self._where} 立即关闭了连接 · {self._where} closed the connection at once"))
            return
        self._loop.add_reader(self._attached, self._readable)
        if self._client.want_write():
            self._want_write()

    def _detach(self) -> None:
        if self._attached is not None and self._attached.fileno() >= 0:
            self._loop.remove_reader(self._attached)
            self._loop.remove_writer(self._attached)
        self._attached = None

    def _readable(self) -> None:
        """Read packets until the socket is empty, a fair number is read, or the queue is full. paho
        reads one packet a call and does not say when there was none: TLS may hold more than the
        selector knows, so its own buffer is asked too."""
        for _ in range(READS_AT_ONCE):
            before = self._counts["messages_total"]
            if self._attached is None or self._paused or self._client.loop_read() != paho.MQTT_ERR_SUCCESS:
                return
            pending = getattr(self._attached, "pending", None)
            if self._counts["messages_total"] == before and not (pending and pending()):
                return
        self._loop.call_soon(self._readable)

    async def _keep_alive(self) -> None:
        """Pings and their answers. While we do not read, an answer could not be seen: then the broker
        is only told, by a request that changes nothing, that we are still here."""
        told = self._loop.time()
        while self._lost is None:
            await asyncio.sleep(min(1.0, self._settings.keepalive_s / 4))
            if not self._paused:
                self._client.loop_misc()
            elif self._loop.time() - told > self._settings.keepalive_s / 2:
                told = self._loop.time()
                self._client.unsubscribe(_HEARTBEAT)

    def _want_write(self) -> None:
        if self._attached is not None and not self._writing:
            self._writing = True
            self._loop.add_writer(self._attached, self._client.loop_write)

    # ---- paho's callbacks; before _attach they run in the dialling thread

    def _on_register_write(self, client: Any, userdata: Any, socket: Any) -> None:
        if threading.get_ident() == self._thread:
            self._want_write()

    def _on_unregister_write(self, client: Any, userdata: Any, socket: Any) -> None:
        if threading.get_ident() == self._thread and self._writing:
            self._writing = False
            self._loop.remove_writer(socket)

    def _on_socket_close(self, client: Any, userdata: Any, socket: Any) -> None:
        if threading.get_ident() == self._thread:
            self._detach()

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self._answer.done():
            return
        if not reason.is_failure:
            self._counts["sessions_resumed_total"] += int(flags.session_present)
            self._up = True
            self._answer.set_result(None)
        else:
            self._lose(faults.of_refusal(self._where, self._settings.user, str(reason)))

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self._closed:
            return
        why = faults.of_tls(self._where, self._fault, own=self._own) if self._settings.tls else None
        if why is None and self._up and not self._clean:
            key = (self._settings.host, self._settings.port, self._settings.client_id)
            why = faults.ENDINGS.lost(self._where, key, str(reason))
        version = self._settings.protocol
        early = (
            f"{self._where} 未应答就断开了，可能不支持 MQTT 版本 {version}：{reason} · "
            f"{self._where} ended the connection before it answered; "
            f"it may not speak MQTT in version {version}: {reason}"
        )
        self._lose(why or LinkLost(early))

    def _on_log(self, client: Any, userdata: Any, level: int, words: str) -> None:
        if level == paho.MQTT_LOG_ERR:
            self._fault = words

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, codes: list[Any], properties: Any) -> None:
        if (waiting := self._granted.get(mid)) and not waiting.done():
            waiting.set_result(codes)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        waiting = self._taken.get(mid)
        if waiting is None or waiting.done():
            return
        if reason.is_failure:
            waiting.set_exception(
                WriteRefused(f"{self._where} 没有接收消息：{reason} · {self._where} did not take the message: {reason}")
            )
        else:
            waiting.set_result(None)

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        self._counts["messages_total"] += 1
        self._counts["redelivered_total"] += int(message.dup)
        number = self.window.arrived(message.mid, message.qos) if message.qos else -1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._counts["malformed_total"] += 1
            self.window.finished([number])
            return
        self._inbox.append(Message(topic, message.payload, message.retain, number, message.dup))
        self._inbox_bytes += len(message.payload)
        if len(self._inbox) >= self._settings.max_queued or self._inbox_bytes >= MAX_QUEUED_BYTES:
            self._paused = True
            if self._attached is not None:
                self._loop.remove_reader(self._attached)
        self._arrived.set()
