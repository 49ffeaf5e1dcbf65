"""Which of two samples of a point says how things are now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

AHEAD_US = 500_000
STEP_US = 2_000_000
LATE_US = 60_000_000
"""Samples older than this are history, never the present."""


def supersedes(ts: NDArray[np.int64], held: NDArray[np.int64], now: NDArray[np.int64] | int) -> NDArray[np.bool_]:
    """Which of the arriving samples, at `ts`, take the place of those that were held before, at `held`;
    all µs UTC, `now` when they arrived.

    The later one does. But what is held may bear a time that is still to come, from a clock that was
    ahead: once that clock was set right, what it sends is the present although its time is lower, and
    to wait for the old time to pass would show an old value as a good one.
    """
    corrected = (held > now + AHEAD_US) & (held - ts > STEP_US) & (ts >= now - LATE_US)
    result: NDArray[np.bool_] = (ts >= held) | corrected
    return result
