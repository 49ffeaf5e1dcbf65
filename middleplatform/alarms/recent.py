"""The raises of the last day, counted by the second, so that whoever asks each second reads only what is new."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from sqlalchemy import func, select

from middleplatform.alarms.annunciation import Annunciation
from middleplatform.alarms.condition import Act
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarms

SECOND = 1_000_000
DAY_S = 86_400
AHEAD_S = 600
"""What a clock that runs ahead has raised counts once its second has come."""


class RecentRaises:
    """Of one mine. Threads may share one."""

    def __init__(self, where: Place, mine: str) -> None:
        self._where, self._mine = where, mine
        self._lock = Lock()
        self._counts = np.zeros(DAY_S + AHEAD_S, np.int64)
        self._begin: int | None = None
        """The second, since 1970, of the first count."""
        self._read = 0

    def flood(self, how: Annunciation, now: int) -> dict[str, Any] | None:
        """The flood that lasts at `now` (µs UTC), to the second; None while there is none. It began within the last
        day."""
        second = now // SECOND
        with self._lock:
            self._pass(second - DAY_S + 1)
            self._read_new()
            assert self._begin is not None  # noqa: S101 - time has passed
            upto = min(second + 1 - self._begin, len(self._counts))
            return self._found(self._counts[: max(upto, 0)], self._begin, how)

    @staticmethod
    def _found(counts: np.ndarray[Any, np.dtype[np.int64]], begin: int, how: Annunciation) -> dict[str, Any] | None:
        """As `floods` says it: what leaves the window at an instant leaves it before another one comes."""
        if not len(counts):
            return None
        window = how.flood_us // SECOND
        total = np.concatenate([np.zeros(window + 1, np.int64), np.cumsum(counts)])
        high = total[window + 1 :] - total[1 : len(counts) + 1]
        low = high - counts
        said = np.stack([np.where(low < how.ends_below, 0, -1), np.where(high > how.begins_above, 1, -1)], 1).ravel()
        known = np.flatnonzero(said >= 0)
        if not len(known) or said[known[-1]] == 0:
            return None
        ends = known[said[known] == 0]
        first = known[np.searchsorted(known, ends[-1], "right")] if len(ends) else known[0]
        start = int(first) // 2
        return {"start": (begin + start) * SECOND, "peak": int(high[start:].max())}

    def _pass(self, begin: int) -> None:
        """Forget what is older than a day; after a clock that was ahead everything is read anew."""
        by = 0 if self._begin is None else begin - self._begin
        if self._begin is None or by < -AHEAD_S:
            self._counts[:], self._read, by = 0, 0, 0
            self._begin = begin
        if by >= len(self._counts):
            self._counts[:] = 0
        elif by > 0:
            self._counts[:-by] = self._counts[by:].copy()
            self._counts[-by:] = 0
        self._begin += max(by, 0)

    def _read_new(self) -> None:
        assert self._begin is not None  # noqa: S101 - see flood
        second = journal.c.ts // SECOND
        with connect(self._where).connect() as connection:
            newest = connection.execute(select(func.max(journal.c.number))).scalar() or 0
            query = (
                select(second, func.count())
                .join(alarms, alarms.c.id == journal.c.alarm)
                .where(journal.c.number > self._read, journal.c.number <= newest, alarms.c.mine == self._mine)
                .where(journal.c.what == str(Act.RAISE), ~journal.c.late, journal.c.ts >= self._begin * SECOND)
                .group_by(second)
            )
            rows = connection.execute(query).all() if newest > self._read else []
        table = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
        place = table[:, 0] - self._begin
        within = (place >= 0) & (place < len(self._counts))
        np.add.at(self._counts, place[within], table[within, 1])
        self._read = newest
