"""What a crew is told to do at its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """`mode`: 1 local, 2 remote, 3 auto, 4 inspection. `intelligent`: nobody is to work by hand.
    `inspection`: the place is under maintenance."""

    produce: bool = False
    intelligent: bool = False
    mode: int = 1
    inspection: bool = False
