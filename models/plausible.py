"""What a counter could have counted, judged by what it usually does, and which of its values it cannot have shown.

Nothing is known here of the machine behind it: a growth is only called impossible where it is far beyond everything
else that the same counter did within hours, so that an honest one is not doubted, whatever its load, once that ran for
a few steps in a row that were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]

BEYOND = 50.0
"""A step may be so many usual ones: a motor's beside what it takes when it stands by."""
STALLED = 4.0
"""Of a counter that showed one value for long and then caught up: usual growth for the time that it stood, so often."""
FEWEST = 8
"""Steps upward, before anything is usual."""
LEFT_OUT = 10
"""The largest steps, at most a twentieth of all, are not what is usual: they may be what is looked for."""
LASTING = 3
"""Steps in a row are usual, however few: a motor that ran for minutes of a day. What was misread or forged is one step.
"""
MOST_FALLS = 1_000
"""What falls more often within a day and a half is no counter: nothing that it shows is known to be counted."""


@dataclass(frozen=True, slots=True)
class Usual:
    """`step`: the growth that is usual in one `tick_us`, as large as it often is; infinite where that is not known."""

    step: float
    tick_us: float

    @staticmethod
    def of(ts: Times, value: Values) -> Usual:
        """Of values in the order of their times. What goes back to where it fell from, or up to where it falls from
        again, is left aside."""
        took, grown = np.diff(ts), np.diff(value)
        up, tick = grown > 0, max(float(np.median(took)), 1.0) if len(took) else 1.0
        falls = np.flatnonzero(grown < 0).tolist()
        if len(falls) > MOST_FALLS:
            return Usual(0.0, tick)
        if not up.any():
            return Usual(np.inf, tick)
        digit = float(grown[up].min())
        for fall in falls:
            before, after = value[fall], value[fall + 1]
            back = np.flatnonzero(value[fall + 1 :] >= before)
            if len(back):
                up[fall + back[0]] = False
            rose = np.flatnonzero(value[: fall + 1] <= after)
            if len(rose):
                up[rose[-1]] = False
        size = np.where(up, grown, 0.0) / np.maximum(1.0, took / tick)
        sizes = np.sort(size[up])
        if len(sizes) < FEWEST:
            return Usual(np.inf, tick)
        aside = min(LEFT_OUT, max(1, len(sizes) // 20))
        in_a_row = sliding_window_view(size, LASTING).min(axis=1).max()
        return Usual(max(float(sizes[-1 - aside]), float(in_a_row), digit), tick)

    def most(self, took: Times | int) -> Values | float:
        """That may be counted in a step that took so long, µs."""
        return self.step * BEYOND * np.maximum(1.0, took / self.tick_us)

    def caught_up(self, stood: Times) -> Values:
        """That may be shown at once by what showed one value for so long, µs."""
        return self.step * STALLED * np.maximum(stood, 1) / self.tick_us


def out_of_line(ts: Times, value: Values, usual: Usual) -> NDArray[np.bool_]:
    """Values that the counter cannot have shown, [n]: below where it was before and, with a leap that it cannot have
    counted, is again; above where it was and, after such a leap, falls back to."""
    found = np.zeros(len(value), bool)
    at = 0
    if not usual.step:
        return found
    for fall in (np.flatnonzero(value[1:] < value[:-1]) + 1).tolist():
        if fall < at:
            continue
        below = np.flatnonzero(value[:fall] <= value[fall])
        if len(below):
            rise = int(below[-1]) + 1
            if value[rise] - value[rise - 1] > usual.most(int(ts[rise] - ts[rise - 1])):
                found[rise:fall] = True
                continue
        back = np.flatnonzero(value[fall:] >= value[fall - 1])
        if len(back):
            risen = fall + int(back[0])
            if value[risen] - value[risen - 1] > usual.most(int(ts[risen] - ts[risen - 1])):
                found[fall:risen] = True
                at = risen
    return found


def leaps(ts: Times, value: Values, usual: Usual) -> NDArray[np.bool_]:
    """Steps, [n - 1], whose growth cannot have been counted: what was counted in them nobody knows. A counter that fell
    is taken to have begun again at nothing."""
    took, grown = np.diff(ts), np.diff(value)
    fell = grown < 0
    turned = np.append(True, grown != 0)
    last = np.maximum.accumulate(np.where(turned, np.arange(len(ts)), 0))[:-1]
    stood = np.where(fell, 0, ts[1:] - ts[last])
    shown = np.where(fell, value[1:], grown)
    found: NDArray[np.bool_] = shown > np.maximum(usual.most(took), usual.caught_up(stood))
    return found
