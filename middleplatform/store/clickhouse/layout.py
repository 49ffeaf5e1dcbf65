"""The servers one by one: which shards and replicas there are, what is said to each of them, and whether a
replica has what was written through another."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from middleplatform.store.clickhouse.address import Address
from middleplatform.store.clickhouse.session import Server, ServerAway, Session
from middleplatform.store.engine import EngineError
from middleplatform.store.errors import StoreError

log = structlog.get_logger("store")

CATCH_UP_S = 3.0
"""How long a write waits for a replica that is up. One that takes longer is not asked by the servers
(`max_replica_delay_for_distributed_queries` is below this), until it has caught up."""
PATIENCE_S = 3.0
"""How long a replica may be silent before it counts as away."""
MISSED_S = 0.5
"""The same of one that was away or behind the last time."""
MUTATION_S = 120.0
STATEMENT_S = 60.0

_CLUSTER = "SELECT shard_num, replica_num, host_name, port FROM system.clusters WHERE cluster = '{}'"
_CURRENT = (
    "SELECT inserts_in_queue = 0 AND NOT is_session_expired AND (log_pointer > log_max_index OR log_max_index = 0) "
    "AS current, replica_path AS path FROM system.replicas WHERE database = '{}' AND table = '{}'"
)
# What a replica has taken over from the common log stands in its own queue there until it is done; the server's
# own count of it follows a moment later.
_WAITING = "SELECT count() AS n FROM system.zookeeper WHERE path = '{}/queue' AND position(value, '\\nget\\n') > 0"
_PARTS = (
    "SELECT partition_id AS partition, count() AS parts FROM system.parts "
    "WHERE active AND database = '{}' AND table = '{}' GROUP BY partition"
)
_LEADS = "SELECT is_leader AS leads FROM system.replicas WHERE database = '{}' AND table = '{}'"
_UNFINISHED = "SELECT count() AS n FROM system.mutations WHERE database = '{}' AND table = '{}' AND NOT is_done"
_MISSING_MACROS = (
    "the server {} has no macros 'shard' and 'replica' in its configuration: "
    "replicated tables need them to know their place"
)


class Layout:
    """The shards of a cluster, each with its replicas; a single server is one shard of one replica."""

    def __init__(self, address: Address) -> None:
        """Ask the servers, and make the database on each. Raises StoreError."""
        self._address = address
        self._sessions: dict[tuple[Server, float], Session] = {}
        self._lock = threading.RLock()
        self._missed: set[Server] = set()
        if address.cluster is None and len(address.hosts) != 1:
            raise StoreError("the store's address names several servers: give the cluster that they make (cluster=…)")
        seeds = [Server(*host) for host in address.hosts]
        # Without settings: they may be of another generation than the server, which is found out here.
        self._seed = Session(address, seeds, {}, STATEMENT_S, "system")
        try:
            self._check_version()
            self.shards = ((seeds[0],),) if address.cluster is None else self._ask(address.cluster)
            self._make_database()
        except BaseException:
            self.close()
            raise

    @property
    def servers(self) -> tuple[Server, ...]:
        return tuple(server for replicas in self.shards for server in replicas)

    def on_every_server(self, statements: Sequence[str], table: str) -> None:
        """Make a table everywhere. A server that is down may be left out when the others have it already: then
        so has that one."""
        away: list[Server] = []
        had = True
        for server in self.servers:
            try:
                had &= self._has(server, table)
                for statement in statements:
                    self._say(server, statement)
            except ServerAway as error:
                away.append(server)
                reason = error
        if away and (not had or len(away) == len(self.servers)):
            named = ", ".join(map(str, away))
            made = table.removesuffix("_local")
            raise StoreError(f"{named} must be up while the table {made} is first made: {reason}")
        for server in away:
            self._miss(server, str(reason))

    def on_every_shard(self, statements: Sequence[str], table: str) -> None:
        """Change a table: said to one replica of each shard, the leader where there is one; the others follow.
        Old servers pass it on to the leader themselves, but as the user `default`."""
        for replicas in self.shards:
            up = {server: leads for server in replicas if (leads := self._leads(server, table)) is not None}
            server = max(up, key=lambda server: up[server], default=replicas[0])
            for statement in statements:
                self._say(server, statement)

    def wait_for_mutations(self, table: str) -> None:
        """Wait until what was changed in a table is changed on every server that is up."""
        for server in self.servers:
            deadline = time.monotonic() + MUTATION_S
            try:
                while self._rows(server, _UNFINISHED, table)[0]["n"]:
                    if time.monotonic() > deadline:
                        raise EngineError(f"{server} has not rewritten {table} after {MUTATION_S:.0f} s")
                    time.sleep(0.02)
            except ServerAway:
                continue

    def replicate(self, table: str) -> None:
        """Wait until every replica that is up has all of a table that was written until now."""
        if self._address.cluster is None:
            return
        for replicas in self.shards:
            if len(replicas) > 1:
                for server in replicas:
                    self._catch_up(server, table)

    def parts(self, table: str) -> dict[int, int]:
        """How many parts each partition of a table has: the most that a replica has, over all shards. A replica
        that is behind may lack some, so each that is up is asked. Raises ServerAway when none of a shard is."""
        found: dict[int, int] = {}
        for replicas in self.shards:
            most: dict[int, int] = {}
            reason: ServerAway | None = None
            answered = False
            for server in replicas:
                try:
                    for row in self._rows(server, _PARTS, table):
                        day = int(row["partition"])
                        most[day] = max(most.get(day, 0), row["parts"])
                    answered = True
                except ServerAway as error:
                    reason = error
            if not answered and reason is not None:
                raise reason
            for day, parts in most.items():
                found[day] = found.get(day, 0) + parts
        return found

    def close(self) -> None:
        with self._lock:
            for session in (self._seed, *self._sessions.values()):
                session.close()

    def _catch_up(self, server: Server, table: str) -> None:
        patience_s = MISSED_S if server in self._missed else PATIENCE_S
        deadline = time.monotonic() + (MISSED_S if server in self._missed else CATCH_UP_S)
        reason = "it is behind"
        try:
            while time.monotonic() < deadline:
                if self._is_current(server, table, patience_s):
                    if server in self._missed:
                        self._missed.remove(server)
                        log.info("副本已追上 · a replica has caught up", server=str(server))
                    return
                time.sleep(0.01)
        except EngineError as error:
            reason = str(error)
        self._miss(server, reason)

    def _is_current(self, server: Server, table: str, patience_s: float) -> bool:
        rows = self._rows(server, _CURRENT, table, patience_s)
        if not all(row["current"] for row in rows):
            return False
        with self._lock:
            queues = [self._session(server, patience_s).query(_WAITING.format(row["path"])) for row in rows]
        return not any(queue.column("n")[0].as_py() for queue in queues)

    def _miss(self, server: Server, reason: str) -> None:
        if server not in self._missed:
            self._missed.add(server)
            log.warning("副本落后或不可达 · a replica is away or behind", server=str(server), reason=reason)

    def _rows(self, server: Server, sql: str, table: str, patience_s: float = STATEMENT_S) -> list[dict[str, int]]:
        with self._lock:
            session = self._session(server, patience_s)
            return session.query(sql.format(self._address.database, table)).to_pylist()

    def _leads(self, server: Server, table: str) -> bool | None:
        """Whether a server leads the replicas of a table; None when it does not answer."""
        try:
            return any(row["leads"] for row in self._rows(server, _LEADS, table, patience_s=PATIENCE_S))
        except ServerAway:
            return None

    def _say(self, server: Server, statement: str) -> None:
        with self._lock:
            self._session(server, STATEMENT_S).query(statement)

    def _has(self, server: Server, table: str) -> bool:
        sql = "SELECT count() AS n FROM system.tables WHERE database = '{}' AND name = '{}'"
        return bool(self._rows(server, sql, table)[0]["n"])

    def _session(self, server: Server, patience_s: float) -> Session:
        key = (server, patience_s)
        if key not in self._sessions:
            profile = self._address.profile
            settings = {**profile.session, **profile.writer}
            self._sessions[key] = Session(self._address, [server], settings, patience_s)
        return self._sessions[key]

    def _check_version(self) -> None:
        text = self._seed.query("SELECT version() AS v").column("v")[0].as_py()
        profile = self._address.profile
        version = tuple(int(part) for part in text.split(".")[:2])
        if version < profile.oldest or (profile.before is not None and version >= profile.before):
            other = "leave the profile out" if profile.before is not None else "add profile=legacy for one of 18.16"
            raise StoreError(f"the server at {self._address} is of version {text}, which is not one of the profile "
                             f"'{profile.name}': {other}")  # fmt: skip

    def _ask(self, cluster: str) -> tuple[tuple[Server, ...], ...]:
        rows = self._seed.query(_CLUSTER.format(cluster)).to_pylist()
        if not rows:
            known = self._seed.query("SELECT DISTINCT cluster FROM system.clusters").column("cluster").to_pylist()
            raise StoreError(f"the servers know no cluster '{cluster}', only {', '.join(sorted(known)) or 'none'}")
        shards: dict[int, list[Server]] = {}
        for row in sorted(rows, key=lambda row: (row["shard_num"], row["replica_num"])):
            shards.setdefault(row["shard_num"], []).append(Server(row["host_name"], row["port"]))
        return tuple(tuple(replicas) for replicas in shards.values())

    def _make_database(self) -> None:
        away = []
        for server in self.servers:
            session = Session(self._address, [server], self._address.profile.session, STATEMENT_S, "system")
            try:
                if self._address.cluster is not None:
                    macros = session.query("SELECT macro FROM system.macros").column("macro").to_pylist()
                    if not {"shard", "replica"} <= set(macros):
                        raise StoreError(_MISSING_MACROS.format(server))
                session.query(f"CREATE DATABASE IF NOT EXISTS {self._address.database}")
            except ServerAway:
                away.append(server)
            finally:
                session.close()
        if len(away) == len(self.servers):
            raise ServerAway(f"no server answers at {self._address}")
