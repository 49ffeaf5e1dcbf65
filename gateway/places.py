"""A few of a connection's points, for what only they need: so that it costs the others nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.points import Rows

Index = NDArray[np.intp]


class Places:
    """Numbers the rows that a mask names 0 … k-1."""

    def __init__(self, which: NDArray[np.bool_]) -> None:
        self.rows: Index = np.flatnonzero(which)
        self._of = np.full(len(which), -1, np.intp)
        self._of[self.rows] = np.arange(len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def among(self, rows: Rows, but_not: NDArray[np.bool_] | None = None) -> tuple[Index, Index]:
        """Which positions of a reading's rows are ours, and our places of them; without those that
        `but_not` masks."""
        places = self._of[rows]
        mine = places >= 0
        if but_not is not None:
            mine &= ~but_not
        at = np.flatnonzero(mine)
        return at, places[at]

    def of(self, row: int) -> int:
        """Our place of one row, -1 when it is not ours."""
        return int(self._of[row])
