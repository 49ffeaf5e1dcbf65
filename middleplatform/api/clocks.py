"""The devices whose clocks are off, as the gateways' heartbeats tell it."""

from __future__ import annotations

import json

OLD_US = 10_000_000
"""A gateway tells every 2 s; what it has not said for so long is known no more."""


class Clocks:
    """By gateway: how many of its devices have a clock that is further off than is allowed."""

    def __init__(self) -> None:
        self._off: dict[str, tuple[int, int]] = {}

    def take(self, gateway: str, heartbeat: bytes, now: int) -> None:
        """What a gateway said at `now`, µs UTC; what cannot be read says nothing."""
        try:
            connections = json.loads(heartbeat)["connections"].values()
            off = sum(connection.get("clock_doubted") is True for connection in connections)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        self._off[gateway] = now, off

    def trouble(self, now: int) -> list[str]:
        """What is wrong, in words. It names no device: whoever asks may not be allowed to see it."""
        return [
            f"gateway {gateway}: the clocks of {off} of its devices are off and their samples uncertain: set them, "
            "/findings of the gateway says which"
            for gateway, (at, off) in sorted(self._off.items())
            if off and now - at < OLD_US
        ]
