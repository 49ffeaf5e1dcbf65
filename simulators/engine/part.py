"""A part of a mine: it steps, writes its channels, takes commands and disturbances.

A channel is one number that changes with time, named `<equipment>.<key>`: the key of the template's
point, in the template's unit, so that a site binds what it likes of it. What only the truth knows is
named `<equipment>!<key>`, see `TRUTH`.

A second of a whole mine must cost well under half a millisecond, so a part computes in `step` what
others depend on or what decides (states, flows, forces, powers), and in `observe`, for many steps at
once in columns, what only follows from that (temperatures, noise, counters, currents of phases).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]
"""A part's own channels at one step, in the order of `Part.channels`."""
Rows = NDArray[np.float64]
"""[steps, channels]: a part's own channels over several steps."""

TRUTH: Mapping[str, str] = {
    "state": "what the equipment does, as its template's run state or a number that its part documents",
    "mode": "who controls it: 0 unknown, 1 local, 2 remote, 3 auto, 4 inspection",
    "producing": "1 while it does its productive work",
    "intelligent": "1 while it produces and nobody works it by hand",
    "tonnes": "coal that it has won or carried since the start, t",
    "kwh": "electricity that it has used since the start, kWh",
}
"""Keys behind `!` that the truth is written from; an equipment has those that make sense for it."""


class Refused(Exception):
    """A command or a disturbance that the part does not take; the message says why, to a person."""


class Part(ABC):
    """One model, of one equipment or of many alike. Inputs from other parts are plain attributes that
    the plant sets before each step."""

    channels: Sequence[str]
    """Names of all that it writes, in order; fixed from the start."""

    period_s: float = 0.0
    """How often it steps, s; 0: with every step of the mine. What others decide by within a second steps each time."""

    @abstractmethod
    def step(self, dt: float, row: Row) -> None:
        """Go on by `dt` seconds (0.1 to 1, or `period_s`) and write into `row` what `step` is answerable for."""

    def observe(self, dt: float, rows: Rows) -> None:
        """Complete the channels that follow from the others, for all these steps at once. The answer may not
        depend on how many steps come together: draw random numbers as [steps, …], keep filters' state."""
        del dt, rows

    def command(self, equipment: str, key: str, value: float) -> None:
        """A device was told to set the point `key` to `value` (template's unit). Raises Refused."""
        raise Refused(f"{equipment} 没有可以下达的命令 '{key}' · takes no command '{key}' ({value:g})")

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Begin a fault of the machine or of nature (`amount` in the kind's own unit; 0 ends it). Raises Refused."""
        raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}' ({amount:g})")

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """Equipment → the kinds that `disturb` takes."""
        return {}

    def texts(self) -> Mapping[str, str]:
        """Text channels now, by `<equipment>.<key>`."""
        return {}
