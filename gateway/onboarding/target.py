"""Which device is meant: a connection of a site, or a URL such as modbus://10.1.2.3:502/1.

A serial line is modbus:///dev/ttyS0?baud=9600&unit=3. A URL's query holds any other setting of its protocol:
modbus://10.1.2.3/1?timeout_s=5. The password of user@host never stands in a URL: it is given apart.
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
from models.words import at, together
from protocols.adapter import Adapter
from protocols.registry import UnknownProtocol, adapter, names

OWN_CLIENT = "sevenones-tool-"
"""How the client ids begin under which the tools sign in at an MQTT broker: never under the gateway's, for
that would end the gateway's session and take its messages."""


class TargetError(ValueError):
    """What was named is no device that can be asked: why, and what to write, as "Chinese · English"."""


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
            said = together(plain_words(error, found.Settings) for error in errors.errors(include_url=False))
            raise TargetError(at(self.name, said)) from None
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
    # Who looks around does not say that the host is up, nor, on leaving, that it is down: its nodes would leave it.
    settings.pop("host_id", None)
    return Target(connection.name, connection.adapter, settings)


def is_url(text: str) -> bool:
    return "://" in text


def of_url(url: str, password: str = "") -> Target:
    """The device behind a URL. Raises TargetError saying what a URL looks like."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises when it is none
    except ValueError as error:
        words = f"“{url}”不是地址（URL）：{error} · '{url}' is not a URL: {error}"
        raise TargetError(words) from None
    if parts.password is not None:
        raise TargetError(
            "地址中的密码会被他人看到：请从地址中去掉，另行填写 · "
            "a password in a URL would be seen by others: leave it out, and give it as the prompt says"
        )
    scheme = parts.scheme.lower()
    name = {"opc.tcp": "opcua", "mqtts": "mqtt"}.get(scheme, scheme)
    if name not in names():
        raise TargetError(
            f"“{url}”：没有协议 {scheme}，请写作 modbus://10.1.2.3:502/1、opc.tcp://10.1.2.3:4840、"
            "mqtt://10.1.2.3:1883 等 · "
            f"'{url}': there is no protocol '{scheme}'; write modbus://10.1.2.3:502/1, opc.tcp://10.1.2.3:4840, "
            f"mqtt://10.1.2.3:1883, or one of {', '.join(names())} with its host and port"
        )
    settings = {**_of(name, scheme, parts, url), **_login(parts, password)}
    settings |= {key: scalar(value) for key, value in parse_qsl(parts.query)}
    if name == "opcua" and parts.username and "security" not in dict(parse_qsl(parts.query)):
        raise TargetError(
            f"“{url}”：没有安全策略时密码以明文发送，请加 ?security=basic256sha256（探测可见服务器支持哪些），必须时用 "
            f"?security=none · '{url}': without a security policy the password would be sent in the clear: add "
            "?security=basic256sha256 "
            "(probe shows what the server offers), or ?security=none where it must be"
        )
    if not parts.hostname and settings.get("transport") != "serial":
        raise TargetError(
            f"“{url}”没有主机，请写作 {scheme}://10.1.2.3 · '{url}' names no host: write {scheme}://10.1.2.3"
        )
    return Target(url, name, settings)


def _of(name: str, scheme: str, parts: SplitResult, url: str) -> dict[str, Any]:
    """What the parts of a URL say to this protocol."""
    if name == "opcua":
        return {"security": "none", "url": f"opc.tcp://{parts.netloc.rpartition('@')[2]}{parts.path}"}
    if name == "modbus" and not parts.netloc and parts.path.startswith("/dev/"):
        return {"transport": "serial", "port": parts.path}
    found: dict[str, Any] = {"host": parts.hostname} if parts.hostname else {}
    if name == "modbus" and parts.path.strip("/"):
        found["unit"] = _unit(parts.path.strip("/"), url)
    elif name == "mqtt":
        found["client_id"] = _client_id()
    if scheme == "mqtts":
        found |= {"port": 8883, "tls": {}}
    if parts.port is not None:
        found["port"] = parts.port
    return found


def _login(parts: SplitResult, password: str) -> dict[str, Any]:
    user = {"user": unquote(parts.username)} if parts.username else {}
    return {**user, "password": password} if user and password else user


def _unit(text: str, url: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 255:
        raise TargetError(
            f"“{url}”：端口之后是站号，0 到 255，不是“{text}” · "
            f"'{url}': after the port stands the unit, 0 to 255, and "
            f"not '{text}'"
        )
    return int(text)


def _client_id() -> str:
    return OWN_CLIENT + secrets.token_hex(4)
