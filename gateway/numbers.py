"""Batch numbers: never used twice, always rising, also over kill -9 and a new installation.

The file holds the number up to which all are spoken for; it is on disk before the first of them is
used. A gateway whose folder was lost starts at the present time in µs, which is above all that a
lost folder can have given.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

RESERVED_AT_ONCE = 10_000


class GatewayRunning(Exception):
    """Another process holds this gateway's folder."""


class BatchNumbers:
    """The numbers of one gateway. Holds its folder until `close`. Raises GatewayRunning, OSError."""

    def __init__(self, folder: Path, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / "numbers"
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise GatewayRunning(
                f"该网关已在运行（{folder}） · this gateway is already running on {folder}: stop it first"
            ) from None
        self._reserved = self._read()
        self._last = max(now_us(), self._reserved)

    def next(self) -> int:
        """The next number; now and then this waits for the disk."""
        if self._last + 1 > self._reserved:
            self._reserve(self._last + RESERVED_AT_ONCE)
        self._last += 1
        return self._last

    def close(self) -> None:
        os.close(self._lock)

    def _read(self) -> int:
        try:
            return int(self._file.read_text())
        except FileNotFoundError:
            return 0
        except ValueError:
            log.error("batch_numbers_unreadable", file=str(self._file), hint="going on from the present time")
            return 0

    def _reserve(self, upto: int) -> None:
        partial = self._file.with_name("numbers.partial")
        with partial.open("w") as file:
            file.write(f"{upto}\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._reserved = upto
