"""From what each sample says of an alarm to when the alarm is raised and returns: delays, hysteresis, chattering.

A sample says ON, OFF or HOLD (between the level and where it ends, of bad quality, under calibration). A run is a
stretch of samples that say the same. A run of ON that lasts for the on delay, or of OFF that lasts for the off delay,
turns the alarm at that moment; HOLD turns nothing, and ends the run before it. At least three turns within a minute are
chattering: the alarm then stays raised until it has not turned for a minute.

An alarm of one subject is a lane. Everything here is columns: no step is made a sample or a lane at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ON, OFF, HOLD = 1, 0, -1
CHATTER_TURNS = 3
CHATTER_US = 60_000_000
"""ISA-18.2 (IEC 62682): three turns or more in a minute are chattering."""
NEVER = np.iinfo(np.int64).min // 4
FOREVER = np.iinfo(np.int64).max

Ints = NDArray[np.int64]
Lanes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """Columns of one length, by lane and time: which lane turned to ON or OFF when; the value and quality of the sample
    that began it; `damped`: it waited for chattering to end."""

    lane: Lanes
    to: NDArray[np.int8]
    ts: Ints
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    damped: NDArray[np.bool_]


class Track:
    """The state of all lanes. `on_us`, `off_us`: their delays."""

    COLUMNS = ("code", "edge", "value", "quality", "out", "last", "before", "hold", "active")

    def __init__(self, on_us: Ints, off_us: Ints) -> None:
        count = len(on_us)
        self.delay = np.stack([off_us, on_us])
        self.code = np.zeros(count, np.int8)
        """Of the run that lasts, which began at `edge` with `value` and `quality`."""
        self.edge = np.full(count, NEVER, np.int64)
        self.value = np.full(count, np.nan)
        self.quality = np.zeros(count, np.uint8)
        self.out = np.zeros(count, np.int8)
        """Where the alarm stands but for chattering; it turned at `last`, and the time before at `before`."""
        self.last = np.full(count, NEVER, np.int64)
        self.before = np.full(count, NEVER, np.int64)
        self.hold = np.zeros(count, np.bool_)
        """The last turn was one of chattering."""
        self.active = np.zeros(count, np.bool_)
        """As it was told."""

    def columns(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """The whole state by name."""
        for name in self.COLUMNS:
            yield name, getattr(self, name)

    def forget(self, lanes: Lanes) -> None:
        """As if nothing had been seen."""
        fresh = Track(np.zeros(1, np.int64), np.zeros(1, np.int64))
        for name, column in fresh.columns():
            getattr(self, name)[lanes] = column[0]

    def adopt(self, lanes: Lanes) -> None:
        """As raised before, by whatever; the next sample says whether it lasts."""
        self.forget(lanes)
        self.code[lanes], self.out[lanes], self.active[lanes] = HOLD, ON, True

    def set_back(self, now: int) -> None:
        """The clock was: nothing happened after `now`."""
        for times in (self.edge, self.last, self.before):
            np.minimum(times, now, out=times)

    def restless(self) -> NDArray[np.bool_]:
        """Those whose past matters to what comes next. Of a lane at rest, OFF and HOLD lead to the same."""
        restless: NDArray[np.bool_] = (self.code == ON) | (self.out == ON) | self.active
        return restless

    def stirred(self) -> NDArray[np.bool_]:
        """Those that are restless, or ever turned."""
        return self.restless() | (self.last > NEVER)

    def pending(self) -> Lanes:
        """Those that will turn if nothing comes."""
        return np.flatnonzero(((self.code != self.out) & (self.code >= 0)) | (self.active != self.out))

    def due(self, lanes: Lanes) -> Ints:
        """When something happens next to each of those that are pending: its run has lasted, or, of one that is held
        because it chatters, the minute is over, whichever is first."""
        waits = (self.code[lanes] != self.out[lanes]) & (self.code[lanes] >= 0)
        run = np.maximum(self.edge[lanes] + self._delays(self.code[lanes], lanes), self.last[lanes])
        held = self.active[lanes] != self.out[lanes]
        return np.minimum(np.where(waits, run, FOREVER), np.where(held, self.last[lanes] + CHATTER_US, FOREVER))

    def concerns(self, lane: Lanes, code: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Of samples by their lanes: those that begin a run, or whose lane is pending."""
        now = self.code[lane]
        out = self.out[lane]
        concerned: NDArray[np.bool_] = (code != now) | ((now != out) & (now >= 0)) | (self.active[lane] != out)
        return concerned

    def pass_by(self, lanes: Lanes, now: int) -> Turns:
        """Time goes on to `now` without samples."""
        none = np.empty(0, np.intp)
        return self._turn(
            lanes, np.full(len(lanes), now), none, np.empty(0, np.int8), none, np.empty(0), np.empty(0, np.uint8)
        )

    def judge(
        self, lane: Lanes, ts: Ints, code: NDArray[np.int8], value: NDArray[np.float64], quality: NDArray[np.uint8]
    ) -> Turns:
        """Samples by lane and rising time come."""
        first = _first_of(lane)
        lanes = lane[first]
        last = _last_of(lane)
        was = np.empty_like(code)
        was[1:] = code[:-1]
        was[first] = self.code[lanes]
        new = code != was
        return self._turn(lanes, ts[last], lane[new], code[new], ts[new], value[new], quality[new])

    def _delays(self, code: NDArray[np.int8], lane: Lanes) -> Ints:
        found: Ints = self.delay[np.maximum(code, 0), lane]
        return found

    def _turn(
        self,
        lanes: Lanes,
        known: Ints,
        lane: Lanes,
        code: NDArray[np.int8],
        ts: Ints,
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
    ) -> Turns:
        """`lanes`: each that is touched once, rising, and up to when it is `known`; then the runs that begin."""
        # Every lane's run that lasts, followed by those that begin.
        of = np.concatenate([lanes, lane])
        order = np.argsort(of, kind="stable")
        of = of[order]
        code = np.concatenate([self.code[lanes], code])[order]
        start = np.concatenate([self.edge[lanes], ts])[order]
        value = np.concatenate([self.value[lanes], value])[order]
        quality = np.concatenate([self.quality[lanes], quality]).astype(np.uint8)[order]
        ends = _last_of(of)
        # A clock that only ticked may have turned a lane at a time after a sample that came since.
        due = np.maximum(start + self._delays(code, of), self.last[of])
        turns = (code >= 0) & (due < _until(start, ends, known))
        self.code[lanes], self.edge[lanes] = code[ends], start[ends]
        self.value[lanes], self.quality[lanes] = value[ends], quality[ends]
        made = np.flatnonzero(turns)
        made = made[_differs(of[made], code[made], self.out)]
        return self._damp(lanes, known, of[made], code[made], due[made], value[made], quality[made])

    def _damp(
        self,
        lanes: Lanes,
        known: Ints,
        lane: Lanes,
        to: NDArray[np.int8],
        at: Ints,
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
    ) -> Turns:
        """The turns that are told of those that were made."""
        of = np.concatenate([lanes, lane])
        order = np.argsort(of, kind="stable")
        of = of[order]
        to = np.concatenate([self.out[lanes], to])[order]
        at = np.concatenate([self.last[lanes], at])[order]
        value = np.concatenate([self.value[lanes], value])[order]
        quality = np.concatenate([self.quality[lanes], quality])[order]
        old = _first_of(of)
        # Two turns before this one: the lane's last but one for the first that is new.
        before = np.full(len(of), NEVER)
        before[2:] = at[:-2]
        second = np.flatnonzero(old) + 1
        second = second[second < len(of)]
        second = second[~old[second]]
        before[second] = self.before[of[second]]
        hold = (to == OFF) & (at - before <= CHATTER_US)
        hold[old] = self.hold[lanes]
        ends = _last_of(of)
        due = at + np.where(hold, CHATTER_US, 0)
        told = np.flatnonzero(due < _until(at, ends, known))
        many = ends > np.flatnonzero(old)
        touched = lanes[many]
        self.before[touched] = at[ends[many] - 1]
        self.last[touched], self.out[touched], self.hold[touched] = at[ends[many]], to[ends[many]], hold[ends[many]]
        told = told[_differs(of[told], to[told], self.active)]
        lane = of[told]
        self.active[lane[_last_of(lane)]] = to[told][_last_of(lane)] == ON
        return Turns(lane, to[told], due[told], value[told], quality[told], hold[told])


def _first_of(lane: Lanes) -> NDArray[np.bool_]:
    first = np.ones(len(lane), np.bool_)
    first[1:] = lane[1:] != lane[:-1]
    return first


def _last_of(lane: Lanes) -> Lanes:
    return np.append(np.flatnonzero(lane[1:] != lane[:-1]), len(lane) - 1) if len(lane) else np.empty(0, np.intp)


def _until(start: Ints, ends: Lanes, known: Ints) -> Ints:
    """When each run ends: with the next of its lane, or just after it is known."""
    until = np.empty_like(start)
    until[:-1] = start[1:]
    until[ends] = np.asarray(known) + 1
    return until


def _differs(lane: Lanes, to: NDArray[np.int8], from_: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which really turn: unlike the one before in their lane, or unlike where the lane stands."""
    if not len(lane):
        return np.empty(0, np.bool_)
    was = np.empty(len(lane), np.int8)
    was[1:] = to[:-1]
    first = _first_of(lane)
    was[first] = from_[lane[first]]
    differs: NDArray[np.bool_] = to != was
    return differs
