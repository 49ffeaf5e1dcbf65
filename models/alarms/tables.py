"""What a small number means to a rule: tables of 256 values (and one for all others), looked up a column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from models.alarms.track import HOLD, OFF, ON
from models.quality import UNCERTAIN

SIZE = 257
OTHER = 256
FEED_ABNORMAL = 3
"""Of a sensor's state: no sum of bits (domain facts 1.4)."""
VOID_BITS = (4, 16, 32, 64, 128)
"""Calibration, substation fault, not polled, paused, sensor fault: meanwhile the sensor's value counts for nothing."""
PASS = 2
"""Of a gate: the value is judged."""


class Tables:
    """Rows of SIZE codes; row 0 lets everything pass."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.int8]] = []
        self._known: dict[tuple[str, frozenset[int]], int] = {}
        self._row("pass", (), lambda _: PASS)

    def any_of(self, states: Iterable[int]) -> int:
        """ON at these states."""
        known = frozenset(states)
        return self._row("any of", known, lambda value: ON if value in known else OFF)

    def any_bit(self, bits: Iterable[int]) -> int:
        """ON when one of these bits is set."""
        known = frozenset(bits)
        return self._row("any bit", known, lambda value: ON if _has(value, known) else OFF)

    def bad_quality(self) -> int:
        """ON at a quality that is bad, or is of the reserved codes."""
        return self._row("bad", (), lambda value: ON if value < UNCERTAIN or 128 <= value < 192 else OFF)

    def sensor_counts(self) -> int:
        """A gate: HOLD while the sensor's state says that its value counts for nothing."""
        return self._row("counts", VOID_BITS, lambda value: HOLD if _has(value, VOID_BITS) else PASS)

    def suppressed(self, states: Iterable[int]) -> int:
        """A gate: OFF at these states."""
        known = frozenset(states)
        return self._row("suppressed", known, lambda value: OFF if value in known else PASS)

    def array(self) -> NDArray[np.int8]:
        """All rows, one after the other."""
        return np.concatenate(self._rows)

    def _row(self, what: str, of: Iterable[int], code: Callable[[int], int]) -> int:
        key = (what, frozenset(of))
        if key not in self._known:
            self._known[key] = len(self._rows)
            self._rows.append(np.fromiter((code(value) for value in range(SIZE)), np.int8, SIZE))
        return self._known[key]


def _has(value: int, bits: Iterable[int]) -> bool:
    return value not in (FEED_ABNORMAL, OTHER) and any(value & bit for bit in bits)


def place(value: NDArray[np.float64]) -> NDArray[np.intp]:
    """The place of each value in a row of a table; of what is no whole number from 0 to 255, OTHER."""
    with np.errstate(invalid="ignore"):
        small = (value >= 0) & (value < OTHER) & (value == np.floor(value))
        return np.where(small, value, OTHER).astype(np.intp)
