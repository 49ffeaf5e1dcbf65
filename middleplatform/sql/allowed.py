"""What a statement may be made of, from `allowed.yaml` beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names in small letters: `functions` that a caller may write, `operators` that the engine makes of a statement's
    signs, `ours` that we replace, `words` that may stand before a bracket. `types`: names of sqlglot's."""

    functions: frozenset[str]
    operators: frozenset[str]
    ours: frozenset[str]
    words: frozenset[str]
    types: frozenset[str]


@cache
def allowed() -> Allowed:
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "allowed.yaml").read_text("utf-8"))
    functions = frozenset(str(name) for names in found["functions"].values() for name in names)
    rest = {name: frozenset(map(str, found[name])) for name in ("operators", "ours", "words", "types")}
    return Allowed(functions, **rest)
