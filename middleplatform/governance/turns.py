"""Numbers that are counted up by whoever writes next: two that took the same one are told apart by the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

T = TypeVar("T")
TURNS = 30
"""Each turn that is lost is one that another writer has won: so many may write at once."""


def until_first(work: Callable[[], T]) -> T:
    """Do a piece of work, a transaction of its own, again when another has taken its number meanwhile."""
    for left in reversed(range(TURNS)):
        try:
            return work()
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("unreachable")
