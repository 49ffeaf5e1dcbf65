"""Whether a thing read from a document is of the types that its class says: Python itself does not look."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from math import isfinite
from typing import Any, Union, get_args, get_origin, get_type_hints

Part = tuple[Any, Any, str]
"""A value, what it must be, and where it stands."""


def misfit(value: Any, hint: Any, where: str = "") -> str | None:
    """Where in `value` something is not of its type, a number not finite, or a tuple not of its length; None where all
    is. `hint`: a dataclass, or any type that the fields of one have here. True is no number."""
    if get_origin(hint) in (Union, types.UnionType):
        return None if any(misfit(value, each) is None for each in get_args(hint)) else where
    parts = _parts(value, hint, where)
    if parts is None:
        return where
    return next((found for part in parts if (found := misfit(*part)) is not None), None)


def _parts(value: Any, hint: Any, where: str) -> list[Part] | None:
    """What it is made of; None where it is not of its type itself."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        kinds = args[:1] * len(value) if args[1:] == (...,) and isinstance(value, tuple) else args
        if not isinstance(value, tuple) or len(kinds) != len(value):
            return None
        return [(one, kind, f"{where}[{at}]") for at, (one, kind) in enumerate(zip(value, kinds, strict=True))]
    if origin is Mapping:
        if not isinstance(value, Mapping) or any(misfit(key, args[0]) is not None for key in value):
            return None
        return [(one, args[1], f"{where}[{key}]") for key, one in value.items()]
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, hint):
        return [(getattr(value, name), kind, f"{where}.{name}") for name, kind in get_type_hints(hint).items()]
    return [] if _plain(value, hint) else None


def _plain(value: Any, hint: Any) -> bool:
    if hint is float:
        return type(value) is int or (type(value) is float and isfinite(value))
    return type(value) is hint if hint in (int, bool) else isinstance(value, hint)
