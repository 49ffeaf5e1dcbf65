"""From a point's id to its place among the site's points, a column at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: ids that lie close together end up far apart."""


class Places:
    """A table of slots, four or more an id, each id in the first free slot from where its number puts it."""

    def __init__(self, ids: NDArray[np.uint64]) -> None:
        bits = max(len(ids), 1).bit_length() + 2
        self._shift, self._mask = np.uint64(64 - bits), np.intp((1 << bits) - 1)
        self._slots = np.full(1 << bits, -1, np.intp)
        self._ids = ids
        left, step = np.arange(len(ids)), 0
        slot = self._slot(ids)
        while len(left):
            at = (slot[left] + step) & self._mask
            free = self._slots[at] < 0
            self._slots[at[free]] = left[free]
            left = left[self._slots[at] != left]
            step += 1
        self._steps = step

    def of(self, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
        """The place of each id, -1 where it has none."""
        found = np.full(len(ids), -1, np.intp)
        if not len(self._ids):
            return found
        left, slot = np.arange(len(ids)), self._slot(ids)
        for step in range(self._steps):
            held = self._slots[(slot + step) & self._mask]
            same = (held >= 0) & (self._ids[held] == ids[left])
            found[left[same]] = held[same]
            on = ~same & (held >= 0)
            left, slot = left[on], slot[on]
            if not len(left):
                break
        return found

    def _slot(self, ids: NDArray[np.uint64]) -> NDArray[np.intp]:
        return ((ids * _MIX) >> self._shift).astype(np.intp)
