"""Plays a scenario: its faults begin and end at their instants, between two blocks of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario import Scenario

BLOCK = 600


class Runs(Protocol):
    """What an `Engine` is here."""

    now_us: int
    dt: float

    def run(self, steps: int) -> Block: ...


class Schedule:
    """What is still to come of a scenario. `origin_us`: the instant that its `at` counts from, by default its
    own start."""

    def __init__(self, scenario: Scenario, faults: Faults, origin_us: int | None = None) -> None:
        origin = scenario.start_us if origin_us is None else origin_us
        self._faults = faults
        self._todo = sorted(
            ((origin + round(entry.at * 1e6), entry) for entry in scenario.faults), key=lambda each: each[0]
        )

    def advance(self, now_us: int) -> None:
        """End what is over and begin what is due. Raises FaultError."""
        self._faults.advance(now_us)
        while self._todo and self._todo[0][0] <= now_us:
            at, entry = self._todo.pop(0)
            self._faults.begin(entry.fault, entry.target, at, amount=entry.amount, for_s=entry.for_s)

    def next_us(self) -> int | None:
        """When something begins or ends next; None: never."""
        ends = [each.until_us for each in self._faults.running() if each.until_us is not None]
        return min([at for at, _ in self._todo[:1]] + ends, default=None)

    def steps(self, now_us: int, dt: float, most: int) -> int:
        """How many steps may run from `now_us` as one block, so that nothing happens within it: 1 … most."""
        following = self.next_us()
        if following is None:
            return most
        return max(1, min(most, round((following - now_us) / (dt * 1e6))))


def play(engine: Runs, schedule: Schedule, until_us: int, take: Callable[[Block], None], block: int = BLOCK) -> None:
    """Run the engine up to `until_us` and hand on every block. Raises FaultError."""
    step_us = round(engine.dt * 1e6)
    while (left := (until_us - engine.now_us) // step_us) > 0:
        schedule.advance(engine.now_us)
        take(engine.run(schedule.steps(engine.now_us, engine.dt, min(block, left))))
    schedule.advance(engine.now_us)
