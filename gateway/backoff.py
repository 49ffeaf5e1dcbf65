"""How long to wait before a device is tried again."""

from __future__ import annotations

import random

_STEPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0)
JITTER = 0.25


class Backoff:
    """Quick at first, then rarer, never rarer than every 15 s; each wait ±25 % by chance, so that
    many devices behind one switch do not come back in step."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._step = 0

    def next(self, *, answered: bool = False, steady: bool = False) -> float:
        """Seconds until the next try. `answered`: the link had given data; `steady`: for a good while."""
        if steady:
            self._step = 0
        elif answered:
            self._step = min(self._step, 2)
        wait = _STEPS_S[self._step] * self._chance.uniform(1 - JITTER, 1 + JITTER)
        self._step = min(self._step + 1, len(_STEPS_S) - 1)
        return wait
