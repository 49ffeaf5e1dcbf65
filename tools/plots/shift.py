"""One simulated shift of a mine, as columns; with what is done to it on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import simulators
from sevenones.backfill.mine import site_of
from simulators.design.mine import load_design
from simulators.plant import Plant

SHIFT_US = 1_767_340_800_000_000
"""2026-01-02 16:00 in China: after the maintenance shift a producing one begins."""
BEFORE_S = 1800
LASTS_S = 8 * 3600
BLOCK = 600


@dataclass(frozen=True)
class Deed:
    """At `second` of the shift: `what` (a disturbance of an equipment) begins with `amount`, 0 ends it."""

    second: int
    equipment: str
    what: str
    amount: float


class Shift:
    """The shift's channels by name, [seconds]; `hours` of it."""

    def __init__(self, mine: str, deeds: Sequence[Deed], seed: int = 1) -> None:
        folder = Path(simulators.__file__).parent / "mines" / mine
        design = load_design(folder)
        if design is None:
            raise ValueError(f"{folder} has no simulation.yaml")
        site = site_of(folder, dict(os.environ))
        plant = Plant(site, design, seed=seed, start_us=SHIFT_US - BEFORE_S * 1_000_000, dt=1.0)
        self._columns = plant.columns
        due = sorted(deeds, key=lambda deed: deed.second)
        parts, second = [], -BEFORE_S
        while second < LASTS_S:
            while due and due[0].second <= second:
                deed = due.pop(0)
                plant.disturb(deed.equipment, deed.what, deed.amount)
            until = min(second + BLOCK, LASTS_S, due[0].second if due else LASTS_S)
            parts.append(plant.run(until - second).values.astype(np.float32))
            second = until
        self._values = np.concatenate(parts)
        self.hours = (np.arange(len(self._values)) + 1 - BEFORE_S) / 3600.0

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._values[:, self._columns[name]]

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def names(self, begin: str, end: str) -> list[str]:
        """Channels that begin and end so, sorted."""
        return sorted(name for name in self._columns if name.startswith(begin) and name.endswith(end))
