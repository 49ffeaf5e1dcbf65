"""What is wrong with an adapter's settings, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from models.words import BETWEEN, at, halves, together


def of_settings(errors: ValidationError) -> str:
    """What is wrong with settings. Without their values: one of them may be a password."""
    return together(at(".".join(map(str, each["loc"])) or "settings", _told(each)) for each in errors.errors())


def _told(error: Mapping[str, Any]) -> str:
    said = halves(error["msg"].removeprefix("Value error, "))
    # What pydantic says by itself it says in English alone.
    return f"{said.zh if said.zh != said.en else '设置不符合要求'}{BETWEEN}{said.en}"
