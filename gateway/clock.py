"""What time it is, and what time a sample gets.

`WallClock` turns the monotonic clock into UTC by an offset that is only taken anew when the two have
parted, so that a poll's instants stay exactly on their grid. `Stamper` gives each sample its time:

* the source's own, where there is one that can be believed (not before EARLIEST, not more than
  FUTURE_US ahead of us), else ours;
* ours is the poll's scheduled instant if the read ended within half a period and 500 ms of it, else
  the moment at which the read ended, or at which the message came;
* a time that a point already has gets 1 µs more and is uncertain, so that per point time strictly
  increases. A source that sends older samples afterwards (a replay, a buffer) is let through with
  the samples' own times: the store is keyed by (point, ts), so a replay changes nothing;
* the very same sample again (time, value, quality, text) is a redelivery: a duplicate, no new sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from gateway.points import NEVER, Rows
from gateway.schedule import first_instant

log = structlog.get_logger(__name__)

EARLIEST = 1_577_836_800_000_000
"""2020-01-01: a source that says an earlier time has lost its clock (they reset to 1970, 1984, 2000 …)."""
FUTURE_US = 600_000_000
JUMP_US = 1_000_000
HOLD_BACK_US = 60_000_000
"""How far our own clock may be set back with time simply held (+1 µs, uncertain) until it is past again."""
_PARTED_US = 2_000
_STEPPED_US = 2_000_000
_NEAR_US = 500_000


class WallClock:
    """UTC in µs on top of the monotonic clock. `check` must be called about once a second."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        self._offset = self._measure()
        self.jumps = 0

    def _measure(self) -> int:
        before = self._monotonic_ns()
        wall = self._wall_ns()
        return (wall - (before + self._monotonic_ns()) // 2) // 1000

    def monotonic(self) -> int:
        """µs of the clock on which everything is scheduled."""
        return self._monotonic_ns() // 1000

    def now(self) -> int:
        """UTC, µs."""
        return self._monotonic_ns() // 1000 + self._offset

    def first_instant(self, period_us: int, phase_us: int) -> int:
        """The first instant of a poll group from now on, µs of the monotonic clock."""
        return first_instant(period_us, phase_us, self._monotonic_ns() // 1000, self._offset)

    def at(self, monotonic_us: int) -> int:
        """The wall time of an instant of the monotonic clock, µs UTC."""
        return monotonic_us + self._offset

    def check(self) -> int:
        """By how many µs the wall clock has jumped since the last check; 0 when it has not."""
        moved = self._measure() - self._offset
        if abs(moved) <= _PARTED_US:
            return 0
        self._offset += moved
        if abs(moved) <= JUMP_US:
            return 0
        self.jumps += 1
        log.error("clock_jump", seconds=moved / 1e6, hint="the system clock was set; check NTP")
        return moved


def own_time(scheduled: int | None, actual: int, period_us: int) -> int:
    """The time of a poll that was due at `scheduled` and ended at `actual`, µs."""
    if scheduled is not None and 0 <= actual - scheduled <= min(period_us // 2, _NEAR_US):
        return scheduled
    return actual


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Times of some rows. A mask is None when no row has it. `late` rows are older than what their
    point already has; `duplicate` rows bring nothing new."""

    ts: NDArray[np.int64]
    uncertain: NDArray[np.bool_] | None = None
    late: NDArray[np.bool_] | None = None
    duplicate: NDArray[np.bool_] | None = None


class Stamper:
    """Remembers the times of n points."""

    def __init__(self, count: int) -> None:
        self.last = np.full(count, NEVER, np.int64)
        """The highest time that a sample of the point has."""
        self._used = np.full(count, NEVER, np.int64)
        self._source = np.full(count, NEVER, np.int64)
        self.disbelieved = 0
        self.repeated = 0
        self.late = 0

    def clock_jumped(self, moved_us: int) -> bool:
        """After a long step back, new samples follow the clock rather than being held for as long.
        Whether the times of before are forgotten for that."""
        if moved_us >= -HOLD_BACK_US:
            return False
        for column in (self.last, self._used, self._source):
            column[:] = NEVER
        return True

    def by_gateway(self, rows: Rows, instant: int, actual: int) -> Stamps:
        """Our own time for each row: `instant`, or `actual` where the point already has a sample there."""
        last = self.last[rows]
        if not len(last):
            return Stamps(np.empty(0, np.int64))
        top = int(last.max())
        uncertain = None
        if instant > top:
            ts = np.full(len(last), instant, np.int64)
        else:
            ts = np.where(last < instant, instant, actual)
            held = last >= ts
            if held.any():
                ts[held] = last[held] + 1
                self.repeated += int(held.sum())
                uncertain = held
        self.last[rows] = ts
        return Stamps(ts, uncertain)

    def past(self, rows: Rows, source: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these source times are before the newest that their point has."""
        past: NDArray[np.bool_] = (source != 0) & (source < self._source[rows])
        return past

    def by_source(
        self, rows: Rows, source: NDArray[np.int64], same: NDArray[np.bool_], instant: int, actual: int
    ) -> Stamps:
        """The source's time where it can be believed. `same`: rows whose value, quality and text are
        those that the point had last. 0 says that a row has no time of its own."""
        believed = (source >= EARLIEST) & (source <= actual + FUTURE_US)
        if not believed.all():
            return self._mixed(rows, source, same, instant, actual, believed)
        previous, used, last = self._source[rows], self._used[rows], self.last[rows]
        older = source < previous
        if older.any():
            # A source whose clock was ahead of ours and was set right speaks of now, not of the past.
            older &= ~((previous > actual + _NEAR_US) & (previous - source > _STEPPED_US))
        duplicate = (source == previous) & same
        keeps = older | duplicate
        bumped = (source <= used) & (source >= previous) & ~keeps
        ts = np.where(bumped, used + 1, source)
        self._source[rows] = np.where(keeps, previous, source)
        self._used[rows] = np.where(keeps, used, ts)
        self.last[rows] = np.maximum(last, ts)
        return Stamps(ts, self._count(bumped, "repeated"), self._count(older, "late"), _some(duplicate))

    def _mixed(
        self,
        rows: Rows,
        source: NDArray[np.int64],
        same: NDArray[np.bool_],
        instant: int,
        actual: int,
        believed: NDArray[np.bool_],
    ) -> Stamps:
        places = np.arange(len(self.last))[rows]
        theirs = self.by_source(places[believed], source[believed], same[believed], instant, actual)
        ours = self.by_gateway(places[~believed], instant, actual)
        ts = np.empty(len(source), np.int64)
        ts[believed], ts[~believed] = theirs.ts, ours.ts
        lied = ~believed & (source != 0)
        self.disbelieved += int(lied.sum())
        uncertain = lied
        for part, place in ((theirs.uncertain, believed), (ours.uncertain, ~believed)):
            if part is not None:
                uncertain[place] |= part
        late, duplicate = (np.zeros(len(source), bool) for _ in range(2))
        if theirs.late is not None:
            late[believed] = theirs.late
        if theirs.duplicate is not None:
            duplicate[believed] = theirs.duplicate
        return Stamps(ts, _some(uncertain), _some(late), _some(duplicate))

    def _count(self, mask: NDArray[np.bool_], counter: str) -> NDArray[np.bool_] | None:
        if not mask.any():
            return None
        setattr(self, counter, getattr(self, counter) + int(mask.sum()))
        return mask


def _some(mask: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return mask if mask.any() else None
