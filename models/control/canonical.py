"""One form of bytes for one JSON value, so that whoever was given the value can check a signature over it."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

_WHOLE = 1 << 53
"""Up to here a float holds every whole number, and JavaScript writes it without a point."""


def canonical(content: Any) -> bytes:
    """`content` as JSON: keys in order, no spaces, UTF-8, whole numbers without a point. Raises ValueError for what
    JSON does not hold (NaN, an infinity, bytes)."""
    try:
        text = json.dumps(_plain(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except (TypeError, RecursionError, UnicodeEncodeError) as error:
        raise ValueError(f"not a value of JSON: {error}") from None


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        if not all(isinstance(key, str) for key in content):
            raise TypeError("a key is not a text")
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    # 3.0 and 3 are one number: whoever passes an order on may write either.
    if isinstance(content, float) and math.isfinite(content) and content.is_integer() and abs(content) < _WHOLE:
        return int(content)
    return content


def to_text(data: bytes) -> str:
    """Bytes as JSON carries them: base64."""
    return base64.b64encode(data).decode()


def to_bytes(text: Any, length: int) -> bytes:
    """The inverse of `to_text`. Raises ValueError unless it gives `length` bytes."""
    if not isinstance(text, str) or len(text) > 4 * length:
        raise ValueError("not a text of base64")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not a text of base64") from None
    if len(data) != length:
        raise ValueError(f"has {len(data)} bytes, not {length}")
    return data
