"""Payloads of an MQTT device: how a topic's message is put together, and what a command says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from models.site.model import Point
from simulators.devices.json_path import JsonPath, place, slot

UNIT_US = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1, "iso": 1_000}
"""Units of time in a payload, in µs; `iso` is ISO 8601 with ms."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = "{value}"


class Topic:
    """One topic: which rows it carries, and where its time goes. Its document is made once; its values change."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[tuple[int, JsonPath]] = []
        self.time: JsonPath | None = None
        self.unit = "ms"
        self.encoding = "utf-8"
        self.form = "json"
        self.separator = ","
        self._document: Any = None
        self._slots: list[tuple[Any, str | int, int]] | None = None
        self._time: tuple[Any, str | int] | None = None

    def payload(self, values: Callable[[int], Any], ts: int) -> bytes:
        """The message of this moment."""
        if self._slots is None:
            self._grow()
        for container, key, row in self._slots or ():
            container[key] = values(row)
        if self._time is not None:
            self._time[0][self._time[1]] = written(ts, self.unit)
        document = self._document[0]
        if self.form == "json":
            data = orjson.dumps(document)
            return data if self.encoding == "utf-8" else data.decode().encode(self.encoding, "replace")
        if self.form == "csv":
            lines = [document.keys(), map(_plain, document.values())]
            return "\n".join(self.separator.join(line) for line in lines).encode(self.encoding, "replace")
        return _plain(document).encode(self.encoding, "replace")

    def _grow(self) -> None:
        # In a list of one, so that a document that is a bare value has a place too.
        paths = [(0, *path) for _, path in self.rows]
        when = [(0, *self.time)] if self.time is not None else []
        document: Any = [None]
        for path in (*paths, *when):
            document = place(document, path, None)
        self._document = document
        self._slots = [(*slot(document, path), row) for path, (row, _) in zip(paths, self.rows, strict=True)]
        self._time = slot(document, when[0]) if when else None


def written(ts: int, unit: str) -> int | str:
    """The time in a payload: a whole number in its unit, or ISO 8601."""
    if unit == "iso":
        return (_EPOCH + timedelta(microseconds=ts)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ts * 1000 if unit == "ns" else ts // UNIT_US[unit]


def _plain(value: Any) -> str:
    """A value where there are no types."""
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def words_of(point: Point) -> Mapping[float, str]:
    """The words that stand for a point's numbers: its option `words`, such as `运行=1, 停止=0`."""
    given = point.options.get("words", "")
    if isinstance(given, Mapping):
        return {float(number): str(word) for word, number in given.items()}
    pairs = (part.split("=") for part in str(given).replace("，", ",").split(",") if part.strip())
    return {float(number): word.strip() for word, number in pairs}


class Command:
    """What a message on a command's topic asks of a point. Raises ValueError for a template without its place."""

    def __init__(self, row: int, point: Point) -> None:
        self.row = row
        self.topic = str(point.options["command"])
        template = str(point.options.get("template", _PLACE))
        before, mark, after = template.partition(_PLACE)
        if not mark:
            raise ValueError(f"{point.path}: the template '{template}' has no {_PLACE}")
        self._form = re.compile(re.escape(before) + "(.+)" + re.escape(after), re.DOTALL)
        self._encoding = str(point.options.get("encoding", "utf-8"))
        self._text = point.type in ("text", "string")
        self._words = {word: number for number, word in words_of(point).items()}

    def value(self, payload: bytes) -> float | str | None:
        """The value that is asked for, as the device holds it; None when it is no such command."""
        match = self._form.fullmatch(payload.decode(self._encoding, "replace"))
        if match is None:
            return None
        said = match[1]
        try:
            if self._text:
                return str(json.loads(f'"{said}"'))
            if said in self._words:
                return self._words[said]
            return {"true": 1.0, "false": 0.0}.get(said) if said in ("true", "false") else float(said)
        except ValueError:
            return None


def commands_of(points: Sequence[Point]) -> dict[str, list[Command]]:
    """By topic, the commands of those points that name one."""
    found: dict[str, list[Command]] = {}
    for row, point in enumerate(points):
        if point.writable and point.options.get("command"):
            command = Command(row, point)
            found.setdefault(command.topic, []).append(command)
    return found
