"""For how long each equipment was in which state, in whose hands, producing: exact intervals.

A block's row at `ts` tells of the step that ended then, so a value that is new at step i holds from the
end of step i - 1. Intervals are half open, [start, end), in µs UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.engine.block import Block

KINDS = ("state", "mode", "producing", "intelligent")
"""The keys behind `!` that are told as intervals."""
TOTALS = ("tonnes", "kwh")
"""The keys behind `!` that only grow; each interval has its share of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Columns of one length. `channel`: row of `Tracker.names`; `tonnes`, `kwh`: NaN where the equipment
    has none."""

    channel: NDArray[np.intp]
    value: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    tonnes: NDArray[np.float64]
    kwh: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)

    def where(self, rows: NDArray[np.bool_]) -> Intervals:
        """Those rows."""
        return Intervals(*(getattr(self, name)[rows] for name in self.__slots__))


class Tracker:
    """Follows the truth channels `columns` names (as `Engine.columns` does) over blocks; how these are cut
    changes nothing. `start_us`: the moment before the first step, when all totals were `totals` (by channel
    name, 0 for what is not in it); None: begin at the end of the first step that comes."""

    def __init__(
        self, columns: Mapping[str, int], start_us: int | None = None, totals: Mapping[str, float] | None = None
    ) -> None:
        names = [name.rpartition("!") for name in columns if "!" in name]
        self.names: tuple[tuple[str, str], ...] = tuple((owner, kind) for owner, _, kind in names if kind in KINDS)
        """(equipment, kind) of each channel that is followed."""
        self._values = np.array([columns[f"{owner}!{kind}"] for owner, kind in self.names], np.intp)
        owners = list(dict.fromkeys(owner for owner, _ in self.names))
        keys = [f"{owner}!{total}" for total in TOTALS for owner in owners]
        self._totals = np.array([columns.get(key, -1) for key in keys], np.intp)
        # Row 0: which of the totals is the channel's tonnes; row 1: its kWh.
        rows = np.array([owners.index(owner) for owner, _ in self.names], np.intp)
        self._share = np.stack([rows, rows + len(owners)])
        self._last = np.full(len(self.names), np.nan)
        self._since = np.zeros(len(self.names), np.int64)
        self._before = np.array([(totals or {}).get(key, 0.0) for key in keys])
        self._before[self._totals < 0] = np.nan
        self._base = self._before[self._share] if len(self.names) else np.zeros((2, 0))
        self._at = start_us
        self._fresh = True

    def take(self, block: Block) -> Intervals:
        """The intervals that ended within this block, by channel and time."""
        ts, values = block.ts, block.values
        if not len(ts) or not len(self.names):
            return _none()
        shown = values.take(self._values, axis=1)
        if self._at is None:
            self._at, self._before = int(ts[0]), self._of(values[0])
            self._last, self._since = shown[0], np.full(len(self.names), ts[0])
            self._base = self._before[self._share]
            self._fresh = False
            ts, shown, values = ts[1:], shown[1:], values[1:]
            if not len(ts):
                return _none()
        if self._fresh:
            self._last, self._since = shown[0].copy(), np.full(len(self.names), self._at, np.int64)
            self._fresh = False
        ended = self._ended(np.concatenate([[self._at], ts[:-1]]), shown, values)
        self._at, self._before = int(ts[-1]), self._of(values[-1])
        return ended

    def _of(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """The totals in a row of a block."""
        totals = row[self._totals]
        totals[self._totals < 0] = np.nan
        return totals

    def _ended(self, bounds: NDArray[np.int64], shown: NDArray[np.float64], values: NDArray[np.float64]) -> Intervals:
        """`bounds`: the time before each step; `shown`: the channels in it; `values`: all of the block."""
        previous = np.vstack([self._last, shown[:-1]])
        changed = shown != previous
        unknown = np.isnan(shown)
        if unknown.any():
            changed &= ~(unknown & np.isnan(previous))
        channel, step = np.nonzero(changed.T)
        end = bounds[step]
        share = self._share[:, channel]
        column = self._totals[share]
        at = np.where(step > 0, values[step - 1, column], self._before[share])
        at[column < 0] = np.nan
        first = np.ones(len(channel), np.bool_)
        first[1:] = channel[1:] != channel[:-1]
        start, base = np.roll(end, 1), np.roll(at, 1, axis=1)
        start[first] = self._since[channel[first]]
        base[:, first] = self._base[:, channel[first]]
        grown = at - base
        ended = Intervals(channel, previous[step, channel], start, end, grown[0], grown[1])
        last = np.roll(first, -1)
        self._since[channel[last]] = end[last]
        self._base[:, channel[last]] = at[:, last]
        self._last = shown[-1].copy()
        return _known(ended)

    def cut(self) -> Intervals:
        """End all that goes on now, and let it go on as a new interval that touches it."""
        if self._at is None or self._fresh:
            return _none()
        now = self._before[self._share]
        grown = now - self._base
        every = np.arange(len(self.names))
        ended = Intervals(
            every, self._last.copy(), self._since.copy(), np.full(len(every), self._at, np.int64), grown[0], grown[1]
        )
        self._since, self._base = ended.end.copy(), now
        return _known(ended)


def _known(found: Intervals) -> Intervals:
    """Without those of no length, and those in which the value was NaN: the equipment had none."""
    return found.where((found.end > found.start) & ~np.isnan(found.value))


def _none() -> Intervals:
    return Intervals(
        np.empty(0, np.intp), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0)
    )
