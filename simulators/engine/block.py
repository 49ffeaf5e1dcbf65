"""What the channels of a mine were over some steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """`ts` [steps] µs UTC, strictly rising; `values` [steps, channels]; `columns` name → column."""

    ts: NDArray[np.int64]
    values: NDArray[np.float64]
    columns: Mapping[str, int]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One channel, [steps] (a view). Raises KeyError."""
        return self.values[:, self.columns[name]]

    def pick(self, names: Sequence[str]) -> NDArray[np.float64]:
        """[steps, names]; NaN where a name is no channel."""
        picked = np.full((len(self.ts), len(names)), np.nan)
        known = [(to, self.columns[name]) for to, name in enumerate(names) if name in self.columns]
        if known:
            to, source = np.array(known, np.intp).T
            picked[:, to] = self.values[:, source]
        return picked
