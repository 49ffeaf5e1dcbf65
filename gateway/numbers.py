"""Batch numbers: never used twice, always rising, also over kill -9 and a new installation.

The file holds the number up to which all are spoken for; it is on disk before the first of them is
used. A gateway whose folder was lost starts at the present time in µs, which is above all that a
lost folder can have given.

A full disk does not take the file, but still its time of change: then that is the number up to which
all are spoken for. Where the disk takes neither, or not in time, numbers go on one by one without
being on disk. Since they began at the present time in µs and rise by far fewer than a million a
second, they are below what a next start takes from its clock; until the disk is back, only a clock
that is set back over a restart could bring one again.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from models.identity import MANUAL_FLOOR

log = structlog.get_logger(__name__)

RESERVED_AT_ONCE = 10_000
WAIT_S = 0.05
"""The longest that who must not wait for the disk does, once a reservation."""
AGAIN_S = 10.0
"""Between a reservation that failed and the next."""
_SECOND = 1_000_000


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
        self._beside: threading.Thread | None = None
        self._waited = False
        self._refused_at: float | None = None
        self.counts = {"refused_total": 0, "unreserved_total": 0}
        """Reservations that the disk did not take, and numbers given without one."""

    def next(self) -> int:
        """The next number; now and then this waits for the disk. Raises OSError when the disk does not take it."""
        if self._last + 1 > self._reserved:
            self._reserve(self._last + RESERVED_AT_ONCE)
        self._last += 1
        return self._last

    def at_once(self) -> int:
        """The next number, whatever the disk does: numbers are reserved beside, before they run out."""
        if self._reserved - self._last <= RESERVED_AT_ONCE // 2:
            self._reserve_beside()
        self._last += 1
        self.counts["unreserved_total"] += self._last > self._reserved
        return self._last

    def close(self) -> None:
        """Let the folder go: at once, or as soon as the disk has answered what is under way."""
        if self._beside is not None:
            self._beside.join(WAIT_S)
        os.close(self._lock)

    def _reserve_beside(self) -> None:
        if self._beside is None or not self._beside.is_alive():
            if self._refused_at is not None and time.monotonic() < self._refused_at + AGAIN_S:
                return
            # The folder stays locked until this is written: who came after us would be overwritten.
            held = os.dup(self._lock)
            self._beside = threading.Thread(
                target=self._try, args=(self._last + RESERVED_AT_ONCE, held), name="batch-numbers", daemon=True
            )
            self._beside.start()
            self._waited = False
        if self._last + 1 > self._reserved and not self._waited:
            self._beside.join(WAIT_S)
            self._waited = True

    def _try(self, upto: int, held: int) -> None:
        try:
            self._reserve(upto)
        except OSError as error:
            self._refused(error)
            try:
                self._reserve_in_place(upto)
            except OSError as worse:
                log.error("batch_numbers_unreserved", file=str(self._file), error=str(worse), again_s=AGAIN_S)
        else:
            if self._refused_at is not None:
                log.warning("batch_numbers_reserved_again", file=str(self._file))
            self._refused_at = None
        finally:
            os.close(held)

    def _refused(self, error: OSError) -> None:
        self.counts["refused_total"] += 1
        if self._refused_at is None:
            log.error(
                "batch_numbers_not_reserved", file=str(self._file), error=str(error), hint="make room on the disk"
            )
        self._refused_at = time.monotonic()

    def _read(self) -> int:
        try:
            found = max(int(self._file.read_text()), self._file.stat().st_mtime_ns // 1000)
            if found >= MANUAL_FLOOR:
                raise ValueError(f"{found} is no number of a batch")
        except FileNotFoundError:
            return 0
        except (ValueError, OSError) as error:
            hint = "going on from the present time"
            log.error("batch_numbers_unreadable", file=str(self._file), error=str(error), hint=hint)
            return 0
        return found

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

    def _reserve_in_place(self, upto: int) -> None:
        """Where there is no room for another file: by the time of the one that is there, which takes none."""
        upto = -(-upto // _SECOND) * _SECOND  # there are file systems that keep whole seconds
        file = os.open(self._file, os.O_RDONLY)
        try:
            os.utime(file, ns=(upto * 1000, upto * 1000))
            os.fsync(file)
            if os.fstat(file).st_mtime_ns < upto * 1000:
                raise OSError(f"{self._file} does not keep its time")
        finally:
            os.close(file)
        self._reserved = upto
