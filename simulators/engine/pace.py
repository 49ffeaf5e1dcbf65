"""When a part steps that need not step with every step of the mine: people on their way and the warmth of a room
change over minutes, and a mine has much of that kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Turn = tuple[tuple[int, float], ...]
"""Which parts step together, in their order, and how many seconds each goes on by."""


@dataclass(slots=True)
class Pace:
    """Of one part with a period (µs; 0: with every step). It is never ahead of the mine, and behind it by less than
    its period. Times are whole µs, so that no cut of a run into blocks shows."""

    period_us: int
    waited_us: int = 0
    """Since it last stepped, or since the start."""
    awake: bool = True
    """It steps with the next step of the mine, however little it has waited."""

    def due(self, steps: int, step_us: int) -> tuple[range, int, int]:
        """In which of the next steps it steps, and by how many µs it goes on in the first of them and in others."""
        every = max(1, round(self.period_us / step_us))
        first = 0 if self.awake else max(0, -((self.waited_us - self.period_us) // step_us) - 1)
        elapsed = self.waited_us + (first + 1) * step_us
        found = range(first, steps, every)
        self.waited_us = (steps - 1 - found[-1]) * step_us if found else self.waited_us + steps * step_us
        self.awake = self.awake and not found
        return found, elapsed, every * step_us


class Paces:
    """Of the parts of a mine, by their periods in s, in the order in which they step."""

    def __init__(self, periods_s: Sequence[float]) -> None:
        always = Pace(0)
        self._of = [Pace(round(period * 1e6)) if period else always for period in periods_s]
        self._each = list({id(pace): pace for pace in self._of}.values())
        column = {id(pace): number for number, pace in enumerate(self._each)}
        self._columns = [column[id(pace)] for pace in self._of]
        self.due: list[range] = [range(0)] * len(self._of)
        """For each part, in which of the steps last asked for it steps."""

    def wake(self, number: int) -> None:
        """What this part was told is seen with the next step."""
        self._of[number].awake = True

    def turns(self, steps: int, step_us: int) -> list[Turn]:
        """For each of the next steps. Equal turns are the same object, so that a caller can prepare for each once."""
        found = [pace.due(steps, step_us) for pace in self._each]
        self.due = [found[column][0] for column in self._columns]
        lasting: NDArray[np.int64] = np.full((steps, len(found)), -1, np.int64)
        for column, (due, elapsed, every) in enumerate(found):
            if due:
                lasting[due.start :: due.step, column] = every
                lasting[due.start, column] = elapsed
        known: dict[bytes, Turn] = {}
        turns: list[Turn] = []
        for row in lasting:
            key = row.tobytes()
            if key not in known:
                passed = row.tolist()
                known[key] = tuple(
                    (number, passed[column] / 1e6) for number, column in enumerate(self._columns) if passed[column] >= 0
                )
            turns.append(known[key])
        return turns


def hold(rows: NDArray[np.float64], due: range, held: NDArray[np.float64]) -> None:
    """Fill the steps [steps, channels] in which a part did not step with what it wrote last; `held` is what it wrote
    before these steps."""
    rows[: due.start] = held
    if due:
        after = np.arange(due.start, len(rows))
        rows[due.start :] = rows[after - (after - due.start) % due.step]
