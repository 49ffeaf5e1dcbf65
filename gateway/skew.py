"""How far a device's clock is off ours, and local time that came without its zone.

The median of (its time − ours) over the last readings that brought news: a value that has not
changed may rightly have an old time, and so has what a device kept during an outage and now sends
faster than it came about. From that, nothing is concluded.

A time of the device's is put right by how far its clock is off, rather than replaced by ours: what it
kept during an outage stays past, and what it sends twice stays one sample.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gateway.clock import EARLIEST
from gateway.points import NEVER, Rows
from models.site.model import ClockPolicy
from protocols.findings import Finding

WINDOW = 32
LEAST = 5
"""Readings before anything is concluded."""
SPAN_S = 2.0
"""They came in no less: many at once are a backlog, even where all are of one second."""
GAP_S = 0.1
"""Between two that count, so that a fast device's count for long enough."""
CATCHING_UP = 2.0
"""Its time runs this much faster than ours: it tells of the past."""
STEP_S = 1.0
"""Times are put right by the same amount until it is wrong by this much, so that one time stays one time."""
_HOUR_US = 3_600_000_000


class Skew:
    """The clock of one device."""

    def __init__(self, count: int, limit_s: float) -> None:
        self._newest = np.full(count, NEVER, np.int64)
        self.limit_us = limit_s * 1e6
        self._window: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self.seconds: float | None = None
        """By how much the device's clock is ahead of ours; None while that is not known."""
        self.readings_off = 0
        """Readings taken while it was further off than is allowed."""
        self.off_since = self.off_at = 0
        """The first and the last of them since it was right, µs of our clock."""

    @property
    def off(self) -> bool:
        return self.seconds is not None and abs(self.seconds) * 1e6 > self.limit_us

    def see(self, rows: Rows, source: NDArray[np.int64], now: int) -> None:
        """Take the times of a reading, no point twice; 0 where a row has none. `now`: ours, µs."""
        newest = self._newest[rows]
        news = (source != newest) & (source != 0) & (newest != NEVER)
        self._newest[rows] = np.where(source != 0, source, newest)
        if news.any() and (not self._window or abs(now - self._window[-1][1]) >= GAP_S * 1e6):
            self._window.append((int(np.median(source[news])), now))
            self._conclude()
        if self.off:
            self.readings_off += 1
            self.off_since, self.off_at = self.off_since or now, now
        else:
            self.off_since = 0

    def _conclude(self) -> None:
        newest = self._enough()
        if not newest or _catching_up(newest) or _catching_up(newest[-LEAST:]):
            return
        if self._was_set(newest):
            self._window = deque(newest, maxlen=WINDOW)
        if _catching_up(list(self._window)):
            return
        self.seconds = float(np.median([source - now for source, now in self._window])) / 1e6

    def _enough(self) -> list[tuple[int, int]]:
        """The last readings that something can be concluded from, as few as suffice."""
        readings = list(self._window)
        for count in range(LEAST, len(readings) + 1):
            if readings[-1][1] - readings[-count][1] >= SPAN_S * 1e6:
                return readings[-count:]
        return []

    def _was_set(self, newest: list[tuple[int, int]]) -> bool:
        """Whether the clock was set before these: they agree with each other, and not with what was concluded."""
        if self.seconds is None:
            return False
        apart = [source - now - self.seconds * 1e6 for source, now in newest]
        agree = max(apart) - min(apart) <= self.limit_us
        return agree and min(map(abs, apart)) > self.limit_us

    def begin(self) -> None:
        """The device was connected anew: its clock may have been set."""
        self._window.clear()

    def clock_jumped(self, moved_us: int) -> None:
        self._window.clear()
        self.seconds = None if self.seconds is None else self.seconds - moved_us / 1e6

    def words(self) -> str:
        """How the device's clock is, when that is known."""
        assert self.seconds is not None  # noqa: S101
        way = "ahead of" if self.seconds > 0 else "behind"
        text = f"the device's clock is {abs(self.seconds):.1f} s {way} ours"
        quarters = self.seconds / 900
        if abs(quarters) >= 4 and abs(quarters - round(quarters)) * 900 < 60:
            text += f", {round(quarters) / 4:+g} h: does it send local time? Then give the connection its time_zone"
        return text


def _catching_up(readings: list[tuple[int, int]]) -> bool:
    (first, began), (last, ended) = readings[0], readings[-1]
    return last - first > CATCHING_UP * (ended - began) + 1e6


class DeviceClock:
    """Makes of a device's times what its samples get, by the policy of its connection."""

    def __init__(self, count: int, policy: ClockPolicy, time_zone: str, skew_s: float) -> None:
        self._policy = policy
        self._zone = ZoneInfo(time_zone) if time_zone else None
        self.skew = Skew(count, skew_s)
        self._right_by_s = 0.0

    def times(self, rows: Rows, source: NDArray[np.int64] | None, now: int) -> NDArray[np.int64] | None:
        """The times to believe if they can be, 0 in a row without one; None for ours throughout."""
        if source is None:
            return None
        source = self.utc(source)
        self.skew.see(rows, source, now)
        if self._policy is ClockPolicy.GATEWAY:
            return None
        return source if self._policy is ClockPolicy.CHECK else self._put_right(source, now)

    def _put_right(self, source: NDArray[np.int64], now: int) -> NDArray[np.int64]:
        """The device's times by our clock, none of them in the future, while its own is further off than is allowed."""
        off = self.skew.seconds
        if off is None or not self.skew.off:
            return source
        if abs(off - self._right_by_s) > STEP_S:
            self._right_by_s = off
        # A time that cannot be, as of 1970, is not made one that can; one that is near ours comes of a clock that was
        # just set right.
        wrong = (source >= EARLIEST) & (np.abs(source - now) > self.skew.limit_us)
        return np.where(wrong, np.minimum(source - round(self._right_by_s * 1e6), now), source)

    def utc(self, source: NDArray[np.int64]) -> NDArray[np.int64]:
        """The device's times as UTC, whatever they are used for."""
        return source if self._zone is None else from_local(source, self._zone)

    def finding(self, where: str) -> Finding | None:
        """That the clock of the device `where` is off, while it is."""
        if not self.doubted:
            return None
        skew = self.skew
        reason = f"{skew.words()}, more than the {skew.limit_us / 1e6:g} s allowed: its samples are uncertain"
        return Finding("clock off", where, reason, b"", skew.off_since, skew.off_at, skew.readings_off)

    @property
    def doubted(self) -> bool:
        """Whether samples with the device's time are uncertain now."""
        return self._policy is not ClockPolicy.GATEWAY and self.skew.off


def from_local(local: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """µs UTC of local times that were read as if they were UTC; 0 stays 0. An hour that comes twice
    in a year is taken as its first coming."""
    hours, which = np.unique(local // _HOUR_US, return_inverse=True)
    offsets = np.zeros(len(hours), np.int64)
    for place, hour in enumerate(hours.tolist()):
        try:
            naive = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)).replace(tzinfo=zone)
            offset = naive.utcoffset()
        except (OverflowError, ValueError):
            continue  # no year of any calendar: it will not be believed
        offsets[place] = 0 if offset is None else round(offset.total_seconds() * 1e6)
    return np.where(local == 0, 0, local - offsets[which.reshape(local.shape)])
