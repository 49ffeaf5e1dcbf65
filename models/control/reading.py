"""Fields of JSON objects that came from outside, bounded. Each raises ValueError, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(found: Mapping[str, Any], name: str, longest: int) -> str:
    value = found.get(name)
    # Printable: it is shown to people and written to logs.
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise ValueError(f"'{name}' is not a text of 1 to {longest} printable characters")
    return value


def maybe(found: Mapping[str, Any], name: str, longest: int) -> str:
    """As `text`, "" where it is not there."""
    return "" if found.get(name) in (None, "") else text(found, name, longest)


def whole(found: Mapping[str, Any], name: str) -> int:
    """A time in µs."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 62:
        raise ValueError(f"'{name}' is not a time in µs UTC")
    return value


def many(found: Mapping[str, Any], name: str, most: int) -> tuple[str, ...] | None:
    """A list of short texts; None where it is null or not there."""
    value = found.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"'{name}' is not a list of at most {most}")
    return tuple(text({name: each}, name, 80) for each in value)
