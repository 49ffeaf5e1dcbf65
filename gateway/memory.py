"""What a connection must still know after a kill: the bases of its counters, in one small file.

Written as a whole to a new file, synced and renamed over the old, in a thread, at most once in
TURNED_S after a counter rolled over or was reset and else once in USUAL_S. Between a turn and its
writing a kill loses nothing: the old base and the old count show the same turn again.
"""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import orjson
import structlog

from gateway.counter import Counters

log = structlog.get_logger(__name__)

TURNED_S = 1.0
USUAL_S = 10.0
MAX_BYTES = 64 * 1024 * 1024


class Memory:
    """The counters of one connection, remembered in `path`. Times are seconds of any steady clock."""

    def __init__(self, path: Path, counters: Counters) -> None:
        self._path = path
        self._counters = counters
        self._wrote = -USUAL_S
        self._last: bytes = b""
        self._lock = threading.Lock()
        self._given = self._written = 0
        self.failures = 0

    def recall(self) -> None:
        """Give the counters what was written last. A file that is not there, or is broken, gives nothing."""
        try:
            if self._path.stat().st_size > MAX_BYTES:
                raise ValueError("it is too large")
            found = orjson.loads(self._path.read_bytes())
            state = {str(path): tuple(map(float, kept)) for path, kept in found["counters"].items()}
            if any(len(kept) not in (2, 4) for kept in state.values()):
                raise ValueError("a counter has not the numbers that it should have")
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.failures += 1
            log.error("counters_forgotten", file=str(self._path), reason=str(error), hint="their totals begin anew")
            return
        self._counters.restore(state)

    async def keep(self, now: float) -> None:
        """Write when it is time. Call about once a second."""
        if now - self._wrote < (TURNED_S if self._counters.turned else USUAL_S):
            return
        self._wrote = now
        self._counters.turned = False
        data = orjson.dumps({"counters": self._counters.state()})
        if data != self._last:
            self._given += 1
            await asyncio.to_thread(self._write, data, self._given)

    def keep_now(self) -> None:
        """Write at an orderly end."""
        data = orjson.dumps({"counters": self._counters.state()})
        if data != self._last:
            self._given += 1
            self._write(data, self._given)

    def _write(self, data: bytes, number: int) -> None:
        with self._lock:
            # A thread that was late must not put an older state over a newer one.
            if number > self._written:
                self._written = number
                self._replace(data)

    def _replace(self, data: bytes) -> None:
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            self._last = data
        except OSError as error:
            self.failures += 1
            log.error("counters_not_kept", file=str(self._path), reason=str(error))
