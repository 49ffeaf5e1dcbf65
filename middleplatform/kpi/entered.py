"""What people entered by hand of the points that figures are made of: it counts, but not for sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from sqlalchemy import select

from middleplatform.database import Place, connect
from middleplatform.database.tables.manual import manual_entries as entries
from middleplatform.database.tables.manual import manual_samples as samples
from models.site.model import Point
from models.spans import Spans, joined
from models.utilisation.signal import Signal, hold

Told = tuple[int, list[int]]
"""The number of an entry, and its instants within a time, µs UTC, rising."""


class Reads(Protocol):
    """See `middleplatform.kpi.reading.Reader`."""

    def samples(self, points: Sequence[Point], start: int, end: int) -> Mapping[int, Signal]: ...


def entered(where: Place, mine: str, points: Iterable[Point], start: int, end: int) -> dict[int, list[Told]]:
    """By point id: the approved entries of its values in [start, end) µs UTC, the oldest first. Raises
    DatabaseError."""
    of = {point.path: point.id for point in points}
    query = (
        select(entries.c.subject, entries.c.id, samples.c.ts)
        .join(samples, samples.c.entry == entries.c.id)
        .where(entries.c.mine == mine, entries.c.kind == "value", entries.c.state == "approved")
        .where(samples.c.ts >= start, samples.c.ts < end)
        .order_by(entries.c.id, samples.c.ts)
    )
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    with connect(where).connect() as connection:
        for subject, entry, ts in connection.execute(query):
            if (point := of.get(subject)) is not None:
                found[point][entry].append(ts)
    return {point: list(own.items()) for point, own in found.items()}


def spans(where: Place, mine: str, points: Iterable[Point], reader: Reads, start: int, end: int) -> dict[int, Spans]:
    """By point id: when what held in [start, end) µs UTC was entered by a person. Raises what the reader does, and
    DatabaseError."""
    known = {point.id: point for point in points}
    longest_hold = max((hold(point) for point in known.values()), default=0)
    found = entered(where, mine, known.values(), start - longest_hold, end)
    told = reader.samples([known[number] for number in sorted(found)], start - longest_hold, end) if found else {}
    return {number: _held(told[number], [at for _, own in found[number] for at in own]) for number in sorted(found)}


def _held(signal: Signal, instants: Sequence[int]) -> Spans:
    own = np.isin(signal.ts, np.array(instants, np.int64))
    return joined(signal.ts[own], signal.end[own])
