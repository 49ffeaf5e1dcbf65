"""What an OPC UA address is: a node id whose namespace is named by its URI.

    nsu=urn:maker:shearer;s=Shearer.Speed     also i=<number>, g=<GUID>, b=<base64>
    i=2258                                    OPC UA's own namespace, which is the same everywhere

    call:nsu=urn:plc;s=Belt|nsu=urn:plc;s=Belt.Start   a method of an object, called by writing

A namespace's index may change whenever the server restarts, so `ns=2;…` is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

CALL = "call:"
_BETWEEN = re.compile(r"\|(?=nsu=|[sigb]=)")
OPC_NAMESPACE = "http://opcfoundation.org/UA/"


class UnknownNamespaceError(LookupError):
    """The server has no such namespace now; the message names those it has."""


@dataclass(frozen=True, slots=True)
class Address:
    """`kind` is s, i, g or b; `identifier` the value that asyncua takes for it."""

    uri: str
    kind: str
    identifier: Any

    def node_id(self, namespaces: Sequence[str]) -> Any:
        """The node id in a server whose namespace array this is. Raises UnknownNamespaceError."""
        try:
            index = namespaces.index(self.uri)
        except ValueError:
            raise UnknownNamespaceError(
                f"服务器没有命名空间 '{self.uri}'，有 {', '.join(namespaces[1:]) or '（只有其自身的）'} · "
                f"the server has no namespace '{self.uri}'; it has {', '.join(namespaces[1:]) or 'none but its own'}"
            ) from None
        makers = {
            "s": ua.NodeIdType.String,
            "i": ua.NodeIdType.Numeric,
            "g": ua.NodeIdType.Guid,
            "b": ua.NodeIdType.ByteString,
        }
        return ua.NodeId(self.identifier, index, makers[self.kind])


def parse_address(address: str) -> Address:
    """Take an address apart. Raises ValueError in plain words."""
    uri, rest = OPC_NAMESPACE, address
    if address.startswith("ns="):
        raise ValueError(
            f"'{address}' 以索引写命名空间，索引会变，请写作 nsu=<URI>;s=… · "
            f"'{address}' names the namespace by its index, which can change: write nsu=<URI>;s=…"
        )
    if address.startswith("svr="):
        raise ValueError(
            f"'{address}' 指向另一服务器，请为该服务器另建连接 · "
            f"'{address}' names another server: make a connection to that server"
        )
    if address.startswith("nsu="):
        uri, semicolon, rest = address[4:].partition(";")
        if not uri or not semicolon:
            raise ValueError(
                f"'{address}' 应为 nsu=<namespace URI>;s=<name>（或 i=、g=、b=） · "
                f"'{address}' must be nsu=<namespace URI>;s=<name> (or i=, g=, b=)"
            )
        uri = uri.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    kind, equals, text = rest.partition("=")
    if kind not in ("s", "i", "g", "b") or not equals or not text:
        raise ValueError(
            f"'{address}' 没有标识，请写作 nsu=<namespace URI>;s=<name>（或 i=、g=、b=） · "
            f"'{address}' has no identifier: write nsu=<namespace URI>;s=<name> (or i=, g=, b=)"
        )
    return Address(uri, kind, _identifier(kind, text, address))


def _identifier(kind: str, text: str, address: str) -> Any:
    if kind == "s":
        return text
    if kind == "i":
        if not (text.isascii() and text.isdecimal()) or int(text) > 0xFFFFFFFF:
            raise ValueError(
                f"'{address}'：i= 之后应为 0 至 4294967295 的数，不是 '{text}' · "
                f"'{address}': after i= comes a number from 0 to 4294967295, not '{text}'"
            )
        return int(text)
    try:
        return uuid.UUID(text) if kind == "g" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        what = "a GUID" if kind == "g" else "base64"
        raise ValueError(
            f"'{address}'：{kind}= 之后应为 {'GUID' if kind == 'g' else 'base64'}，不是 '{text}' · "
            f"'{address}': after {kind}= comes {what}, not '{text}'"
        ) from None


def parse_call(address: str) -> tuple[Address, Address]:
    """Object and method of a `call:` address. Raises ValueError in plain words."""
    parts = _BETWEEN.split(address.removeprefix(CALL))
    if not address.startswith(CALL) or len(parts) != 2:
        raise ValueError(
            f"'{address}' 应为 call:<the object's address>|<the method's address>（对象地址|方法地址） · "
            f"'{address}' must be call:<the object's address>|<the method's address>"
        )
    return parse_address(parts[0]), parse_address(parts[1])


def readable(address: str) -> Address:
    """The address of a value. Raises ValueError for one that is only called."""
    if address.startswith(CALL):
        raise ValueError(
            "方法没有可读的值：写入测点时调用它 · a method has no value to read: it is called when the point is written"
        )
    return parse_address(address)


def format_address(node_id: Any, namespaces: Sequence[str]) -> str:
    """The address of a node id that a server gave."""
    kind, text = "s", str(node_id.Identifier)
    if isinstance(node_id.Identifier, int):
        kind = "i"
    elif isinstance(node_id.Identifier, uuid.UUID):
        kind = "g"
    elif isinstance(node_id.Identifier, bytes):
        kind, text = "b", base64.b64encode(node_id.Identifier).decode()
    if node_id.NamespaceIndex == 0:
        return f"{kind}={text}"
    uri = namespaces[node_id.NamespaceIndex].replace("%", "%25").replace(";", "%3B")
    return f"nsu={uri};{kind}={text}"
