"""Messages to columns: which tags a topic feeds, and what its payload says for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from models.quality import Quality
from protocols.adapter import Reading, Tag
from protocols.mqtt.address import AbsentError, Steps, find, matches, parse_address
from protocols.mqtt.clock import Clock
from protocols.mqtt.columns import Columns, Message

TYPES = ("", "number", "bool", "text", "number_text")
MAX_PAYLOAD_BYTES = 1_000_000
MAX_CACHED_TOPICS = 10_000

_BAD = int(Quality.BAD)
_GOOD = int(Quality.GOOD)
_CONFIGURATION = int(Quality.BAD_CONFIGURATION)
_NAN = float("nan")
_NUMBERS = ("", "number")


@dataclass(frozen=True, slots=True)
class _Extractor:
    index: int
    steps: Steps
    path: str
    type: str


_Route = tuple[tuple[Clock | None, tuple[_Extractor, ...]], ...]


class MalformedError(ValueError):
    """A payload that is no JSON document of a bounded size; the message says why."""


def parse(payload: bytes) -> Any:
    """The JSON document of a payload. NaN and Infinity, which are no JSON but are met, are read as
    such, so that only their own points go bad. Raises MalformedError."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MalformedError(f"the payload has {len(payload):,} bytes; {MAX_PAYLOAD_BYTES:,} is the most")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if b"NaN" in payload or b"Infinity" in payload:
            try:
                return json.loads(payload)
            except (ValueError, RecursionError):
                pass
        raise MalformedError(f"the payload is not JSON: {error}; it begins {payload[:60]!r}") from None


def _convert(value: Any, kind: str) -> tuple[float, str | None]:
    """Value and text of what a path led to. Raises ValueError in plain words."""
    if kind == "text":
        if value is None:
            raise ValueError("the device sent null")
        return _NAN, value if isinstance(value, str) else orjson.dumps(value).decode()
    if isinstance(value, bool | int | float):
        if kind == "bool" and value not in (0, 1):
            raise ValueError(f"{value!r} came where true, false, 1 or 0 is due")
        try:
            return float(value), None
        except OverflowError:
            return float("inf"), None
    if value is None:
        raise ValueError("the device sent null")
    if isinstance(value, str):
        if kind != "number_text":
            raise ValueError(
                f"the text '{value[:40]}' came where a number is due: the type number_text reads numbers sent as text"
            )
        try:
            return float(value), None
        except ValueError:
            raise ValueError(f"the text '{value[:40]}' is not a number") from None
    raise ValueError(f"the path leads to {'an object' if isinstance(value, dict) else 'a list'}, not to a value")


def _reach(document: Any, steps: Steps) -> Any:
    """`find`, in haste. Raises AbsentError."""
    value = document
    try:
        for step in steps:
            if type(value) is str:  # a text has elements too, but none that a path means
                break
            value = value[step]
        else:
            return value
    except (LookupError, TypeError):
        pass
    return find(document, steps)


class Decoder:
    """The tags of one connection, compiled: a topic is looked up once, then known."""

    def __init__(self, tags: Sequence[Tag], counts: dict[str, int]) -> None:
        self._counts = counts
        self._known: dict[str, _Route] = {}
        self._patterns: dict[str, list[tuple[Clock | None, _Extractor]]] = {}
        for tag in tags:
            address = parse_address(tag.address)
            extractor = _Extractor(tag.index, address.steps, address.path, tag.type)
            self._patterns.setdefault(address.topic, []).append((Clock.from_options(tag.options), extractor))
        self._levels = [(pattern.split("/"), pattern) for pattern in self._patterns]
        self._answered: set[int] = set()
        """Tags whose path was found at least once, or whose absence was told."""

    @property
    def patterns(self) -> list[str]:
        """What to subscribe to."""
        return list(self._patterns)

    def indices(self, pattern: str) -> list[int]:
        """The tags of one pattern."""
        return [extractor.index for _, extractor in self._patterns[pattern]]

    def route(self, topic: str) -> _Route:
        """What to take from a message on this topic, grouped by where its time is."""
        known = self._known.get(topic)
        if known is not None:
            return known
        if len(self._known) >= MAX_CACHED_TOPICS:
            self._known.clear()
        levels = topic.split("/")
        groups: dict[Clock | None, list[_Extractor]] = {}
        for pattern, name in self._levels:
            if matches(pattern, levels):
                for clock, extractor in self._patterns[name]:
                    groups.setdefault(clock, []).append(extractor)
        made = tuple((clock, tuple(extractors)) for clock, extractors in groups.items())
        self._known[topic] = made
        return made

    def decode(self, messages: Sequence[Message]) -> Reading | None:
        """All that these messages say, in their order; None when they say nothing for any tag."""
        columns = Columns()
        for number, message in enumerate(messages):
            route = self.route(message.topic)
            if not route:
                self._counts["unmatched_total"] += 1
                continue
            try:
                document = parse(message.payload)
            except MalformedError as error:
                self._counts["malformed_total"] += 1
                for _, extractors in route:
                    for extractor in extractors:
                        reason = f"{message.topic}: {error}"
                        columns.bad(extractor.index, int(Quality.BAD_COMMUNICATION), reason, 0, number)
                continue
            for clock, extractors in route:
                self._take(columns, message, number, document, clock, extractors)
        return columns.reading(messages) if len(columns) else None

    def _take(
        self,
        columns: Columns,
        message: Message,
        number: int,
        document: Any,
        clock: Clock | None,
        extractors: tuple[_Extractor, ...],
    ) -> None:
        """The rows of one message whose time is at one place."""
        ts, quality, doubt = 0, _GOOD, ""
        if clock is not None:
            try:
                ts = clock.read(document)
            except ValueError as error:
                self._counts["unreadable_times_total"] += 1
                quality, doubt = int(Quality.UNCERTAIN), str(error)
        if message.retained and not ts:
            quality = int(Quality.UNCERTAIN_LAST_USABLE)
            doubt = doubt or "a value that the broker retained, and the message does not say how old it is"
        answered, first = self._answered, len(columns)
        for extractor in extractors:
            index, kind = extractor.index, extractor.type
            try:
                value = _reach(document, extractor.steps)
                if type(value) is float and kind in _NUMBERS:
                    columns.add(index, value, ts, number)
                else:
                    value, text = _convert(value, kind)
                    columns.add(index, value, ts, number, text)
                answered.add(index)
            except AbsentError as absent:
                self._counts["absent_total"] += 1
                if index not in answered:
                    # A device may send parts by turns, so only a path never found is told, and once.
                    answered.add(index)
                    reason = f"{message.topic}: nothing at the path '{extractor.path}': {absent}"
                    columns.bad(index, _CONFIGURATION, reason, ts, number)
            except ValueError as error:
                columns.bad(index, _BAD, f"{message.topic}: '{extractor.path}': {error}", ts, number)
        if doubt:
            columns.doubt(first, quality, f"{message.topic}: {doubt}")
