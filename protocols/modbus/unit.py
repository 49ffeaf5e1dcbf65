"""What a line knows of each unit on it: whether it answers, and when a silent one is asked again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from models.words import halves

SILENT = 2
"""So many unusable answers in a row, and a unit rests."""
LONGEST_REST_S = 60.0


@dataclass(slots=True)
class Unit:
    """One unit: its breaker. `strikes`: unusable answers in a row; `silent`: it was the unit itself that
    did not answer; `ask_after`: it rests until then (monotonic seconds), for the `reason`."""

    strikes: int = 0
    silent: bool = False
    ask_after: float = 0.0
    reason: str = ""

    def heard(self) -> None:
        """It answered."""
        self.strikes, self.silent, self.ask_after = 0, False, 0.0

    def strike(self, number: int, why: str, rest_s: float, *, silent: bool) -> bool:
        """One more unusable answer. Whether the unit rests now: it then costs its neighbours on the line
        one request each time, and not one a poll."""
        self.strikes += 1
        if self.strikes < SILENT:
            return False
        self.silent = silent
        self.ask_after = time.monotonic() + pause(rest_s, self.strikes - SILENT)
        said = halves(why)
        self.reason = (
            f"站 {number} 暂不询问：{said.zh}，连续 {self.strikes} 次 · "
            f"unit {number} is not asked for a while: {said.en}, {self.strikes} times in a row"
        )
        return True


def pause(rest_s: float, doublings: int) -> float:
    """Seconds until what failed is asked again."""
    return min(rest_s * 2.0 ** min(doublings, 16), max(rest_s, LONGEST_REST_S))
