"""Looking around: the groups, nodes, devices and metrics that a broker carries.

Over a link of its own: it listens to all of Sparkplug B for a while, asks each node that it meets for its births, and
gives what these say. A way is `group/node/device`, a `/` within a name written `&/`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from protocols.adapter import AdapterError, Node
from protocols.mqtt.link import LINK_COUNTS, Link
from protocols.sparkplug.commands import rebirth
from protocols.sparkplug.host import PREFIX
from protocols.sparkplug.settings import SparkplugSettings
from protocols.sparkplug.values import NAMES, words
from protocols.sparkplug.wire import MalformedError, parse

MAX_NODES = 1_000
MAX_METRICS = 20_000
"""Of all nodes together."""
AT_ONCE, BYTES_AT_ONCE = 500, 500_000

Place = tuple[str, ...]
"""Group, node and, for a device, its name."""


class Found:
    """What the births said: metrics with their types, by place."""

    def __init__(self) -> None:
        self.metrics: dict[Place, dict[str, str]] = {}
        self.asked: set[Place] = set()

    def hear(self, topic: str, payload: bytes) -> Place | None:
        """Take one message. Gives the node to be asked for its births, when it is met for the first time."""
        levels = topic.split("/")
        if levels[0] != PREFIX or len(levels) not in (4, 5) or levels[2] not in _FROM_NODES:
            return None
        node = (levels[1], levels[3])
        if levels[2] in ("NBIRTH", "DBIRTH"):
            with contextlib.suppress(MalformedError):
                self._learn((*node, *levels[4:]), payload)
        if node in self.asked or len(self.asked) >= MAX_NODES:
            return None
        self.asked.add(node)
        return node

    def _learn(self, place: Place, payload: bytes) -> None:
        left = MAX_METRICS - sum(map(len, self.metrics.values()))
        born = [
            (words(metric.name), NAMES.get(metric.datatype, "")) for metric in parse(payload).metrics if metric.name
        ]
        self.metrics[place] = dict(born[: max(0, left)])

    def below(self, parent: str) -> list[Node]:
        """What is below a way: folders first, then metrics."""
        at = tuple(part.replace("\0", "/") for part in parent.replace("&/", "\0").split("/")) if parent else ()
        depth = len(at)
        inner = {place[depth] for place in {*self.metrics, *self.asked} if place[:depth] == at and len(place) > depth}
        nodes = [Node("", name, _KINDS[depth], parent) for name in sorted(inner)]
        for name, kind in self.metrics.get(at, {}).items():
            nodes.append(Node(f"{'/'.join(at)}:{name}", name, kind, parent))
        return nodes


_FROM_NODES = ("NBIRTH", "NDATA", "DBIRTH", "DDATA")
_KINDS = ("group", "node", "device")


async def listen(settings: SparkplugSettings) -> Found:
    """Hear what there is, for `browse_s`. Raises AdapterError, LinkLost."""
    found = Found()
    link = Link(settings, dict.fromkeys(LINK_COUNTS, 0), passing=True)
    try:
        await link.open()
        for pattern in await link.subscribe([f"{PREFIX}/#"]):
            raise AdapterError(
                f"代理不允许此用户订阅 '{pattern}' · the broker does not let this user listen to '{pattern}'"
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.browse_s):
                while True:
                    messages = await link.take(AT_ONCE, BYTES_AT_ONCE)
                    for message in messages:
                        if (node := found.hear(message.topic, message.payload)) is not None:
                            link.publish(*rebirth(*node))
                    link.acknowledge([message.number for message in messages if message.number >= 0])
    finally:
        await link.close()
    return found


def children(found: Found, parent: str) -> Sequence[Node]:
    """The nodes below a way. Raises AdapterError when there is no such way."""
    nodes = found.below(parent)
    if not nodes and parent:
        raise AdapterError(
            f"'{parent}' 处没有收到任何消息：不发消息的节点无法找到 · "
            f"nothing at '{parent}' has been heard: a node that says nothing is not found"
        )
    return nodes
