"""`{name:Type}` in a statement, filled in by us: old servers know no parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from middleplatform.store.engine import EngineError

_SLOT = re.compile(r"(?P<before>\b(?:IN|LIMIT|OFFSET)\s+)?\{(?P<name>\w+):(?P<type>[A-Za-z0-9() ]+)\}", re.IGNORECASE)
_INTEGER = re.compile(r"(U?)Int(8|16|32|64)")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def fill(sql: str, params: Mapping[str, Any] | None) -> str:
    """The statement with its parameters as literals of their types. Raises EngineError for a value that is not
    of its type and for a type that is not known here."""
    if not params:
        return sql

    def literal(found: re.Match[str]) -> str:
        if found["name"] not in params:
            return found[0]
        before, kind, value = found["before"] or "", found["type"].strip(), params[found["name"]]
        if kind.startswith("Array("):
            return before + _array(kind[6:-1].strip(), value, is_set=before.lstrip()[:2].upper() == "IN")
        if before:
            return before + _plain(kind, value)
        return _typed(kind, value)

    return _SLOT.sub(literal, sql)


def _plain(kind: str, value: Any) -> str:
    if kind == "String":
        if not isinstance(value, str):
            raise EngineError(f"{value!r:.50} is no text")
        return "'" + "".join(_ESCAPES.get(letter, letter) for letter in value) + "'"
    if kind == "Float64":
        number = float(value)
        return repr(number) if math.isfinite(number) else str(number)
    found = _INTEGER.fullmatch(kind)
    if found is None:
        raise EngineError(f"the type '{kind}' of a parameter is not known here")
    bits = int(found[2])
    low, high = (0, 2**bits) if found[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value < high:
        raise EngineError(f"{value!r:.50} is no {kind}")
    return str(value)


def _typed(kind: str, value: Any) -> str:
    text = _plain(kind, value)
    # A bare number would be of the smallest type that holds it, and arithmetic on it of another type.
    return text if kind == "String" else f"CAST({text}, '{kind}')"


def _array(kind: str, values: Sequence[Any], *, is_set: bool) -> str:
    texts = [_plain(kind, value) for value in values]
    inside = ", ".join(texts)
    if is_set:
        return f"({inside})" if inside else f"(SELECT CAST({'' if kind == 'String' else 0!r}, '{kind}') WHERE 0)"
    if kind.startswith("Int") and any(text.startswith("-") for text in texts):
        # Bare, a negative and a large number have no type in common.
        inside = ", ".join(f"to{kind}({text})" for text in texts)
    return f"CAST([{inside}], 'Array({kind})')"
