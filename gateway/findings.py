"""What devices sent and could not be used: the dead letters of all connections, for the engineer.

Memory is bounded: 100 findings a connection, 256 bytes of payload each. What looks like a device's own
password in a payload is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.connection import DeviceConnection
from protocols.findings import KEPT_BYTES, Finding

MOST_SHOWN = 1000

_CHINESE = b"|".join(re.escape(word.encode(code)) for word in ("密码", "口令") for code in ("utf-8", "gbk"))
_SECRETS = (
    # After the word for it; an HTTP header has the kind of the secret before it.
    re.compile(
        rb"""((?:password|passwd|passphrase|pwd|secret|token|api_?key|authorization|%b)["']?\s*[:=]\s*)"""
        rb"""("[^"]*"?|'[^']*'?|(?:(?:bearer|basic|digest)\s+)?[^"',;&\s}]+)""" % _CHINESE,
        re.IGNORECASE,
    ),
    # Of a user in a URL.
    re.compile(rb"""(://[^/\s:@"']*:)([^@/\s"']+)(?=@)"""),
)


class FindingsPage:
    """Renders the findings when asked for."""

    def __init__(self, connections: Iterable[DeviceConnection]) -> None:
        self._connections = connections  # asked anew each time: they may change

    def show(self, name: str | None = None) -> dict[str, Any] | None:
        """All that is known, or of one connection alone, the latest first, fit for JSON; None when this
        gateway has no such connection."""
        chosen = [connection for connection in self._connections if name in (None, connection.spec.name)]
        if name is not None and not chosen:
            return None
        found = [(finding, connection) for connection in chosen for finding in connection.findings()]
        found.sort(key=lambda pair: pair[0].last, reverse=True)
        kinds: dict[str, int] = {}
        for finding, _ in found:
            kinds[finding.kind] = kinds.get(finding.kind, 0) + finding.count
        return {
            "findings": [_as_json(finding, connection) for finding, connection in found[:MOST_SHOWN]],
            "not_shown": max(0, len(found) - MOST_SHOWN),
            "kinds": kinds,
            "counters": {connection.spec.name: connection.counters() for connection in chosen},
        }


def _masked(data: bytes) -> bytes:
    for secret in _SECRETS:
        data = secret.sub(lambda found: found[1] + b"*" * len(found[2]), data)
    return data


def _as_json(finding: Finding, connection: DeviceConnection) -> Mapping[str, Any]:
    payload = _masked(finding.payload[:KEPT_BYTES])
    return {
        "connection": connection.spec.name,
        "adapter": connection.spec.adapter,
        "kind": finding.kind,
        "where": finding.where,
        "reason": _masked(finding.reason.encode()).decode("utf-8", "replace"),
        "count": finding.count,
        "first": finding.first,
        "last": finding.last,
        "payload_hex": payload.hex(" "),
        "payload_text": payload.decode("utf-8", "replace"),
    }
