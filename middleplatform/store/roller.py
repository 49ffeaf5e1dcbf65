"""What the store does in the background, on a bounded share of one core: rolls up, merges the parts of closed
partitions, and once a day removes what is over its time. Questions and writing come first."""

from __future__ import annotations

import threading
import time

import structlog

from middleplatform.store.engine import EngineError
from middleplatform.store.merges import Merges
from middleplatform.store.retention import Keeper
from middleplatform.store.rollups import RollUps

log = structlog.get_logger("store")

SHARE = 0.3
"""Of one core, while there is work."""
LOOK_S = 1.0
"""How often it is looked whether there is any."""
MERGES_S = 60.0
"""How often it is looked whether a closed partition has several parts."""
RETRY_S = 5.0


class Roller:
    """Works in a thread of its own from `start` to `close`."""

    def __init__(self, rollups: RollUps, keeper: Keeper, merges: Merges) -> None:
        self._rollups = rollups
        self._merges = merges
        self._keeper = keeper
        self._stop = threading.Event()
        self._working = threading.Lock()
        self._since = 0.0
        self._next_merge = 0.0
        self._thread = threading.Thread(target=self._run, name="roll up", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def paused(self) -> threading.Lock:
        """While it is held, nothing is rolled up."""
        return self._working

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._working:
                    self._since = time.monotonic()
                    self._keeper.daily(time.time_ns() // 1000)
                    worked = self._rollups.step(self._rest) or self._merged()
            except EngineError as error:
                log.error("后台整理失败，稍后重试 · work in the background failed and is tried again", error=str(error))
                self._stop.wait(RETRY_S)
            else:
                if not worked:
                    self._stop.wait(LOOK_S)

    def _merged(self) -> bool:
        """Whether something was merged; looked for now and then."""
        if time.monotonic() < self._next_merge:
            return False
        if self._merges.step():
            self._rest()
            return True
        self._next_merge = time.monotonic() + MERGES_S
        return False

    def _rest(self) -> bool:
        """Rest for as long as the share asks after a piece of work; False when the work is to end."""
        worked = time.monotonic() - self._since
        # What is half done is marked as not done: others may have the pause.
        self._working.release()
        ended = self._stop.wait(worked * (1 / SHARE - 1))
        self._working.acquire()
        self._since = time.monotonic()
        return not ended
