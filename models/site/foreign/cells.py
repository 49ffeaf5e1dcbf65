"""One cell of a foreign table → the value that a point table has there. Each raises ValueError in both languages."""

from __future__ import annotations

import math
import re
from typing import Any

from models.site.foreign.words import Words, plain
from models.units import known_units

_NUMBER = re.compile(r"[×xX*]?\s*([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*倍?")
_RATIO = re.compile(r"(?:1\s*)?[/÷]\s*(\d+(?:\.\d+)?)")
_ORDER = re.compile(r"(?<![A-Za-z0-9])(abcd|cdab|badc|dcba)(?![A-Za-z0-9])", re.IGNORECASE)


def number(value: Any) -> float:
    """A number: 0.1, '0,1' is none; ×0.1 and 0.1倍 are 0.1; /10 and 1/10 too."""
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip().replace("−", "-").replace("＋", "+").replace("．", ".")
    found = _NUMBER.fullmatch(text)
    if found is not None and math.isfinite(float(found[1])):
        return float(found[1])
    ratio = _RATIO.fullmatch(text)
    if ratio is not None and float(ratio[1]):
        return 1 / float(ratio[1])
    raise ValueError(f"'{value}' 不是数 · '{value}' is not a number, such as 0.1 or /10")


def kind(value: Any, words: Words) -> tuple[str, str]:
    """Type and order of a type cell: 'Float CDAB' says both; the order is "" where it is not said."""
    text = str(value).strip()
    order = _ORDER.search(text)
    bare = text if order is None else text[: order.start()] + text[order.end() :]
    found = words.find("types", text) or words.find("types", bare)
    if found is None:
        # An adapter may know types that no synonym names, such as text or bcd16.
        if re.fullmatch(r"[a-z][a-z0-9_]*", text):
            return text, ""
        raise ValueError(
            f"类型 '{text}' 未知：写 int16、uint16、int32、uint32、float32、bool，或写入映射文件的 types · "
            f"the type '{text}' is not known: write int16, uint16, int32, uint32, float32 or bool, or put it under "
            "types: of the mapping file"
        )
    said = order[1].lower() if order is not None else ""
    return found, words.own.get("orders", {}).get(said, said)


def order(value: Any, words: Words) -> str:
    """A byte order."""
    text = str(value).strip()
    named = _ORDER.search(text)
    # A mapping file comes first: it may say that this vendor's ABCD is ours cdab.
    found = words.own.get("orders", {}).get(plain(text)) or (named[1].lower() if named else words.find("orders", text))
    if found is None:
        raise ValueError(
            f"字节序 '{text}' 未知：写 abcd、cdab、badc 或 dcba，不确定时用 learn-order · "
            f"the order '{text}' is not known: write abcd, cdab, badc or dcba; learn-order finds it out"
        )
    return found


def table(value: Any, words: Words) -> str:
    """A register table, from a function code or its name."""
    found = words.find("tables", value)
    if found is None:
        raise ValueError(
            f"'{value}' 不是功能码或寄存器类型：写 1、2、3、4 或 保持寄存器 等 · "
            f"'{value}' is no function code or register type: write 1, 2, 3, 4 or holding register"
        )
    return found


def unit(value: Any, words: Words) -> str:
    """A unit as the house writes it; one that no synonym names stays, for `check` to judge."""
    text = str(value).strip()
    if text in known_units():
        return text
    if plain(text) in ("", "-", "—", "无", "none", "/"):
        return ""
    return words.find("units", text) or text
