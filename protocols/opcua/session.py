"""One session with a server: asyncua's client, signed in, with its errors told apart.

asyncua's own reconnecting is left off: the gateway makes a new adapter, which starts from the
current values. Its high-level Subscription is not used either: in iterator mode its queue drops
without a word, in handler mode it makes a task of every value.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.crypto.uacrypto import CertProperties

from protocols.adapter import LinkLost, SignInRefused
from protocols.opcua.endpoint import POLICIES, choose, codes, mode_of, refusal
from protocols.opcua.identity import APPLICATION_URI, own_identity, user_identity
from protocols.opcua.limits import Limits, limits_of
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import name, words
from protocols.opcua.trust import Shown, judge, trust

R = TypeVar("R")

SESSION_TIMEOUT_MS = 60_000
"""A server frees what a killed gateway left behind after this: small ones have few sessions."""

_GONE = (
    "BadSessionIdInvalid",
    "BadSessionClosed",
    "BadSessionNotActivated",
    "BadSecureChannelIdInvalid",
    "BadSecureChannelClosed",
    "BadSecureChannelTokenUnknown",
    "BadConnectionClosed",
    "BadServerHalted",
    "BadShutdown",
    "BadTimeout",
    "BadTcpInternalError",
    "BadSubscriptionIdInvalid",
)


_GONE_CODES = codes(_GONE)

for _name in ("asyncua.client", "asyncua.uaprotocol"):
    if logging.getLogger(_name).level == logging.NOTSET:
        # It logs a traceback for each lost link; ours say what happened, once.
        logging.getLogger(_name).setLevel(logging.CRITICAL)


class ServiceRefusedError(Exception):
    """The server answered a whole request with a bad status; the session goes on."""

    def __init__(self, status: int) -> None:
        super().__init__(words(status))
        self.status = status


class Session:
    """Opened once. `namespaces` is the server's namespace array at that time, `limits` what it takes at once."""

    def __init__(self, settings: OpcUaSettings, lost: Callable[[LinkLost], None]) -> None:
        """`lost` is called once or more when the transport is gone or the server answers no more."""
        self._settings = settings
        self._lost = lost
        parts = urlsplit(settings.url)
        self.where = f"the OPC UA server {parts.hostname}:{parts.port or 4840}"
        self.namespaces: Sequence[str] = ()
        self.limits = Limits()
        self._dead = False
        self._client = Client(settings.url, timeout=settings.timeout_s, watchdog_intervall=settings.watchdog_s / 2)
        self._client.name = self._client.description = "sevenones gateway"
        self._client.application_uri = APPLICATION_URI
        self._client.session_timeout = SESSION_TIMEOUT_MS
        self._client.connection_lost_callback = self._on_lost

    @property
    def services(self) -> Any:
        """asyncua's session, whose methods are OPC UA's services. Call them through `ask`."""
        return self._client.uaclient.session

    # ---- life

    async def open(self) -> None:
        """Connect, sign in, learn the namespaces. Raises LinkLost, SignInRefused."""
        settings = self._settings
        try:
            async with asyncio.timeout(4 * settings.timeout_s):
                if settings.user:
                    self._client.set_user(settings.user)
                    self._client.set_password(await asyncio.to_thread(settings.secret))
                shown = await self._secure()
                await self._client.connect()
                self.namespaces = await self._client.get_namespace_array()
                self.limits = await limits_of(self.services)
            if shown and not settings.server_certificate:
                await asyncio.to_thread(trust, settings, shown)
        except LinkLost:
            raise
        except TimeoutError:
            raise LinkLost(
                f"{self.where} 在 {settings.timeout_s:g} 秒内没有应答 · "
                f"{self.where} did not answer within {settings.timeout_s:g} s"
            ) from None
        except ua.UaStatusCodeError as error:
            raise refusal(settings, self.where, int(error.code)) from None
        except OSError as error:
            raise LinkLost(
                f"{self.where} 无法到达：{error or type(error).__name__} · "
                f"{self.where} cannot be reached: {error or type(error).__name__}"
            ) from None
        except Exception as error:
            raise LinkLost(
                f"{self.where} 的应答不是 OPC UA：{error!r} · "
                f"{self.where} does not answer as an OPC UA server: {error!r}"
            ) from None

    async def _secure(self) -> bytes:
        """Choose the endpoint and set the channel's security; gives the server's certificate, DER, b"" without."""
        settings, client = self._settings, self._client
        if settings.security == "none":
            choose(settings, self.where, await client.connect_and_get_server_endpoints())
            return b""
        # What is wrong with our own files is said before the server is asked.
        identity = await asyncio.to_thread(own_identity, settings)
        if settings.user_certificate:
            client.user_certificate, client.user_private_key = await asyncio.to_thread(user_identity, settings)
        endpoint = choose(settings, self.where, await client.connect_and_get_server_endpoints())
        shown = shown_by(settings, endpoint)
        await asyncio.to_thread(judge, settings, self.where, shown)
        self._client.application_uri = identity.uri
        await self._client.set_security(
            POLICIES[settings.security],
            certificate=CertProperties(identity.certificate, "pem"),
            private_key=CertProperties(identity.key, "pem"),
            server_certificate=CertProperties(shown.certificate, "der"),
            mode=mode_of(settings),
        )
        return shown.certificate

    async def close(self) -> None:
        """End the session, politely if the server still answers. Leaves no task. Never raises."""
        client = self._client
        client.uaclient.request_disconnect()
        if not self._dead:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(min(1.0, self._settings.timeout_s)):
                    await client.disconnect()
        own = (client._supervisor_task, client._stale_watchdog_task, client._renew_channel_task)
        tasks = [task for task in (*own, self.services._publish_task) if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        protocol = client.uaclient.protocol
        with contextlib.suppress(Exception):
            client.disconnect_socket()
        if protocol is not None and protocol.transport is not None:
            # close() alone would wait for a frozen server to read what is still unsent.
            protocol.transport.abort()

    # ---- requests

    async def read_namespaces(self) -> Sequence[str]:
        """The server's namespace array as it is now. Call through `ask`."""
        return list(await self._client.get_namespace_array())

    async def ask(self, request: Awaitable[R]) -> R:
        """The answer to one service. Raises LinkLost when the session is over, ServiceRefusedError when
        the server refuses this request only."""
        try:
            return await request
        except TimeoutError:
            lost = LinkLost(
                f"{self.where} 在 {self._settings.timeout_s:g} 秒内没有应答 · "
                f"{self.where} did not answer within {self._settings.timeout_s:g} s"
            )
        except ua.UaStatusCodeError as error:
            status = int(error.code)
            if status not in _GONE_CODES:
                raise ServiceRefusedError(status) from None
            lost = LinkLost(
                f"{self.where} 结束了会话：{name(status)} · {self.where} ended the session: {words(status)}"
            )
        except (OSError, ua.UaError, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            lost = LinkLost(
                f"与 {self.where} 的连接已断：{error or type(error).__name__} · "
                f"the connection to {self.where} is lost: {error or type(error).__name__}"
            )
        self._dead = True
        raise lost

    async def _on_lost(self, error: Exception) -> None:
        self._dead = True
        what = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        self._lost(LinkLost(f"与 {self.where} 的连接已断：{what} · the connection to {self.where} is lost: {what}"))


def shown_by(settings: OpcUaSettings, endpoint: Any) -> Shown:
    """The certificate that an endpoint shows: the server's own, without those of a chain behind it."""
    content = bytes(endpoint.ServerCertificate or b"")
    content = content[: int.from_bytes(content[2:4], "big") + 4]
    return Shown(content, urlsplit(settings.url).hostname or "", str(endpoint.Server.ApplicationUri or ""))


async def look(settings: OpcUaSettings) -> tuple[str, Shown, list[str]]:
    """Ask a server for its endpoints without signing in: its name, the certificate that it shows, and what it
    offers. Raises LinkLost, SignInRefused when no endpoint shows a certificate."""
    session = Session(settings, lambda _: None)
    try:
        async with asyncio.timeout(2 * settings.timeout_s):
            offered = await session._client.connect_and_get_server_endpoints()
    except TimeoutError:
        raise LinkLost(
            f"{session.where} 在 {settings.timeout_s:g} 秒内没有应答 · "
            f"{session.where} did not answer within {settings.timeout_s:g} s"
        ) from None
    except OSError as error:
        raise LinkLost(
            f"{session.where} 无法到达：{error or type(error).__name__} · "
            f"{session.where} cannot be reached: {error or type(error).__name__}"
        ) from None
    except Exception as error:
        raise LinkLost(
            f"{session.where} 的应答不是 OPC UA：{error!r} · "
            f"{session.where} does not answer as an OPC UA server: {error!r}"
        ) from None
    with_certificate = [endpoint for endpoint in offered if endpoint.ServerCertificate]
    names = sorted({f"{e.SecurityPolicyUri.rpartition('#')[2]}/{e.SecurityMode.name.rstrip('_')}" for e in offered})
    if not with_certificate:
        raise SignInRefused(
            f"{session.where} 不出示证书，它提供 {'、'.join(names) or '（无）'} · "
            f"{session.where} shows no certificate: it offers {', '.join(names) or 'nothing'}"
        )
    endpoint = with_certificate[0]
    return str(endpoint.Server.ApplicationName.Text or ""), shown_by(settings, endpoint), names
