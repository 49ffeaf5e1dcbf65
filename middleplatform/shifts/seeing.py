"""Who may sign for a shift: only one who sees all that is open in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from middleplatform.shifts.book import ShiftError


def check_whole(things: Mapping[str, Sequence[Mapping[str, Any]]], sees: Callable[[Sequence[str]], bool]) -> None:
    """Raises ShiftError for one who does not see all of what is open; how much it is, and no more, is told."""
    unseen = hidden(things, sees)
    if unseen:
        raise ShiftError(
            "not_all_seen",
            f"有 {unseen} 项未了事项不在您的权限范围内，须由能看到全部的人签字",
            f"{unseen} of the open things are outside of what you may see: one who sees all of them has to sign",
        )


def hidden(things: Mapping[str, Sequence[Mapping[str, Any]]], sees: Callable[[Sequence[str]], bool]) -> int:
    """How much of what is open somebody does not see."""
    return sum(int(each.get("count", 1)) for kind in things.values() for each in kind if not sees(each["subjects"]))
