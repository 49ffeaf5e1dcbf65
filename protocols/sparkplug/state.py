"""The host's STATE: retained, so that an edge node that comes later knows whether its host is there."""

from __future__ import annotations

import time

import orjson

from protocols.mqtt.columns import Message
from protocols.mqtt.link import Link, Will
from protocols.sparkplug.host import PREFIX


class HostState:
    """Says that the host is up, and that it is not. Both have the same time, of when it connected."""

    def __init__(self, host_id: str) -> None:
        self.topic = f"{PREFIX}/STATE/{host_id}"
        self._since = time.time_ns() // 1_000_000

    def _payload(self, online: bool) -> bytes:
        return orjson.dumps({"online": online, "timestamp": self._since})

    @property
    def will(self) -> Will:
        return Will(self.topic, self._payload(False))

    def say(self, link: Link, *, online: bool) -> None:
        """Publish it. Raises LinkLost."""
        link.publish(self.topic, self._payload(online), qos=1, retain=True)

    def contradicted(self, message: Message) -> bool:
        """Whether a message on our topic says that we are gone: the will of a connection before this."""
        if message.topic != self.topic:
            return False
        try:
            said = orjson.loads(message.payload)
        except orjson.JSONDecodeError:
            return True
        return not (isinstance(said, dict) and said.get("online") is True)
