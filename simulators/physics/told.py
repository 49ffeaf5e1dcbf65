"""What a device was last told: its writable points read back as they were written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

COMMAND, MODE = "command", "mode_command"
NONE = 0.0


class Told:
    """`channels` of all `equipments` for each of `keys`; `values` in their order, 0 until something is told."""

    def __init__(self, equipments: Sequence[str], keys: Sequence[str] = (COMMAND, MODE)) -> None:
        self.channels = [f"{equipment}.{key}" for equipment in equipments for key in keys]
        self.values = np.zeros(len(self.channels))

    def take(self, equipment: str, key: str, value: float) -> None:
        """A command was obeyed; what no channel is for is let pass."""
        name = f"{equipment}.{key}"
        if name in self.channels:
            self.values[self.channels.index(name)] = value
