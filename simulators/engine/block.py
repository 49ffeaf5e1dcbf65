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
        if not len(self.columns):
            return np.full((len(self.ts), len(names)), np.nan)
        source = np.array([self.columns.get(name, -1) for name in names], np.intp)
        picked = self.values.take(source, axis=1, mode="clip")
        picked[:, source < 0] = np.nan
        return picked
