"""How far a device's clock is off ours, and local time that came without its zone.

The median of (its time − ours) over the last readings that brought news: a value that has not
changed may rightly have an old time, and so has what a device kept during an outage and now sends
faster than it came about. From that, nothing is concluded.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gateway.points import NEVER, Rows
from models.site.model import ClockPolicy

WINDOW = 32
LEAST = 5
"""Readings before anything is concluded."""
CATCHING_UP = 2.0
"""Its time runs this much faster than ours: it tells of the past."""
_HOUR_US = 3_600_000_000


class Skew:
    """The clock of one device."""

    def __init__(self, count: int, limit_s: float) -> None:
        self._newest = np.full(count, NEVER, np.int64)
        self._limit_us = limit_s * 1e6
        self._window: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        self.seconds: float | None = None
        """By how much the device's clock is ahead of ours; None while that is not known."""
        self.readings_off = 0
        """Readings taken while it was further off than is allowed."""

    @property
    def off(self) -> bool:
        return self.seconds is not None and abs(self.seconds) * 1e6 > self._limit_us

    def see(self, rows: Rows, source: NDArray[np.int64], now: int) -> None:
        """Take the times of a reading, no point twice; 0 where a row has none. `now`: ours, µs."""
        newest = self._newest[rows]
        news = (source != newest) & (source != 0) & (newest != NEVER)
        self._newest[rows] = np.where(source != 0, source, newest)
        if news.any():
            self._window.append((int(np.median(source[news])), now))
            self._conclude()
        self.readings_off += self.off

    def _conclude(self) -> None:
        if len(self._window) < LEAST:
            return
        (first, began), (last, ended) = self._window[0], self._window[-1]
        if last - first > CATCHING_UP * (ended - began) + 1e6:
            return
        self.seconds = float(np.median([source - now for source, now in self._window])) / 1e6

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


class DeviceClock:
    """Makes of a device's times what its samples get, by the policy of its connection."""

    def __init__(self, count: int, policy: ClockPolicy, time_zone: str, skew_s: float) -> None:
        self._policy = policy
        self._zone = ZoneInfo(time_zone) if time_zone else None
        self.skew = Skew(count, skew_s)

    def times(self, rows: Rows, source: NDArray[np.int64] | None, now: int) -> NDArray[np.int64] | None:
        """The times to believe if they can be, 0 in a row without one; None for ours throughout."""
        if source is None:
            return None
        source = self.utc(source)
        self.skew.see(rows, source, now)
        return None if self._policy is ClockPolicy.GATEWAY else source

    def utc(self, source: NDArray[np.int64]) -> NDArray[np.int64]:
        """The device's times as UTC, whatever they are used for."""
        return source if self._zone is None else from_local(source, self._zone)

    @property
    def doubted(self) -> bool:
        """Whether samples with the device's time are uncertain now."""
        return self._policy is ClockPolicy.CHECK and self.skew.off


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
