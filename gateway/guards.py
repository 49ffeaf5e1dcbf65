"""What a connection's samples are watched for, each thing in a module of its own, in this order.

On the raw number: "no value" (nulls), roll-over (counter), calibration (curve). On the value: jumps
(jump), then what stands still and what a stopped heartbeat makes doubtful (frozen), bouncing (debounce), and states
that nobody knows (states). A connection none of whose points is guarded has no Guards, and it costs it nothing.
Samples older than their point's newest move nothing of what is remembered.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gateway.counter import Counters
from gateway.curve import Curves
from gateway.debounce import Debounce
from gateway.frozen import Frozen
from gateway.jump import AGREEING, Jumps
from gateway.nulls import NoValue
from gateway.places import Index
from gateway.points import PointTable, Rows
from gateway.states import States
from models.quality import GOOD, UNCERTAIN, Quality
from models.site.model import UNGUARDED


class Why(IntEnum):
    """What a guard has against a sample."""

    NOTHING = 0
    NO_VALUE = 1
    RESET = 2
    WENT_BACK = 3
    UNSEEN = 4
    OFF_CURVE = 5
    JUMPED = 6
    FROZEN = 7
    NO_BEAT = 8
    UNKNOWN_STATE = 9


class Guards:
    """The guards of one connection's points."""

    def __init__(self, table: PointTable) -> None:
        points = table.points
        self._table = table
        self.no_value = NoValue(points)
        self.counters = Counters(points)
        self.curves = Curves(points)
        self.jumps = Jumps(points)
        self.frozen = Frozen(points, table.cadence_us)
        self.debounce = Debounce(points)
        self.states = States(points)
        self.why = np.zeros(len(table), np.uint8)
        """What there was against each point's last sample."""
        self.figure = np.zeros(len(table))
        """The number that belongs to it: the raw one, the one before a jump, seconds."""
        self.counts = np.zeros(len(Why), np.int64)
        self._past: NDArray[np.bool_] | None = None

    @staticmethod
    def build(table: PointTable) -> Guards | None:
        """The guards of a table; None where none of its points has one."""
        if all(point.guards == UNGUARDED and not point.states for point in table.points):
            return None
        return Guards(table)

    def on_raw(
        self,
        rows: Rows,
        raw: NDArray[np.float64],
        quality: NDArray[np.uint8],
        when: NDArray[np.int64],
        past: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Raw numbers, and qualities, that the rest of the way can take as they are, in new arrays.
        `when`: each row's time, µs; `past`: rows older than what their point has."""
        given, raw, quality = raw, raw.astype(np.float64), quality.copy()
        self._past = past
        self.why[rows if past is None else _those(rows, ~past)] = Why.NOTHING
        bad = quality < UNCERTAIN
        if len(self.no_value.places):
            at, places = self.no_value.places.among(rows, bad)
            at = at[self.no_value.says(places, raw[at])]
            raw[at] = np.nan
            self._note(rows, at, Why.NO_VALUE, given[at])
        if len(self.counters.places):
            at, places = self.counters.places.among(rows, bad | ~np.isfinite(raw))
            raw[at], *odd = self.counters.count(places, raw[at], when[at], None if past is None else past[at])
            for why, which in zip((Why.RESET, Why.WENT_BACK, Why.UNSEEN), odd, strict=True):
                self._doubt(rows, at[which], why, given[at[which]], quality, Quality.UNCERTAIN_SENSOR)
        if len(self.curves.places):
            at, places = self.curves.places.among(rows)
            raw[at], outside = self.curves.apply(places, raw[at])
            self._doubt(rows, at[outside], Why.OFF_CURVE, given[at[outside]], quality, Quality.UNCERTAIN_RANGE)
        return raw, quality

    def on_value(
        self,
        rows: Rows,
        raw: NDArray[np.float64],
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        when: NDArray[np.int64],
        past: NDArray[np.bool_] | None,
        now: int,
    ) -> None:
        """Change values and qualities in place. `raw`: as the device sent it; `now`: our time, µs."""
        unfit = quality < UNCERTAIN
        if past is not None:
            unfit |= past
        if len(self.jumps.places):
            at, places = self.jumps.places.among(rows, unfit | np.isnan(value))
            before = self.jumps.believed[places]
            doubted = self.jumps.judge(places, value[at], when[at])
            self._doubt(rows, at[doubted], Why.JUMPED, before[doubted], quality, Quality.UNCERTAIN_SENSOR)
        if len(self.frozen.places):
            at, places = self.frozen.places.among(rows, unfit)
            still = self.frozen.see(places, raw[at], now)
            seconds = (now - self.frozen.since[places[still]]) / 1e6
            self._doubt(rows, at[still], Why.FROZEN, seconds, quality, Quality.UNCERTAIN_LAST_USABLE)
            at = self.frozen.without_beat(rows, now)
            at = at if past is None else at[~past[at]]
            self._doubt(rows, at, Why.NO_BEAT, np.zeros(len(at)), quality, Quality.UNCERTAIN_LAST_USABLE)
        if len(self.debounce.places):
            at, places = self.debounce.places.among(rows, past)
            value[at] = self.debounce.hold(places, value[at], now)
        if len(self.states.places):
            at, places = self.states.places.among(rows, np.isnan(value))
            at = at[self.states.unknown(places, value[at])]
            self._doubt(rows, at, Why.UNKNOWN_STATE, value[at], quality, Quality.UNCERTAIN_RANGE)

    def standing(self, good: NDArray[np.bool_], now: int) -> Index:
        """Of the rows that `good` masks, those that have stood still for too long, or whose heartbeat has,
        though nothing was read that would have shown it."""
        if not len(self.frozen.places):
            return np.empty(0, np.intp)
        everything = slice(0, len(good))
        led = self.frozen.without_beat(everything, now)
        led = led[good[led]]
        own = self.frozen.places.rows[self.frozen.standing(now)]
        own = own[good[own]]
        self.why[led], self.why[own] = Why.NO_BEAT, Why.FROZEN
        self.figure[own] = (now - self.frozen.since[self.frozen.places.among(own)[1]]) / 1e6
        return np.union1d(own, led)

    def led_again(self, now: int) -> Index:
        """The rows whose last sample was doubted for their heartbeat alone, which beats again."""
        if not len(self.frozen.places):
            return np.empty(0, np.intp)
        led = self.why == Why.NO_BEAT
        led[self.frozen.without_beat(slice(0, len(led)), now)] = False
        rows = np.flatnonzero(led)
        self.why[rows] = Why.NOTHING
        return rows

    def away(self, rows: Index) -> None:
        """These points could not be read."""
        self.frozen.forget(rows)

    def clock_jumped(self, moved_us: int) -> None:
        self.counters.clock_jumped(moved_us)
        self.frozen.clock_jumped(moved_us)
        self.jumps.clock_jumped(moved_us)
        self.debounce.clock_jumped(moved_us)

    def _doubt(
        self, rows: Rows, at: Index, why: Why, figure: NDArray[np.float64], quality: NDArray[np.uint8], code: Quality
    ) -> None:
        """Good rows become uncertain; rows that are worse already keep what they have."""
        good = quality[at] >= GOOD
        at = at[good]
        quality[at] = code
        self._note(rows, at, why, figure[good])

    def _note(self, rows: Rows, at: Index, why: Why, figure: NDArray[np.float64]) -> None:
        if not len(at):
            return
        self.counts[why] += len(at)
        if self._past is not None:
            # What is said of a point is said of its present.
            present = ~self._past[at]
            at, figure = at[present], figure[present]
        rows = _those(rows, at)
        self.why[rows] = why
        self.figure[rows] = figure

    def words(self, row: int, now: int) -> str | None:  # noqa: PLR0911  (one return a reason)
        """Why the point's last sample is not good, if that is for one of the guards."""
        point, figure = self._table.points[row], float(self.figure[row])
        guards = point.guards
        match Why(int(self.why[row])):
            case Why.NO_VALUE:
                return f"the device says it has no value ({figure:.10g})"
            case Why.RESET:
                return f"the counter fell to {figure:.10g} and counts anew: it was reset; the total goes on"
            case Why.WENT_BACK:
                return f"the counter went back to {figure:.10g}"
            case Why.UNSEEN:
                return "so long after the reading before it that the counter may have rolled over unseen"
            case Why.OFF_CURVE:
                first, last = guards.curve[0][0], guards.curve[-1][0]
                return f"raw {figure:.10g} is outside its calibration, {first:.10g} … {last:.10g}"
            case Why.JUMPED:
                speed = f"{guards.jump:g} {point.unit or 'units'}/s"
                return f"jumped from {figure:g} faster than {speed}; believed once {AGREEING} samples agree"
            case Why.FROZEN:
                return f"exactly the same for {figure:.0f} s: the sensor, or a memory between it and us, stands still"
            case Why.UNKNOWN_STATE:
                known = ", ".join(f"{number} {name.en}" for number, name in sorted(point.states.items()))
                return f"{figure:.10g} is none of the point's states: {known}"
            case Why.NO_BEAT:
                still = (now - self.frozen.beat_since(row)) / 1e6
                beat = guards.heartbeat.split("/", 1)[1]
                return f"the heartbeat {beat} has stood still for {still:.0f} s: the device's program may have stopped"
        return None


def _those(rows: Rows, which: NDArray[np.bool_] | Index) -> Index:
    """Rows by a mask of a reading, or by positions in it."""
    return np.arange(rows.start, rows.stop)[which] if isinstance(rows, slice) else rows[which]
