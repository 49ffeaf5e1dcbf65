"""Two-way cutting with a snake-in at each end (双向割煤, 端部斜切进刀): the steps (工步) of a cycle of two webs."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    SNAKE_IN = 1
    """Along the bend of the conveyor into the new web."""
    STRAIGHTEN = 2
    """Wait until the end of the conveyor is pushed up."""
    TRIANGLE = 3
    """Back to the end through the triangle of coal that was left."""
    TURN = 4
    RUN_EMPTY = 5
    CUT = 6
    END = 7
    """At the other end: drums change over, the last supports follow."""


class Step(NamedTuple):
    """Haul to `target` (m), or, with `wait_s`, stay at least so long. `away`: 1 if the step belongs to the web
    that goes towards the tail, else -1."""

    kind: Kind
    target: float
    wait_s: float
    away: int


def cycle(face: float, snake: float, turn_s: float, end_turn_s: float) -> tuple[Step, ...]:
    """Fourteen steps: seven of the web towards the tail, then the same towards the head. Lengths in m."""

    def web(end: float, out: float, far: float, away: int) -> list[Step]:
        return [
            Step(Kind.SNAKE_IN, out, 0.0, away),
            Step(Kind.STRAIGHTEN, out, turn_s, away),
            Step(Kind.TRIANGLE, end, 0.0, away),
            Step(Kind.TURN, end, turn_s, away),
            Step(Kind.RUN_EMPTY, out, 0.0, away),
            Step(Kind.CUT, far, 0.0, away),
            Step(Kind.END, far, end_turn_s, away),
        ]

    return tuple(web(0.0, snake, face, 1) + web(face, face - snake, 0.0, -1))
