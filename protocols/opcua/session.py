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
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties

from protocols.adapter import LinkLost, SignInRefused
from protocols.opcua.settings import OpcUaSettings
from protocols.opcua.status import words
from protocols.opcua.trust import APPLICATION_URI, known_server, own_identity, pin_path, trust

R = TypeVar("R")

SESSION_TIMEOUT_MS = 60_000
"""A server frees what a killed gateway left behind after this: small ones have few sessions."""

_USER = ("BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid", "BadUserSignatureInvalid")
_POLICY = ("BadSecurityPolicyRejected", "BadSecurityModeRejected", "BadSecurityModeInsufficient")
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


def _codes(names: Sequence[str]) -> frozenset[int]:
    return frozenset(getattr(ua.StatusCodes, name) for name in names if hasattr(ua.StatusCodes, name))


_USER_CODES, _POLICY_CODES, _GONE_CODES = _codes(_USER), _codes(_POLICY), _codes(_GONE)
_CERTIFICATE_CODES = frozenset(
    code for name, code in vars(ua.StatusCodes).items() if name.startswith(("BadCertificate", "BadSecurityChecks"))
)

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
    """Opened once. `namespaces` is the server's namespace array at that time."""

    def __init__(self, settings: OpcUaSettings, lost: Callable[[LinkLost], None]) -> None:
        """`lost` is called once or more when the transport is gone or the server answers no more."""
        self._settings = settings
        self._lost = lost
        parts = urlsplit(settings.url)
        self.where = f"the OPC UA server {parts.hostname}:{parts.port or 4840}"
        self.namespaces: Sequence[str] = ()
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
        if settings.user:
            self._client.set_user(settings.user)
            self._client.set_password(settings.secret())
        try:
            async with asyncio.timeout(4 * settings.timeout_s):
                shown = await self._secure() if settings.security != "none" else None
                await self._client.connect()
                self.namespaces = await self._client.get_namespace_array()
            if shown is not None and not settings.server_certificate:
                await asyncio.to_thread(trust, settings, shown)
        except LinkLost:
            raise
        except TimeoutError:
            raise LinkLost(f"{self.where} did not answer within {settings.timeout_s:g} s") from None
        except ua.UaStatusCodeError as error:
            raise self._refusal(error) from None
        except OSError as error:
            raise LinkLost(f"{self.where} cannot be reached: {error or type(error).__name__}") from None
        except Exception as error:
            raise LinkLost(f"{self.where} does not answer as an OPC UA server: {error!r}") from None

    async def _secure(self) -> bytes:
        """Choose the endpoint and set the channel's security; gives the server's certificate, DER."""
        identity = await asyncio.to_thread(own_identity, self._settings)
        wanted = await asyncio.to_thread(known_server, self._settings)
        endpoints = await self._client.connect_and_get_server_endpoints()
        mode = ua.MessageSecurityMode.SignAndEncrypt
        try:
            endpoint = Client.find_endpoint(endpoints, mode, SecurityPolicyBasic256Sha256.URI)
        except ua.UaError:
            offered = sorted({f"{e.SecurityPolicyUri.rpartition('#')[2]}/{e.SecurityMode.name}" for e in endpoints})
            raise SignInRefused(
                f"{self.where} does not offer Basic256Sha256 with SignAndEncrypt; it offers "
                f"{', '.join(offered) or 'nothing'}"
            ) from None
        shown = bytes(endpoint.ServerCertificate or b"")
        shown = shown[: int.from_bytes(shown[2:4], "big") + 4]
        if wanted is not None and shown != wanted:
            pinned = self._settings.server_certificate or pin_path(self._settings)
            raise SignInRefused(
                f"{self.where} shows another certificate than the trusted one in {pinned}; if the server was changed "
                "on purpose, remove or replace that file"
            )
        self._client.application_uri = identity.uri
        await self._client.set_security(
            SecurityPolicyBasic256Sha256,
            certificate=CertProperties(identity.certificate, "pem"),
            private_key=CertProperties(identity.key, "pem"),
            server_certificate=CertProperties(shown, "der"),
            mode=mode,
        )
        return shown

    def _refusal(self, error: Any) -> LinkLost:
        settings, status = self._settings, int(error.code)
        if status in _USER_CODES:
            who = f"the user '{settings.user}' or the password" if settings.user else "an anonymous user"
            return SignInRefused(f"{self.where} refuses {who} ({words(status)})")
        if status in _CERTIFICATE_CODES:
            ours = settings.certificate or f"{settings.certificate_dir}/own.der"
            return SignInRefused(f"{self.where} refuses our certificate: let the server trust {ours} ({words(status)})")
        if status in _POLICY_CODES:
            return SignInRefused(f"{self.where} refuses the security '{settings.security}' ({words(status)})")
        return LinkLost(f"{self.where} refuses the connection: {words(status)}")

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
            lost = LinkLost(f"{self.where} did not answer within {self._settings.timeout_s:g} s")
        except ua.UaStatusCodeError as error:
            status = int(error.code)
            if status not in _GONE_CODES:
                raise ServiceRefusedError(status) from None
            lost = LinkLost(f"{self.where} ended the session: {words(status)}")
        except (OSError, ua.UaError, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            lost = LinkLost(f"the connection to {self.where} is lost: {error or type(error).__name__}")
        self._dead = True
        raise lost

    async def _on_lost(self, error: Exception) -> None:
        self._dead = True
        what = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        self._lost(LinkLost(f"the connection to {self.where} is lost: {what}"))
