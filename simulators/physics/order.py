"""What a crew is told to do at its place."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL, REMOTE, AUTO, INSPECTION = 1, 2, 3, 4
"""Values of `control.mode`, as all templates have them."""
START, STOP, RESET = 1, 2, 3
"""Values of a machine's point `command`."""


@dataclass(frozen=True, slots=True)
class Order:
    """`mode`: as above. `intelligent`: nobody is to work by hand.
    `inspection`: the place is under maintenance."""

    produce: bool = False
    intelligent: bool = False
    mode: int = LOCAL
    inspection: bool = False
