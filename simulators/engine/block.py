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
        picked = np.empty((len(self.ts), len(names)))
        Picks(self.columns, names).into(picked, self)
        return picked


class Picks:
    """Some channels of the blocks of one mine, by name, looked up once."""

    def __init__(self, columns: Mapping[str, int], names: Sequence[str]) -> None:
        self._source = np.array([columns.get(name, -1) for name in names], np.intp)
        self._missing = np.flatnonzero(self._source < 0)

    def into(self, picked: NDArray[np.float64], block: Block) -> None:
        """Fill `picked` [steps, names]; NaN where a name is no channel."""
        if len(self._missing) == len(self._source):
            picked[:] = np.nan
            return
        block.values.take(self._source, axis=1, mode="clip", out=picked)
        picked[:, self._missing] = np.nan
