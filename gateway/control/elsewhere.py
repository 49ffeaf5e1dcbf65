"""What interlocks here ask about that another gateway reads: its live values over the bus, for as long as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bus.connection import Bus
from gateway.linkage.hear import Far, Hearing
from models.quality import GOOD
from models.site.model import Point


class Elsewhere:
    """Points of other gateways by path. `monotonic`: µs. A gateway that is silent for longer than its point may be is
    one of which nothing is known, and so is one that has not been heard yet."""

    def __init__(self, code: str, monotonic: Callable[[], int]) -> None:
        self._monotonic = monotonic
        self._hearing = Hearing(code, monotonic, lambda _: None)
        self._points: dict[str, list[Point]] = {}
        self._far: dict[str, Far] = {}
        self._places: dict[str, tuple[str, int]] = {}

    def ask_about(self, points: Mapping[str, Sequence[Point]]) -> None:
        """From now on these, by gateway. What was heard of a gateway goes on where it is asked about the same."""
        before, known = self._points, self._far
        self._points = {gateway: list(listed) for gateway, listed in points.items()}
        self._far = {
            gateway: known[gateway] if before.get(gateway) == listed else Far(gateway, listed)
            for gateway, listed in self._points.items()
        }
        self._places = {
            point.path: (gateway, place)
            for gateway, listed in self._points.items()
            for place, point in enumerate(listed)
        }
        self._hearing.set(self._far)

    async def run(self, bus: Bus) -> None:
        """Hear them, until cancelled."""
        await self._hearing.run(bus)

    def good(self, path: str) -> float | None:
        """A point's value that is good and not too old; None when there is none."""
        found = self._places.get(path)
        if found is None:
            return None
        gateway, place = found
        far = self._far[gateway]
        return float(far.value[place]) if int(far.quality(self._monotonic())[place]) >= GOOD else None
