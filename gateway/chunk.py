"""What acquisition hands to the outbox, and the receipt that a device waits for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.events import Event
from models.samples import Samples


class Receipt:
    """Counts what of a delivery is not yet in the bus; calls `acknowledge` once, when nothing is left."""

    __slots__ = ("_acknowledge", "_open")

    def __init__(self, acknowledge: Callable[[], None]) -> None:
        self._acknowledge = acknowledge
        self._open = 1

    def hold(self) -> None:
        self._open += 1

    def release(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._acknowledge()


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Samples to report. `statutory`: of all rows, or row by row. `late` rows are history and are not
    sent live. `source`: who made it; one source's chunk holds no point twice. `receipt`: of a delivery
    that the device keeps until it is acknowledged; such a chunk is never dropped."""

    samples: Samples
    statutory: bool | NDArray[np.bool_]
    source: Hashable
    late: NDArray[np.bool_] | None = None
    receipt: Receipt | None = None


class Sink(Protocol):
    """Where chunks go."""

    def put(self, chunk: Chunk) -> None:
        """Take a chunk. Does not wait."""

    def emit_events(self, events: Sequence[Event], receipt: Receipt | None = None) -> None:
        """Take events, which go out as they are. Does not wait."""

    async def room(self) -> None:
        """Wait until there is room. Whoever asks a device that keeps its data itself waits here, so
        that the device keeps it rather than this process dropping something."""

    def settle(self, receipt: Receipt) -> None:
        """Hold the receipt until all that was put before is in the bus: a delivery that brought nothing
        new may repeat one that is still on its way there."""
