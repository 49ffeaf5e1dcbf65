"""What stands between two parts: it carries over what one gives and the other takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulators.engine.part import Part, Row


class Joint(Part):
    """Calls `carry` once a step (or `period_s`), at its place in the parts' order. It has no channels of its own."""

    channels: Sequence[str] = ()

    def __init__(self, carry: Callable[[], None], period_s: float = 0.0) -> None:
        self._carry, self.period_s = carry, period_s

    def step(self, dt: float, row: Row) -> None:
        self._carry()
