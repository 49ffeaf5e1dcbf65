"""How a payload is written: JSON, CSV or plain text, in whatever encoding; all become one kind of document.

A CSV payload becomes a list of samples, one a line (or one a column, when it is `columnar`): objects by the
names of its header, lists where it has none. A plain text becomes a text.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_PAYLOAD_BYTES = 1_000_000
FORMATS = ("json", "csv", "text")
ENCODINGS = ("utf-8", "gbk", "gb18030", "big5", "utf-16", "latin-1")
_SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}


class MalformedError(ValueError):
    """A payload that is not of its form or not of a bounded size; the message says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """`columnar`: each line is a name and then that field's values, sample by sample."""

    format: str = "json"
    encoding: str = "utf-8"
    separator: str = ","
    header: bool = True
    columnar: bool = False

    @staticmethod
    def from_options(options: Mapping[str, Any]) -> Form:
        """The form that a tag's options say. Raises ValueError."""
        format_ = str(options.get("format", "json"))
        if format_ not in FORMATS:
            raise ValueError(
                f"选项 format 为 '{format_}'，可以是 {', '.join(FORMATS)} · "
                f"the option format is '{format_}'; it can be {', '.join(FORMATS)}"
            )
        encoding = str(options.get("encoding", "utf-8")).lower().replace("utf8", "utf-8").replace("gb2312", "gbk")
        if encoding not in ENCODINGS:
            raise ValueError(
                f"选项 encoding 为 '{encoding}'，可以是 {', '.join(ENCODINGS)} · "
                f"the option encoding is '{encoding}'; it can be {', '.join(ENCODINGS)}"
            )
        strange = {"separator", "header", "columnar"} & set(options)
        if strange and format_ != "csv":
            raise ValueError(
                f"没有 format: csv，选项 {min(strange)} 无意义 · "
                f"the option {min(strange)} means nothing without format: csv"
            )
        separator = str(options.get("separator", ","))
        separator = _SEPARATORS.get(separator, separator)
        if len(separator) != 1 or separator in '"\r\n':
            raise ValueError(
                f"选项 separator 为 '{separator}'，应为一个字符，或 {', '.join(_SEPARATORS)} · "
                f"the option separator is '{separator}'; it is one character, or {', '.join(_SEPARATORS)}"
            )
        return Form(
            format_,
            encoding,
            separator,
            flag(options, "header", default=True),
            flag(options, "columnar", default=False),
        )

    def parse(self, payload: bytes) -> Any:
        """The document in a payload. Raises MalformedError."""
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise MalformedError(
                f"报文有 {len(payload):,} 字节，最多 {MAX_PAYLOAD_BYTES:,} 字节 · "
                f"the payload has {len(payload):,} bytes; {MAX_PAYLOAD_BYTES:,} is the most"
            )
        if self.format == "json" and self.encoding == "utf-8":
            return _json(payload, payload)
        try:
            text = payload.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise MalformedError(
                f"报文不是 {self.encoding} 文本：{error.reason}，开头为 {payload[:60]!r} · "
                f"the payload is not {self.encoding} text: {error.reason}; it begins {payload[:60]!r}"
            ) from None
        text = text.removeprefix("\ufeff")
        if self.format == "json":
            return _json(text, payload)
        return text.strip().strip("\0").strip() if self.format == "text" else self._samples(text)

    def _samples(self, text: str) -> list[Any]:
        """The samples of a CSV payload."""
        try:
            lines = [line for line in csv.reader(text.splitlines(), delimiter=self.separator) if line]
        except csv.Error as error:
            raise MalformedError(f"报文不是 CSV：{error} · the payload is not CSV: {error}") from None
        if not lines:
            raise MalformedError("报文是空的 CSV · the payload is an empty CSV")
        cells = [[cell.strip() for cell in line] for line in lines]
        if self.columnar:
            names = [line[0] for line in cells]
            samples = zip(*(line[1:] for line in cells), strict=False)
            return [dict(zip(names, sample, strict=True)) for sample in samples]
        if not self.header:
            return cells
        names, *rest = cells
        return [dict(zip(names, line, strict=False)) for line in rest]


def _json(text: bytes | str, payload: bytes) -> Any:
    """NaN and Infinity, which are no JSON but are met, are read as such, so that only their own points go bad."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "NaN" in text if isinstance(text, str) else (b"NaN" in text or b"Infinity" in text):
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                pass
        zh = f"报文不是 JSON：{error}，开头为 {payload[:60]!r}"
        en = f"the payload is not JSON: {error}; it begins {payload[:60]!r}"
        if isinstance(text, bytes) and _is_gbk(text):
            zh += "，看来是 GBK：请把选项 encoding 设为 gbk"
            en += "; it would be GBK: then set the option encoding to gbk"
        raise MalformedError(f"{zh} · {en}") from None


def _is_gbk(data: bytes) -> bool:
    if len(data) > 65_536:
        return False
    try:
        orjson.loads(data.decode("gbk"))
    except ValueError:
        return False
    return True


def flag(options: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A yes or no among options, which a point table gives as text. Raises ValueError."""
    said = str(options.get(name, default)).lower()
    if said in ("true", "yes", "1"):
        return True
    if said in ("false", "no", "0"):
        return False
    raise ValueError(
        f"选项 {name} 为 '{said}'，应为 true 或 false · the option {name} is '{said}'; it is true or false"
    )
