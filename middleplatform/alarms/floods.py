"""When alarms come faster than an operator can read them (ISA-18.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from middleplatform.alarms.annunciation import Annunciation


@dataclass(frozen=True, slots=True)
class Flood:
    """From `start` to before `end` (µs UTC; None: it lasts); `peak`: the most raises within the window."""

    start: int
    end: int | None
    peak: int


def floods(raised: NDArray[np.int64], how: Annunciation, now: int) -> list[Flood]:
    """The floods among raises, whose times (µs UTC) ascend; what would change after `now` has not happened yet."""
    if not len(raised):
        return []
    times = np.concatenate([raised, raised + how.flood_us])
    delta = np.repeat(np.array([1, -1]), len(raised))
    order = np.lexsort((delta, times))  # what leaves the window at an instant leaves it before another one comes
    times, counts = times[order], np.cumsum(delta[order])
    happened = times <= now
    times, counts = times[happened], counts[happened]
    if not len(times):
        return []
    said = np.select([counts > how.begins_above, counts < how.ends_below], [1, 0], -1)
    known = np.maximum.accumulate(np.where(said >= 0, np.arange(len(said)), -1))
    flooded = np.where(known >= 0, said[known], 0)
    turns = np.flatnonzero(np.diff(np.concatenate([[0], flooded])))
    begun, ended = turns[::2], turns[1::2]
    found = []
    for number, first in enumerate(begun.tolist()):
        last = int(ended[number]) if number < len(ended) else len(times)
        end = int(times[last]) if number < len(ended) else None
        found.append(Flood(int(times[first]), end, int(counts[first:last].max())))
    return found
