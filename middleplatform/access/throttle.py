"""Slows whoever guesses: after some failures a door stays shut for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
WINDOW_S = 60.0
KEYS = 10_000


class Throttle:
    """Counts failures by key (a user, an address) in a sliding window; bounded in keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, list[float]] = {}

    def wait_s(self, key: str) -> float:
        """Seconds until the next try is allowed; 0 when it is now."""
        recent = [at for at in self._failed.get(key, ()) if at > self._clock() - WINDOW_S]
        return max(0.0, recent[0] + WINDOW_S - self._clock()) if len(recent) >= FAILURES else 0.0

    def failed(self, key: str) -> None:
        """Note a failure."""
        if key not in self._failed and len(self._failed) >= KEYS:
            self._failed.pop(next(iter(self._failed)))
        recent = [at for at in self._failed.get(key, ()) if at > self._clock() - WINDOW_S]
        self._failed[key] = [*recent, self._clock()][-FAILURES:]

    def passed(self, key: str) -> None:
        """Forget the failures of a key that did sign in."""
        self._failed.pop(key, None)
