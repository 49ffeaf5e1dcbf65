"""What a gateway does when the bus refuses bulk samples: first it says less, then it drops the oldest.

At a refusal the dead-bands of bulk points are doubled, up to eight-fold, and come back step by step
once the bus has taken all for a while. Statutory points are never touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

STEP_S = 5.0
CALM_S = 30.0
HIGHEST = 8.0


class Pressure:
    """The factor on bulk dead-bands, told to `widen` whenever it changes."""

    def __init__(self, widen: Callable[[float], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.factor = 1.0
        self._widen = widen
        self._monotonic = monotonic
        self._stepped = -STEP_S
        self._refused = 0.0

    def refused(self) -> None:
        """The bus has refused a batch."""
        self._refused = now = self._monotonic()
        if self.factor < HIGHEST and now - self._stepped >= STEP_S:
            self._step(self.factor * 2, now)

    def relax(self) -> None:
        """To be called now and then: takes a step back when there was no refusal for a while."""
        if self.factor > 1 and (now := self._monotonic()) - max(self._refused, self._stepped) >= CALM_S:
            self._step(self.factor / 2, now)

    def _step(self, factor: float, now: float) -> None:
        wider = factor > self.factor
        self.factor, self._stepped = factor, now
        if wider:
            log.error("dead_bands_widened", factor=factor, hint="the bus is full: make room on its disk")
        else:
            log.info("dead_bands_narrowed", factor=factor)
        self._widen(factor)
