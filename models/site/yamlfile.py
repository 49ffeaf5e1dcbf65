"""YAML with line numbers, for people's files.

Plain data only: no tags, anchors or aliases (so that a small file stays a small tree), a bounded
depth, duplicate keys refused. Plain scalars follow YAML 1.2's core: `no` and `12:30` and
`2026-01-01` are text, and so is a number with a leading zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from models.site.problems import Problems

MAX_DEPTH = 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False, "True": True, "False": False}

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A file's data and where each part of it stands: `lines` maps a path to a line, from 1."""

    file: str
    data: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest part around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def scalar(text: str) -> Any:
    """What a plain scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not (text.lstrip("+-").startswith("0") and text.lstrip("+-").isdigit()):
        return float(text)
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or sequence being read. `key` is the mapping's key that waits for its value."""

    value: dict[Any, Any] | list[Any]
    path: Path
    key: Any = None
    has_key: bool = False
    skip: bool = False


def parse(text: str, file: str, problems: Problems) -> Document | None:
    """The one document in `text`, or None with its mistakes added to `problems`."""
    try:
        return _Reader(file, problems).read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = mark.line + 1 if mark else ""
        why = error.problem or error.context
        problems.add(file, where, f"不是 YAML：{why} · not YAML: {why}")
    except yaml.YAMLError as error:
        problems.add(file, "", f"不是 YAML：{error} · not YAML: {error}")
    return None


class _Reader:
    """Builds the data from the parser's events, without recursion."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.document = Document(file, None)
        self.problems = problems
        self.stack: list[_Open] = []
        self.failed = False

    def read(self, text: str) -> Document | None:
        documents = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.mistake(
                        line,
                        "一个文件只有一个文档，此处又开始第二个（---） · "
                        "one document a file, and here a second one begins (---)",
                    )
                    return None
            elif isinstance(event, yaml.AliasEvent):
                self.mistake(
                    line,
                    f"矿井配置文件不用别名（*{event.anchor}）：请写出值本身 · "
                    f"aliases (*{event.anchor}) are not used in site files: write the value out",
                )
                return None
            elif isinstance(event, yaml.ScalarEvent):
                self.plain_only(event, line)
                plain = event.implicit[0] and event.style in (None, "")
                self.put(scalar(event.value) if plain else event.value, event.value, line)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self.plain_only(event, line)
                if len(self.stack) >= MAX_DEPTH:
                    self.mistake(line, f"嵌套超过 {MAX_DEPTH} 层 · nested deeper than {MAX_DEPTH}")
                    return None
                value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                self.stack.append(_Open(value, self.put(value, None, line)))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self.stack.pop()
        return None if self.failed else self.document

    def mistake(self, line: int, message: str) -> None:
        self.failed = True
        self.problems.add(self.document.file, line, message)

    def plain_only(self, event: Any, line: int) -> None:
        if event.anchor:
            message = f"矿井配置文件不用锚点（&{event.anchor}） · anchors (&{event.anchor}) are not used in site files"
            self.mistake(line, message)
        if event.tag and event.tag != "!":
            message = f"矿井配置文件不用标签（{event.tag}） · tags ({event.tag}) are not used in site files"
            self.mistake(line, message)

    def put(self, value: Any, text: str | None, line: int) -> Path:
        """Give a value its place in what is open. Returns its path."""
        if not self.stack:
            self.document.data = value
            self.document.lines[()] = line
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            path = (*top.path, len(top.value))
            top.value.append(value)
        elif not top.has_key:
            if text is None:
                self.mistake(line, "键须为普通文本 · a key must be plain text")
            top.key = value if type(value) is int else text
            top.has_key, top.skip = True, False
            path = (*top.path, top.key)
            if top.key in top.value:
                first = self.document.line(path)
                self.mistake(
                    line,
                    f"键 '{text}' 出现两次；前一次在第 {first} 行 · "
                    f"the key '{text}' is here twice; first in line {first}",
                )
                top.skip = True
            else:
                self.document.lines[path] = line
            return path
        else:
            path = (*top.path, top.key)
            top.has_key = False
            if not top.skip:
                top.value[top.key] = value
            return path
        self.document.lines[path] = line
        return path
