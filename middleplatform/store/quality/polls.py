"""How many polls were due and answered, out of the gateways' heartbeats.

A heartbeat tells sums since the gateway's start. The last of each hour is kept as it is, so what one misses the next
one tells, whoever was killed between; the difference between two hours is what was due in the later one.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import Engine
from middleplatform.store.quality.assessment import Asked
from middleplatform.store.quality.sources import Sources
from middleplatform.store.rollup_tables import HOUR

FLUSH_S = 60.0
MOST_BYTES = 1_000_000
"""Of a heartbeat that is read."""
BACK_HOURS = 24 * 7
"""How far back the last sum before a range is looked for."""
_ASTRAY_US = 24 * HOUR
"""A heartbeat further off our time than this is not counted."""
_MOST = 2**53

_ROWS = pa.schema(
    [
        ("connection", pa.string()),
        ("grp", pa.string()),
        ("started", pa.int64()),
        ("hour", pa.int64()),
        ("due", pa.int64()),
        ("answered", pa.int64()),
        ("ver", pa.uint64()),
    ]
)
_FOUND = (
    "SELECT connection, grp, started, hour, due, answered FROM polls FINAL "
    "WHERE hour >= {begin:Int64} AND hour < {end:Int64} ORDER BY connection, grp, started, hour"
)
_Key = tuple[str, str, int, int]


class Polls:
    """Hears heartbeats and answers; from any thread."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._flushed = time.monotonic()
        self._new: dict[_Key, tuple[int, int, int]] = {}
        self.refused = 0
        """Heartbeats that could not be read."""
        self.adopt(catalogue)

    def adopt(self, catalogue: Catalogue) -> None:
        """Go by another catalogue from now on."""
        self._catalogue, self._sources = catalogue, Sources(catalogue)
        self._known = set(self._sources.polls)

    def heard(self, gateway: str, data: bytes, now: int) -> None:
        """A heartbeat of a gateway; what it says of connections that are not its own is not counted."""
        try:
            if len(data) > MOST_BYTES:
                raise ValueError("too long")
            self._take(gateway, json.loads(data), now)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.refused += 1

    def _take(self, gateway: str, said: dict[str, Any], now: int) -> None:
        ts, started = _count(said["ts"]), _count(said["started"])
        if abs(ts - now) > _ASTRAY_US:
            raise ValueError("the time is astray")
        found: dict[_Key, tuple[int, int, int]] = {}
        for name, facts in said["connections"].items():
            spec = self._catalogue.site.connections.get(name)
            if spec is None or spec.gateway != gateway:
                continue
            for group, counts in facts["groups"].items():
                if (name, group) in self._known:
                    found[name, group, started, ts // HOUR] = (_count(counts["due"]), _count(counts["answered"]), ts)
        with self._lock:
            self._new.update(found)

    def tend(self) -> None:
        """Write when it is time. Raises EngineError; then the next time writes it."""
        if time.monotonic() - self._flushed >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write what was heard. Raises EngineError."""
        with self._lock:
            self._flushed = time.monotonic()
            if not self._new:
                return
            # A row a poll group, of which there are few.
            rows = [(*key[:3], key[3] * HOUR, *counts) for key, counts in self._new.items()]
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), _ROWS, strict=True)
            ]
            self._engine.insert("polls", pa.table(columns, schema=_ROWS))
            self._new = {}

    def sums(self, asked: Asked) -> dict[str, NDArray[Any]]:
        """due and answered for each group and window: of all poll groups by which the group's points are read."""
        self.flush()
        sources = self._sources
        params = {"begin": asked.start - BACK_HOURS * HOUR, "end": asked.end}
        found = self._engine.query(_FOUND, params)
        due, answered = np.zeros(asked.size, np.int64), np.zeros(asked.size, np.int64)
        if found.num_rows:
            hour, place, more = _risen(found, {name: place for place, name in enumerate(sources.polls)})
            ours = (hour >= asked.start) & (place >= 0)
            key = place[ours] * asked.windows + asked.window(hour[ours])
            size = len(sources.polls) * asked.windows
            of_polls = [np.bincount(key, each[ours], size).reshape(-1, asked.windows) for each in more]
            at, there = sources.among(asked.points)
            pairs = np.unique(asked.group[there] * len(sources.polls) + sources.poll[at[there]])
            group, poll = pairs // len(sources.polls), pairs % len(sources.polls)
            for total, each in zip((due, answered), of_polls, strict=True):
                np.add.at(total.reshape(-1, asked.windows), group, each[poll].astype(np.int64))
        return {"due": due, "answered": answered}


def _risen(
    found: pa.Table, places: dict[tuple[str, str], int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int64]]]:
    """hour (µs), place of the poll group (-1: not known any more), and by how much due and answered rose in it."""
    place = np.array(
        [
            places.get(key, -1)
            for key in zip(*(found.column(n).to_pylist() for n in ("connection", "grp")), strict=True)
        ],
        np.int64,
    )
    names = [found.column(name).to_numpy(zero_copy_only=False) for name in ("connection", "grp", "started")]
    hour, started = found.column("hour").to_numpy(), names[2]
    first = np.append(True, np.any([name[1:] != name[:-1] for name in names], axis=0))
    # Of a gateway that ran for long before anybody listened, nothing says in which hour its first polls were.
    lost = first & (hour - started // HOUR * HOUR > HOUR)
    more = []
    for name in ("due", "answered"):
        total = found.column(name).to_numpy()
        before = np.append(0, total[:-1])
        before[first] = 0
        # A sum that fell began anew: the connection was taken out and brought back.
        rise = np.where(total >= before, total - before, total)
        more.append(np.where(lost, 0, rise))
    return hour, place, more


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError("not a count")
    return value
