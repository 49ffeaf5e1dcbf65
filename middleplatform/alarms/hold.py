"""The watch's hold on the book: it alone judges, and what it found, remembers and reached is kept together."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence

from sqlalchemy import and_, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from middleplatform.alarms.book import advance, write
from middleplatform.alarms.condition import Change, Position
from middleplatform.alarms.watched import extend
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_watches as watches

REFUSED = (DataError, IntegrityError)
"""What a store says of what it will never take, however often it is asked."""


class Superseded(Exception):
    """Another process judges now: this one must end."""


class Hold:
    """Of one process, from its start until another one takes it."""

    def __init__(self, where: Place, mine: str, consumer: str) -> None:
        """Take it: whoever had it before keeps nothing more."""
        self._where, self._mine, self.consumer = where, mine, consumer
        named, now = watches.c.consumer == consumer, time.time_ns() // 1000
        with connect(where).begin() as connection:
            taking = update(watches).where(named).values(generation=watches.c.generation + 1, round=0, at=now)
            if not connection.execute(taking).rowcount:
                made = {"consumer": consumer, "generation": 1, "round": 0, "memory": None, "at": now}
                connection.execute(insert(watches).values(made))
            row = connection.execute(select(watches).where(named)).one()
        self._generation, self._round = row.generation, 0
        self.memory: bytes | None = None if row.memory is None else base64.b64decode(row.memory)
        """What the engine remembered when something was last kept; None before the first time."""

    def takes(self, changes: Sequence[Change]) -> bool:
        """Whether the store would take these; nothing is kept."""
        with connect(self._where).connect() as connection:
            try:
                write(connection, self._mine, changes, time.time_ns() // 1000)
            except REFUSED:
                return False
            finally:
                connection.rollback()
        return True

    def keep(
        self,
        positions: Sequence[Position],
        changes: Sequence[Change],
        memory: bytes,
        heard: tuple[int, int] | None = None,
    ) -> None:
        """Journal, conditions, positions, memory, and from when to when all was judged (`heard`, µs UTC), all or
        nothing. The same once more, after an error that left open
        whether it was kept, changes nothing. Raises Superseded."""
        now, coming = time.time_ns() // 1000, self._round + 1
        ours = and_(watches.c.consumer == self.consumer, watches.c.generation == self._generation)
        turn = update(watches).where(ours, watches.c.round == self._round)
        values = {"round": coming, "memory": base64.b64encode(memory).decode(), "at": now}
        with connect(self._where).begin() as connection:
            if connection.execute(turn.values(values)).rowcount:
                for position in positions:
                    advance(connection, position, now)
                write(connection, self._mine, changes, now)
                if heard is not None:
                    extend(connection, self._mine, *heard)
            elif connection.execute(select(watches.c.round).where(ours)).scalar() != coming:
                raise Superseded("另一个报警进程已接管 · another process judges the alarms now")
        self._round = coming
