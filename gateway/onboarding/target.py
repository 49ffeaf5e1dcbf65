"""Which device is meant: a connection of a site, or a URL such as modbus://10.1.2.3:502/1.

A URL's query holds any other setting of its protocol: modbus://10.1.2.3/1?timeout_s=5. The password
of user@host never stands in a URL: it is given apart.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from gateway.onboarding.mqtt_session import forget
from models.site.model import Connection
from models.site.schema import plain_words
from models.site.yamlfile import scalar
from protocols.adapter import Adapter
from protocols.registry import UnknownProtocol, adapter, names

OWN_CLIENT = "sevenones-tool-"
"""How the client ids begin under which the tools sign in at an MQTT broker: never under the gateway's, for
that would end the gateway's session and take its messages."""


class TargetError(ValueError):
    """What was named is no device that can be asked: why, and what to write."""


@dataclass(frozen=True, slots=True)
class Target:
    """A device: the protocol's name and the settings of its connection."""

    name: str
    adapter: str
    settings: Mapping[str, Any]

    def build(self) -> Adapter[Any, Any]:
        """An adapter for it, not yet connected. Raises TargetError."""
        try:
            found = adapter(self.adapter)
        except UnknownProtocol as error:
            raise TargetError(str(error)) from None
        try:
            settings = found.Settings.model_validate(dict(self.settings))
        except ValidationError as errors:
            said = "; ".join(plain_words(error, found.Settings) for error in errors.errors(include_url=False))
            raise TargetError(f"{self.name}: {said}") from None
        return found(settings)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Adapter[Any, Any]]:
        """The device's adapter, connected, and closed at the end. Raises TargetError, LinkLost."""
        device = self.build()
        try:
            await device.connect()
            yield device
        finally:
            await device.close()
            if str(self.settings.get("client_id", "")).startswith(OWN_CLIENT):
                await forget(device.settings, str(self.settings["client_id"]))


def of_connection(connection: Connection) -> Target:
    """A connection of a site, under a name of our own where the other side knows its clients by name."""
    settings = dict(connection.settings)
    if "client_id" in settings:
        settings["client_id"] = _client_id()
    return Target(connection.name, connection.adapter, settings)


def is_url(text: str) -> bool:
    return "://" in text


def of_url(url: str, password: str = "") -> Target:
    """The device behind a URL. Raises TargetError saying what a URL looks like."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"'{url}' is not a URL: {error}") from None
    if parts.password is not None:
        raise TargetError("a password in a URL would be seen by others: leave it out, and give it as the prompt says")
    scheme = parts.scheme.lower()
    settings = {key: scalar(value) for key, value in parse_qsl(parts.query)}
    if scheme in ("opc.tcp", "opcua"):
        where = parts.netloc.rpartition("@")[2]
        settings = {"security": "none", **settings, "url": f"opc.tcp://{where}{parts.path}"}
        name = "opcua"
    elif scheme in ("mqtt", "mqtts"):
        settings = {"client_id": _client_id(), **_host(parts), **settings}
        if scheme == "mqtts":
            settings = {"port": 8883, "tls": {}, **settings}
        name = "mqtt"
    else:
        name = scheme
        settings = {**_host(parts), **settings}
        if scheme == "modbus" and parts.path.strip("/"):
            settings["unit"] = _unit(parts.path.strip("/"), url)
        if name not in names():
            raise TargetError(
                f"'{url}': there is no protocol '{scheme}'; write modbus://10.1.2.3:502/1, opc.tcp://10.1.2.3:4840, "
                f"mqtt://10.1.2.3:1883, or one of {', '.join(names())} with its host and port"
            )
    if port is not None and name != "opcua":
        settings["port"] = port
    if parts.username:
        settings["user"] = unquote(parts.username)
        if password:
            settings["password"] = password
    if not parts.hostname and "device" not in settings and "host" not in settings:
        raise TargetError(f"'{url}' names no host: write {scheme}://10.1.2.3")
    return Target(url, name, settings)


def _host(parts: SplitResult) -> dict[str, Any]:
    return {"host": parts.hostname} if parts.hostname else {}


def _unit(text: str, url: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 255:
        raise TargetError(f"'{url}': after the port stands the unit, 0 to 255, and not '{text}'")
    return int(text)


def _client_id() -> str:
    return OWN_CLIENT + secrets.token_hex(4)
