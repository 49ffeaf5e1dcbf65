"""What a support does: lower, advance and raise; push the conveyor; press up again. With the source of each action."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

LOWER, ADVANCE, RAISE, PUSH, TOP_UP = 1, 2, 3, 4, 5
"""Codes of the action under way."""
KEYPAD, HOST, FOLLOW = 1, 2, 3
"""Sources, as in the controllers' own log: local keypad, host by remote control, automatic follow."""


class State(IntEnum):
    """Of an advance, as the template has it."""

    UNDEFINED = 0
    ONGOING = 1
    ERROR = 2
    FINISHED = 3


_KINDS = {KEYPAD: 2, HOST: 1, FOLLOW: 34}
"""The controllers' kinds of action (ActionInfoType): local single, host single, automatic follow."""


class SupportAction(NamedTuple):
    """One entry of the action log. `step`: number of the step, from 1, in which it began; `support`: index from 0 at
    the head end; `action`: ADVANCE (the whole lower-advance-raise), PUSH or TOP_UP; `kind`: the controllers' kind."""

    step: int
    support: int
    action: int
    source: int
    kind: int


class Web(NamedTuple):
    """A web was finished in `step`; `number` from 1, `tonnes` of it."""

    step: int
    number: int
    tonnes: float


class DrumCorrection(NamedTuple):
    """In `step`, at `position` m, somebody changed the height that was replayed from memory; `source` as above."""

    step: int
    position: float
    source: int


Event = SupportAction | Web | DrumCorrection


def logged(step: int, support: int, action: int, source: int) -> SupportAction:
    """The entry for an action that begins."""
    return SupportAction(step, support, action, source, 81 if action == TOP_UP else _KINDS[source])


class Move:
    """An action under way at support `at`; `clock` s since its begin; `ends`: when its phases end, s."""

    __slots__ = ("action", "at", "clock", "ends", "height", "left", "right", "set_left", "set_right", "shown", "start")

    def __init__(self, at: int, action: int, ends: tuple[float, float, float]) -> None:
        self.at, self.action, self.ends = at, action, ends
        self.clock = 0.0
        self.shown = 0
        self.left = self.right = self.set_left = self.set_right = self.height = self.start = 0.0
