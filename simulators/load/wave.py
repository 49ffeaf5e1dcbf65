"""Values of load: any point's at any time by a formula, so that their truth needs no log."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

WAVE_S = 600
_BASE = 4096


def value_at(point: ArrayLike, second: ArrayLike, seed: int = 1) -> NDArray[np.float64]:
    """The value of points (by index) in a second (whole, since 1970 UTC); the two broadcast.

    A slow triangle wave with noise of less than its step, in 1/64: looks like a process value, is
    exact in float32, and differs from the value of the second before, always.
    """
    p = np.asarray(point, np.uint64)
    s = np.asarray(second, np.uint64)
    with np.errstate(over="ignore"):
        mixed = (p * np.uint64(0x9E3779B97F4A7C15)) ^ (s * np.uint64(0xBF58476D1CE4E5B9)) ^ np.uint64(seed)
        mixed ^= mixed >> np.uint64(31)
        mixed *= np.uint64(0x94D049BB133111EB)
        noise = (mixed >> np.uint64(59)).astype(np.int64)  # 0 … 31
    phase = (s + p * np.uint64(37) + np.uint64(seed)) % np.uint64(WAVE_S)
    wave = np.abs(phase.astype(np.int64) - WAVE_S // 2)
    base = (p % np.uint64(_BASE)).astype(np.int64)
    return ((base + wave) * 64 + noise).astype(np.float64) / 64.0


def word_at(point: ArrayLike, period: ArrayLike, seed: int = 1) -> NDArray[np.float64]:
    """As `value_at` for a point that is one unsigned register: 0 … 65535, other in each period."""
    p, s = np.asarray(point, np.int64), np.asarray(period, np.int64)
    return ((p * 9973 + s * 40503 + seed * 7919) % 65536).astype(np.float64)
