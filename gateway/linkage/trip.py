"""One trip of a linkage, from its rise to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.linkage.judge import Of, Seen
from gateway.linkage.latches import Latch
from models.site.model import Linkage, Name

See = Callable[[Of, int], list[Seen]]
Holds = Callable[[Of, int], bool]


@dataclass(eq=False)
class Trip:
    """`see` and `holds`: what its conditions were judged by and whether they hold, at a time of the wall clock."""

    rule: Linkage
    latch: Latch
    reason: Name
    inputs: Sequence[Seen]
    see: See
    holds: Holds
    began: int
    """When, µs of the monotonic clock: setting the wall clock makes nothing early or late. Its time runs from then."""
    resumed: bool = False
    """Begun by the process before this one, nobody knows how long ago."""
    written: dict[str, Any] = field(default_factory=dict)
    fault: int | None = None
    """Since when what must follow does not."""
    waits: bool = False
    """All that must follow was so when it tripped: nothing is written while it is."""
    writing: set[str] = field(default_factory=set)
    """The points that are being written."""

    def due(self) -> int:
        """When what must follow should have, µs of the monotonic clock."""
        return self.began + int(self.rule.within_s * 1e6)
