"""Strings in registers: from bytes to text and back.

A string ends at its first NUL, and the blanks behind it are padding. A device with a fixed length cuts
a character of two or four bytes where the length ends: what is left of it is dropped, and the rest is good.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

from protocols.adapter import AdapterError

ENCODINGS = ("ascii", "utf-8", "gbk", "gb18030")
_BLANKS = " \u3000\t\r\n"


@lru_cache(maxsize=4096)
def decoded(data: bytes, encoding: str) -> str | None:
    """The text, or None when the bytes are none in that encoding. Texts seldom change: the last are kept."""
    content = data.split(b"\0", 1)[0].rstrip(b" ")
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(content).rstrip(_BLANKS)
    except UnicodeDecodeError:
        return None


def encoded(text: str, encoding: str, length: int) -> bytes:
    """The text in so many bytes, filled up with NUL. Raises AdapterError when it cannot be written so."""
    if "\0" in text:
        raise AdapterError("文本中不能有 NUL：设备将其视为结尾 · a text cannot hold NUL: devices take it for the end")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError as error:
        raise AdapterError(
            f"'{error.object[error.start : error.end]}' 无法用 {encoding} 编码写入 · "
            f"'{error.object[error.start : error.end]}' cannot be written in {encoding}"
        ) from None
    if len(data) > length:
        raise AdapterError(
            f"'{text}' 用 {encoding} 编码为 {len(data)} 字节，只有 {length} 字节的空间 · "
            f"'{text}' takes {len(data)} bytes in {encoding}, and there is room for {length}"
        )
    return data.ljust(length, b"\0")
