"""Runs the parts of a mine on a simulated clock, in steps that add up to blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from simulators.engine.block import Block
from simulators.engine.pace import Paces, Turn, hold
from simulators.engine.part import Part, Refused, Row, Rows


class Engine:
    """`parts` step in their order, after `wire`, if there is one, has set what they are given. `start_us`:
    µs UTC of the moment before the first step; `dt`: seconds a step, which may be changed between two runs."""

    def __init__(
        self, parts: Sequence[Part], wire: Callable[[float], None] | None = None, *, start_us: int, dt: float = 1.0
    ) -> None:
        self.parts = tuple(parts)
        self.dt = dt
        self.now_us = start_us
        self._wire = wire
        columns: dict[str, int] = {}
        self._ranges: list[tuple[Part, int, int]] = []
        for part in self.parts:
            begin = len(columns)
            for name in part.channels:
                if name in columns:
                    raise ValueError(f"two parts write the channel {name}")
                columns[name] = len(columns)
            self._ranges.append((part, begin, len(columns)))
        self.columns: Mapping[str, int] = columns
        self._paces = Paces([part.period_s for part in self.parts])
        self._held: list[Row] = [np.full(end - begin, np.nan) for _, begin, end in self._ranges]
        self._owners = {
            name.partition(".")[0].partition("!")[0]: number
            for number, part in enumerate(self.parts)
            for name in part.channels
        }

    def run(self, steps: int) -> Block:
        """Go on by so many steps."""
        values = np.full((steps, len(self.columns)), np.nan)
        self.step(values)
        return self._completed(values)

    def step(self, values: Rows) -> None:
        """The first half of `run`: go on by as many steps as `values` [steps, columns], all NaN, has rows, and write
        what the parts decide in each. Completed by `run`, or by another engine's `follow`."""
        dt, wire, steps = self.dt, self._wire, len(values)
        rows = [values[:, begin:end] for _, begin, end in self._ranges]
        # A view for each step only where something is written: joints have no channels.
        written = [list(of_part) if of_part.shape[1] else [of_part] * steps for of_part in rows]
        turns = self.turns(steps)
        stepping = {
            key: [(self.parts[number].step, written[number], passed) for number, passed in turn]
            for key, turn in {id(turn): turn for turn in turns}.items()
        }
        for at, key in enumerate(map(id, turns)):
            if wire is not None:
                wire(dt)
            for step, of_part, passed in stepping[key]:
                step(passed, of_part[at])

    def follow(self, values: Rows, told: None = None) -> Block:
        """The second half of `run`, for a mine in two processes: complete what an engine made alike has written with
        its next `step`, which told nothing more. To neither may anything have been commanded, nor may they have been
        disturbed: only steps see that."""
        del told
        self.turns(len(values))
        return self._completed(values)

    def _completed(self, values: Rows) -> Block:
        for number, (_, begin, end) in enumerate(self._ranges):
            self.observe(number, values[:, begin:end])
        steps = len(values)
        ts = self.now_us + round(self.dt * 1e6) * np.arange(1, steps + 1, dtype=np.int64)
        self.now_us = int(ts[-1])
        return Block(ts, values, self.columns)

    def turns(self, steps: int) -> list[Turn]:
        """Which parts step in each of the next steps, which are then taken to be made. Equal turns are one object."""
        return self._paces.turns(steps, round(self.dt * 1e6))

    def observe(self, number: int, rows: Rows) -> None:
        """Complete what a part has written in the steps of the last `turns`."""
        part = self.parts[number]
        if part.period_s:
            hold(rows, self._paces.due[number], self._held[number])
            self._held[number] = rows[-1].copy()
        part.observe(self.dt, rows)

    def command(self, equipment: str, key: str, value: float) -> None:
        """Between two runs: a device was told to set a point. Raises Refused."""
        self._told(equipment).command(equipment, key, _finite(equipment, key, value))

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Between two runs: a fault begins, or ends with 0. Raises Refused."""
        self._told(equipment).disturb(equipment, kind, _finite(equipment, kind, amount))

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """Equipment → kinds of disturbance that it knows."""
        found: dict[str, tuple[str, ...]] = {}
        for part in self.parts:
            for name, kinds in part.disturbances().items():
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *kinds)))
        return found

    def texts(self) -> Mapping[str, str]:
        """Text channels now."""
        return {name: text for part in self.parts for name, text in part.texts().items()}

    def _told(self, equipment: str) -> Part:
        """Whose equipment it is; it steps with the next step."""
        if equipment not in self._owners:
            raise Refused(f"没有模拟设备 '{equipment}' · nothing simulates an equipment '{equipment}'")
        number = self._owners[equipment]
        self._paces.wake(number)
        return self.parts[number]


def _finite(equipment: str, key: str, value: float) -> float:
    """A float register can hold what is no number; no part needs to expect that."""
    if not math.isfinite(value):
        raise Refused(
            f"{equipment} 的 {key} 应为数，给出的是 {value} · {key} of {equipment} must be a number, not {value}"
        )
    return value
