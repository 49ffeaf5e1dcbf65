"""A question's arguments, taken out of its ticket and checked. All raise StoreError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from middleplatform.store.errors import StoreError


def whole_number(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreError(f"'{name}' must be a whole number, got {value!r:.50}")
    return value


def text(asked: Mapping[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise StoreError(f"'{name}' must be text, got {value!r:.50}")
    return value


def texts(asked: Mapping[str, Any], name: str, most: int) -> list[str] | None:
    value = asked.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise StoreError(f"'{name}' must be a list of texts, got {value!r:.50}")
    if len(value) > most:
        raise StoreError(f"'{name}' names {len(value)}, at most {most} are answered at once")
    return value


def points(asked: Mapping[str, Any], most: int) -> list[int]:
    named = asked.get("points")
    if not isinstance(named, list) or not all(type(p) is int and 0 <= p < 2**64 for p in named):
        raise StoreError("'points' must be a list of ids, each from 0 to 2^64 - 1")
    if len(named) > most:
        raise StoreError(f"{len(named)} points are named, at most {most} are answered at once")
    return named
