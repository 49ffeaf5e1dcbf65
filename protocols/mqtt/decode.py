"""Messages to columns: which tags a topic feeds, and what its payload says for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from models.quality import Quality
from models.words import at, halves
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.mqtt.address import AbsentError, Steps, find
from protocols.mqtt.binding import Binding, Extractor, Layout
from protocols.mqtt.columns import Columns, Message
from protocols.mqtt.form import Form, MalformedError
from protocols.mqtt.topic import captured, covers, is_topic, matches

MAX_CACHED_TOPICS = 10_000
COUNTS = ("malformed_total", "unmatched_total", "absent_total", "unreadable_times_total")

_BAD = int(Quality.BAD)
_CONFIGURATION = int(Quality.BAD_CONFIGURATION)
_NAN = float("nan")
_NUMBERS = ("", "number")

_Route = tuple[tuple[Layout, tuple[Extractor, ...]], ...]


def convert(value: Any, extractor: Extractor) -> tuple[float, str | None]:
    """Value and text of what a path led to. Raises ValueError in plain words."""
    kind = extractor.type
    if kind == "text":
        if value is None:
            raise ValueError("设备发来 null · the device sent null")
        return _NAN, value if isinstance(value, str) else orjson.dumps(value).decode()
    if isinstance(value, str) and value in extractor.words:
        return extractor.words[value], None
    if isinstance(value, bool | int | float):
        if kind == "bool" and value not in (0, 1):
            raise ValueError(
                f"收到 {value!r}，应为 true、false、1 或 0 · {value!r} came where true, false, 1 or 0 is due"
            )
        try:
            return float(value), None
        except OverflowError:
            return float("inf"), None
    if value is None:
        raise ValueError("设备发来 null · the device sent null")
    if isinstance(value, str):
        if extractor.words:
            raise ValueError(
                f"文本 '{value[:40]}' 不属于 {', '.join(map(repr, extractor.words))} · "
                f"the text '{value[:40]}' is none of {', '.join(map(repr, extractor.words))}"
            )
        if kind != "number_text":
            raise ValueError(
                f"收到文本 '{value[:40]}'，应为数：以文本发来的数用类型 number_text，"
                "用选项 words 给各个词写明数值 · "
                f"the text '{value[:40]}' came where a number is due: the type number_text reads numbers sent as text, "
                "and the option words gives words their numbers"
            )
        try:
            return float(value), None
        except ValueError:
            raise ValueError(f"文本 '{value[:40]}' 不是数 · the text '{value[:40]}' is not a number") from None
    raise ValueError(
        f"路径指向{'对象' if isinstance(value, dict) else '列表'}，不是值 · "
        f"the path leads to {'an object' if isinstance(value, dict) else 'a list'}, not to a value"
    )


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
    """The tags of one connection, compiled: a topic is looked up once, then known. `discover`: patterns
    whose topics are looked at though no tag takes them."""

    def __init__(
        self, tags: Sequence[Tag], counts: dict[str, int], book: FindingBook, discover: Sequence[str] = ()
    ) -> None:
        self._counts = counts
        self._book = book
        self._discover = tuple(discover)
        self._known: dict[str, _Route] = {}
        self._patterns: dict[str, list[Binding]] = {}
        for tag in tags:
            binding = Binding.of(tag)
            self._patterns.setdefault(binding.topic, []).append(binding)
        self._wide = [(pattern.split("/"), pattern) for pattern in self._patterns if not is_topic(pattern)]
        self._answered: set[int] = set()
        """Tags whose path was found at least once, or whose absence was told."""

    @property
    def patterns(self) -> list[str]:
        """What to subscribe to."""
        return [*self._patterns, *self._discover]

    def indices(self, pattern: str) -> list[int]:
        """The tags whose own patterns this one covers."""
        return [
            binding.extractor.tag
            for own, bindings in self._patterns.items()
            if covers(pattern, own)
            for binding in bindings
        ]

    def route(self, topic: str) -> _Route:
        """What to take from a message on this topic, grouped by how it is laid out."""
        known = self._known.get(topic)
        if known is not None:
            return known
        if len(self._known) >= MAX_CACHED_TOPICS:
            self._known.clear()
        levels = topic.split("/")
        groups: dict[Layout, list[Extractor]] = {}
        names = [name for pattern, name in self._wide if matches(pattern, levels)]
        for name in [topic, *names] if is_topic(topic) else names:
            for binding in self._patterns.get(name, ()):
                groups.setdefault(binding.layout, []).append(binding.extractor)
        # Those of one form stand together, so that a payload is parsed once for them.
        forms = list(dict.fromkeys(layout.form for layout in groups))
        made = tuple(
            (replace(layout, form=form), tuple(extractors))
            for form in forms
            for layout, extractors in groups.items()
            if layout.form == form
        )
        self._known[topic] = made
        return made

    def decode(self, messages: Sequence[Message]) -> Reading | None:
        """All that these messages say, in their order; None when they say nothing for any tag."""
        columns = Columns()
        for number, message in enumerate(messages):
            route = self.route(message.topic)
            if not route:
                self._unmatched(message)
                continue
            form: Form | None = None
            document: Any = None
            wrong = ""
            for layout, extractors in route:
                if layout.form is not form:
                    form = layout.form
                    document, wrong = self._parse(message, form)
                if wrong:
                    columns.bad_all(extractors, int(Quality.BAD_COMMUNICATION), at(message.topic, wrong), number)
                else:
                    self._take_all(columns, message, number, document, layout, extractors)
        return columns.reading(messages) if len(columns) else None

    def _unmatched(self, message: Message) -> None:
        self._counts["unmatched_total"] += 1
        levels = message.topic.split("/")
        pattern = next((p for p in self._discover if matches(p.split("/"), levels)), "")
        name = captured(pattern, message.topic) if pattern else ""
        words = "没有测点使用此主题 · no point takes anything from this topic"
        if name:
            words = (
                f"没有测点使用由 {pattern} 发现的 '{name}' · "
                f"no point takes anything from '{name}', which {pattern} discovered"
            )
        self._book.note("unknown topic", message.topic, words, message.payload)

    def _parse(self, message: Message, form: Form) -> tuple[Any, str]:
        """The document, or what is wrong with the payload."""
        try:
            return form.parse(message.payload), ""
        except MalformedError as error:
            return None, self._malformed(message, str(error))

    def _malformed(self, message: Message, reason: str) -> str:
        self._counts["malformed_total"] += 1
        self._book.note("malformed", message.topic, reason, message.payload)
        return reason

    def _take_all(
        self,
        columns: Columns,
        message: Message,
        number: int,
        document: Any,
        layout: Layout,
        extractors: tuple[Extractor, ...],
    ) -> None:
        """The rows of one message for the tags of one layout."""
        clock = layout.clock
        if layout.samples is None:
            self._take(columns, message, number, document, *self._time(clock, document), extractors)
            return
        try:
            samples, wrong = (
                find(document, layout.samples),
                "应为样本列表之处不是列表 · what should be the list of samples is none",
            )
        except AbsentError as absent:
            samples, wrong = (
                None,
                f"没有样本列表：{halves(absent).zh} · the list of samples is not there: {halves(absent).en}",
            )
        if not isinstance(samples, list):
            reason = at(message.topic, self._malformed(message, wrong))
            columns.bad_all(extractors, int(Quality.BAD_COMMUNICATION), reason, number)
            return
        if clock is None or not clock.of_sample:
            time = self._time(clock, document)
            for sample in samples:
                self._take(columns, message, number, sample, *time, extractors)
        else:
            for sample in samples:
                self._take(columns, message, number, sample, *self._time(clock, sample), extractors)

    def _time(self, clock: Any, document: Any) -> tuple[int, str]:
        """µs UTC, or 0 and why there is none."""
        if clock is None:
            return 0, ""
        try:
            return clock.read(document), ""
        except ValueError as error:
            self._counts["unreadable_times_total"] += 1
            return 0, str(error)

    def _take(
        self,
        columns: Columns,
        message: Message,
        number: int,
        sample: Any,
        ts: int,
        doubt: str,
        extractors: tuple[Extractor, ...],
    ) -> None:
        """The rows of one sample."""
        answered, first = self._answered, len(columns)
        for extractor in extractors:
            index = extractor.tag
            try:
                value = _reach(sample, extractor.steps)
                if type(value) is float and extractor.type in _NUMBERS:
                    columns.add(index, value, ts, number)
                else:
                    value, text = convert(value, extractor)
                    columns.add(index, value, ts, number, text)
                answered.add(index)
            except AbsentError as absent:
                self._counts["absent_total"] += 1
                if index not in answered:
                    # A device may send parts by turns, so only a path never found is told, and once.
                    answered.add(index)
                    said = halves(absent)
                    reason = (
                        f"路径 '{extractor.path}' 处没有值：{said.zh} · "
                        f"nothing at the path '{extractor.path}': {said.en}"
                    )
                    self._book.note("nothing at the path", message.topic, reason, message.payload)
                    columns.bad(index, _CONFIGURATION, at(message.topic, reason), ts, number)
            except ValueError as error:
                reason = at(f"'{extractor.path}'", error)
                self._book.note("no value", f"{message.topic}#{extractor.path}", reason, message.payload)
                columns.bad(index, _BAD, at(message.topic, reason), ts, number)
        quality = int(Quality.UNCERTAIN)
        if message.retained and not ts:
            quality = int(Quality.UNCERTAIN_LAST_USABLE)
            doubt = (
                doubt
                or "此值由代理保留，消息中没有说明是何时的值 · "
                "a value that the broker retained, and the message does not say how old it is"
            )
        if doubt:
            columns.doubt(first, quality, at(message.topic, doubt))
