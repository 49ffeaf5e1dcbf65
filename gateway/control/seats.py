"""The right of control (控制权): one person at a time commands a machine, until it is handed over or lies idle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FREE = ""


@dataclass(frozen=True, slots=True)
class _Seat:
    who: str
    until: int


class Seats:
    """Who commands which machine. Times are of the monotonic clock, µs; a new start of the gateway frees all."""

    def __init__(self, monotonic: Callable[[], int], lasting_s: float) -> None:
        self._monotonic = monotonic
        self._lasting_us = int(lasting_s * 1e6)
        self._seats: dict[str, _Seat] = {}

    def holder(self, equipment: str) -> str:
        """The person's name; FREE when anybody may begin."""
        seat = self._seats.get(equipment)
        if seat is not None and self._monotonic() >= seat.until:
            del self._seats[equipment]
            return FREE
        return FREE if seat is None else seat.who

    def take(self, equipment: str, who: str) -> None:
        """It is this person's now, and anew for as long as it lasts."""
        self._seats[equipment] = _Seat(who, self._monotonic() + self._lasting_us)

    def free(self, equipment: str) -> None:
        self._seats.pop(equipment, None)

    def held(self) -> dict[str, str]:
        """Person by machine."""
        return {equipment: who for equipment in list(self._seats) if (who := self.holder(equipment))}
