"""What to make of an alarm and what to do about it, in words for the one who answers it: `advice.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.site.model import Name


@dataclass(frozen=True, slots=True)
class Advice:
    """`means`: what it says; `causes`: what mostly brings it about; `follows`: what comes when nothing is done; `do`:
    what to do. `confirmed`: whether a mine has confirmed the words."""

    means: Name
    causes: Name
    follows: Name
    do: Name
    source: str
    effective_from: str
    confirmed: bool


def advice(rule: str, role: str) -> Advice | None:
    """Of a rule at a point of a role ("" where it is no point); None where nothing is written of it."""
    said = _said()
    for each in said["advice"]:
        if role not in each.get("roles", (role,)) or not any(fnmatchcase(rule, name) for name in each["rules"]):
            continue
        words = (Name(each[part]["zh"], each[part]["en"]) for part in ("means", "causes", "follows", "do"))
        return Advice(*words, said["source"], said["effective_from"], said["confirmed"])
    return None


@cache
def _said() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "advice.yaml").read_text("utf-8"))
    return found
