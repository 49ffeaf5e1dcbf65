"""What came, for the engineer who looks around: the topics, and the fields of the newest payload of each.

Bounded: so many topics, and of each at most one payload of a moderate size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from protocols.adapter import Node
from protocols.mqtt.columns import Message
from protocols.mqtt.form import Form, MalformedError

MAX_TOPICS = 500
MAX_PAYLOAD_BYTES = 32_768
MAX_FIELDS = 500
MAX_DEPTH = 16
MAX_ELEMENTS = 16
"""Elements of a list of plain values that are listed one by one."""

_GUESSES = (Form(), Form(encoding="gbk"))


class Seen:
    """The topics seen last, each with its newest payload and how often it came."""

    def __init__(self) -> None:
        self._topics: OrderedDict[str, tuple[bytes, int]] = OrderedDict()

    def __contains__(self, topic: str) -> bool:
        return topic in self._topics

    def note(self, messages: Sequence[Message]) -> None:
        """These came."""
        for message in messages:
            _, times = self._topics.get(message.topic, (b"", 0))
            payload = message.payload if len(message.payload) <= MAX_PAYLOAD_BYTES else b""
            self._topics[message.topic] = (payload, times + 1)
            if not times and len(self._topics) > MAX_TOPICS:
                self._topics.popitem(last=False)

    def topics(self) -> list[Node]:
        """A folder for each topic."""
        return [Node("", topic, f"{times} messages", "") for topic, (_, times) in sorted(self._topics.items())]

    def fields(self, topic: str) -> list[Node]:
        """What the newest payload of a topic has, each with its address, kind and an example."""
        if topic not in self._topics:
            return []
        payload, _ = self._topics[topic]
        document = _guess(payload)
        found: list[Node] = []
        for path, value in _walk(document, "", 0):
            if len(found) >= MAX_FIELDS:
                break
            found.append(Node(f"{topic}#{path or '$'}", path or "$", f"{_kind(value)}, e.g. {str(value)[:40]}", topic))
        return found


def _guess(payload: bytes) -> Any:
    for form in _GUESSES:
        try:
            return form.parse(payload)
        except MalformedError:
            continue
    return payload.decode("utf-8", "replace")


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """The plain values of a document, each with its path. Of a list of objects the first speaks for all."""
    if depth < MAX_DEPTH and isinstance(value, dict):
        for key, inner in value.items():
            plain = key and not set(key) & set(".[]'\" \t\n") and not (key[0] == "$" and not path)
            step = (f".{key}" if path else key) if plain else f"['{key}']"
            yield from _walk(inner, path + step, depth + 1)
    elif depth < MAX_DEPTH and isinstance(value, list):
        if value and isinstance(value[0], dict | list):
            yield from _walk(value[0], f"{path or '$'}[*]" if "[*]" not in path else f"{path}[0]", depth + 1)
        else:
            for number, inner in enumerate(value[:MAX_ELEMENTS]):
                yield from _walk(inner, f"{path or '$'}[{number}]", depth + 1)
    elif path or not isinstance(value, dict | list):
        yield path, value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "text"
