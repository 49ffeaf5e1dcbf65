"""Attempts at a password, slowed down: after some failures each further one has to wait, longer each time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

FORGET_S = 900.0
LONGEST_S = 300.0
_KEYS = 10_000


@dataclass(slots=True)
class _Record:
    attempts: int = 0
    last: float = 0.0
    free_at: float = 0.0


class Throttle:
    """Counts attempts under keys, such as a user with an address. In memory, bounded; not thread-safe.

    An attempt counts when it begins, so that many at once gain nothing; a success clears its keys.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[Hashable, _Record] = OrderedDict()

    def begin(self, allowed: dict[Hashable, int]) -> float:
        """Begin an attempt under keys, each with the number of attempts that are free of waiting.
        0.0: go on. Above: refused, seconds to wait; then it was not counted."""
        now = self._clock()
        wait = max((self._wait(key, now) for key in allowed), default=0.0)
        if wait > 0:
            return wait
        for key, free in allowed.items():
            record = self._records.setdefault(key, _Record())
            if now - record.last > FORGET_S:
                record.attempts = 0
            record.attempts += 1
            record.last = now
            over = record.attempts - free
            record.free_at = now + min(LONGEST_S, 2.0 ** min(over, 20)) if over >= 0 else now
            self._records.move_to_end(key)
        while len(self._records) > _KEYS:
            self._records.popitem(last=False)
        return 0.0

    def succeeded(self, keys: list[Hashable]) -> None:
        """The attempt was right: these keys start anew."""
        for key in keys:
            self._records.pop(key, None)

    def _wait(self, key: Hashable, now: float) -> float:
        record = self._records.get(key)
        return 0.0 if record is None else max(0.0, record.free_at - now)
