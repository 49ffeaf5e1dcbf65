"""Whether each replica has what was acknowledged, and whether an answer can have come from one that has not.

A write waits for every replica that is up; so only one that was then away or behind, a missed one, can lack anything.
The servers themselves do not ask a replica that knows how far it is behind. But one that was suspended, or cut
off from ZooKeeper, wakes up and takes itself for the newest: while some are missed, an answer counts only if none
of them may have had a part in it.
"""

from __future__ import annotations

import threading
import time
from enum import Enum

import structlog

from middleplatform.store.clickhouse.layout import Layout
from middleplatform.store.clickhouse.session import Server, ServerAway
from middleplatform.store.engine import EngineError

log = structlog.get_logger("store")

CATCH_UP_S = 3.0
"""How long a write waits for a replica that is up. One that takes longer knows by itself that it is behind
(`max_replica_delay_for_distributed_queries` is below this)."""
PATIENCE_S = 3.0
"""How long a replica may be silent before it counts as away."""
MISSED_S = 0.5
"""The same of one that was away or behind the last time."""
SILENT_S = 5.0
"""How long one that takes connections may say nothing until it cannot have had a part in an answer either."""
RESTART_S = 10.0
"""The least time between two restarts of one replica's tables."""

# What a replica has taken over from the common log stands in its own queue there until it is done; the server's
# own count of it follows a moment later.
_STATUS = (
    "SELECT table, replica_path AS path, toInt64(absolute_delay) AS delay, is_session_expired AS expired, "
    "inserts_in_queue = 0 AND NOT is_session_expired AND (log_pointer > log_max_index OR log_max_index = 0) AS current "
    "FROM system.replicas WHERE database = '{database}' AND ('{table}' = '' OR table = '{table}')"
)
_WAITING = "SELECT count() AS n FROM system.zookeeper WHERE path = '{path}/queue' AND position(value, '\\nget\\n') > 0"
_REPLICATED = "SELECT name FROM system.tables WHERE database = '{database}' AND engine LIKE 'Replicated%'"


class State(Enum):
    """What is known of a replica."""

    CURRENT = "it has all"
    AWAY = "it does not answer"
    BEHIND = "it is behind and knows it: its peers do not ask it"
    DOUBTFUL = "it is behind and may not know it"


class Replicas:
    """Used from any thread. `told` rises whenever the state of a missed replica is seen to change."""

    def __init__(self, layout: Layout, delay_s: float) -> None:
        """`delay_s`: from which delay on the servers do not ask a replica."""
        self._layout = layout
        self._delay_s = delay_s
        self._lock = threading.Lock()
        # Nothing is known of what was written before this process began.
        self._missed = {server: State.BEHIND for each in layout.shards if len(each) > 1 for server in each}
        self._looking = threading.Lock()
        self._looked_from = 0.0
        self._doubt = False
        self._restarted: dict[Server, float] = {}
        self._tables: frozenset[str] = frozenset()
        self.told = 0

    def replicate(self, table: str) -> None:
        """Wait until every replica that is up has all of a table that was written until now."""
        for replicas in self._layout.shards:
            if len(replicas) > 1:
                for server in replicas:
                    self._catch_up(server, table)

    def doubted(self) -> bool:
        """Look at the missed replicas; whether one may answer, now or a moment ago, without what was acknowledged."""
        asked = time.monotonic()
        with self._looking:
            # Those who waited for the same look share it.
            if self._looked_from < asked:
                self._looked_from = time.monotonic()
                states = {server: self._look(server, "", SILENT_S) for server in tuple(self._missed)}
                for server, state in states.items():
                    self._note(server, state, state.value)
                self._doubt = State.DOUBTFUL in states.values()
            return self._doubt

    @property
    def all_current(self) -> bool:
        """Whether every replica has all that was acknowledged."""
        return not self._missed

    def _catch_up(self, server: Server, table: str) -> None:
        missed = server in self._missed
        deadline = time.monotonic() + (MISSED_S if missed else CATCH_UP_S)
        while True:
            # One that was missed is trusted again only when all of its tables are current.
            state = self._look(server, "" if missed else table, MISSED_S if missed else PATIENCE_S)
            if state in (State.CURRENT, State.AWAY) or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        self._note(server, state, state.value)

    def _note(self, server: Server, state: State, reason: str) -> None:
        with self._lock:
            was = self._missed.get(server, State.CURRENT)
            if state is was:
                return
            self.told += 1
            if state is State.CURRENT:
                del self._missed[server]
                log.info("副本已追上 · a replica has caught up", server=str(server))
            else:
                self._missed[server] = state
                if was is State.CURRENT:
                    log.warning("副本落后或不可达 · a replica is away or behind", server=str(server), reason=reason)

    def _look(self, server: Server, table: str, patience_s: float) -> State:
        try:
            rows = self._layout.ask(server, _STATUS, patience_s, table=table)
            behind = [row for row in rows if not (row["current"] and self._has_all(server, row["path"], patience_s))]
        except ServerAway:
            return State.AWAY
        except EngineError:
            # It answers, but not about ZooKeeper.
            self._restart(server)
            return State.DOUBTFUL
        found = {row["table"] for row in rows}
        self._tables |= found
        if found != ({table} if table else self._tables):
            # One that begins anew has none of its tables for a moment.
            return State.DOUBTFUL
        if not behind:
            return State.CURRENT
        if any(row["expired"] for row in behind):
            self._restart(server)
        return State.BEHIND if all(row["delay"] >= self._delay_s for row in behind) else State.DOUBTFUL

    def _has_all(self, server: Server, path: str, patience_s: float) -> bool:
        return not self._layout.ask(server, _WAITING, patience_s, path=path)[0]["n"]

    def _restart(self, server: Server) -> None:
        """Have it begin anew with ZooKeeper: from then on it knows that it is behind."""
        if time.monotonic() - self._restarted.get(server, -RESTART_S) < RESTART_S:
            return
        self._restarted[server] = time.monotonic()
        log.warning("副本与协调服务失联 · a replica has lost ZooKeeper and is told to begin anew", server=str(server))
        try:
            for row in self._layout.ask(server, _REPLICATED, PATIENCE_S):
                self._layout.say(server, f"SYSTEM RESTART REPLICA {row['name']}")
        except EngineError as error:
            log.warning("a replica could not be told", server=str(server), reason=str(error))
