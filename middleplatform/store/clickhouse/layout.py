"""The servers one by one: which shards and replicas there are, and what is asked of and said to each."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from middleplatform.store.clickhouse.address import Address
from middleplatform.store.clickhouse.session import Server, ServerAway, Session
from middleplatform.store.engine import EngineError
from middleplatform.store.errors import StoreError

log = structlog.get_logger("store")

PATIENCE_S = 3.0
"""How long a server may be silent when it is asked about itself."""
MUTATION_S = 120.0
STATEMENT_S = 60.0

_CLUSTER = "SELECT shard_num, replica_num, host_name, port FROM system.clusters WHERE cluster = '{}'"
_PARTS = (
    "SELECT partition_id AS partition, count() AS parts FROM system.parts "
    "WHERE active AND database = '{database}' AND table = '{table}' GROUP BY partition"
)
_HELD = (
    "SELECT table, partition_id AS id, toInt64(count()) AS parts, toInt64(sum(rows)) AS rows, "
    "toInt64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = '{database}' GROUP BY table, id"
)
_LEADS = "SELECT is_leader AS leads FROM system.replicas WHERE database = '{database}' AND table = '{table}'"
_UNFINISHED = (
    "SELECT count() AS n FROM system.mutations WHERE database = '{database}' AND table = '{table}' AND NOT is_done"
)
_MISSING_MACROS = (
    "the server {} has no macros 'shard' and 'replica' in its configuration: "
    "replicated tables need them to know their place"
)

HELD = pa.schema(
    [("table", pa.string()), ("id", pa.string()), *((name, pa.int64()) for name in ("parts", "rows", "bytes"))]
)


class Layout:
    """The shards of a cluster, each with its replicas; a single server is one shard of one replica."""

    def __init__(self, address: Address) -> None:
        """Ask the servers, and make the database on each. Raises StoreError."""
        self._address = address
        self._sessions: dict[tuple[Server, float], Session] = {}
        self._lock = threading.RLock()
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
                    self.say(server, statement)
            except ServerAway as error:
                away.append(server)
                reason = error
        if away and (not had or len(away) == len(self.servers)):
            named = ", ".join(map(str, away))
            made = table.removesuffix("_local")
            raise StoreError(f"{named} must be up while the table {made} is first made: {reason}")
        for server in away:
            log.warning("集群有服务器不可达 · a server of the cluster is away", server=str(server), reason=str(reason))

    def on_every_shard(self, statements: Sequence[str], table: str) -> None:
        """Change a table: said to one replica of each shard, the leader where there is one; the others follow.
        Old servers pass it on to the leader themselves, but as the user `default`."""
        for replicas in self.shards:
            up = {server: leads for server in replicas if (leads := self._leads(server, table)) is not None}
            server = max(up, key=lambda server: up[server], default=replicas[0])
            for statement in statements:
                self.say(server, statement)

    def wait_for_mutations(self, table: str) -> None:
        """Wait until what was changed in a table is changed on every server that is up."""
        for server in self.servers:
            deadline = time.monotonic() + MUTATION_S
            try:
                while self.ask(server, _UNFINISHED, table=table)[0]["n"]:
                    if time.monotonic() > deadline:
                        raise EngineError(f"{server} has not rewritten {table} after {MUTATION_S:.0f} s")
                    time.sleep(0.02)
            except ServerAway:
                continue

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
                    for row in self.ask(server, _PARTS, table=table):
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

    def held(self) -> pa.Table:
        """table, id (of a partition), parts, rows, bytes: of the first replica of each shard that answers, summed up.
        Raises ServerAway when none of a shard does."""
        answers = [pa.Table.from_pylist(self._of_one(replicas, _HELD), schema=HELD) for replicas in self.shards]
        found = pa.concat_tables(answers).group_by(["table", "id"]).aggregate([(n, "sum") for n in HELD.names[2:]])
        found = found.rename_columns([name.removesuffix("_sum") for name in found.column_names]).select(HELD.names)
        named = pc.replace_substring_regex(found.column("table"), "_local$", "")
        return found.set_column(0, "table", named).sort_by([("table", "ascending"), ("id", "ascending")])

    def _of_one(self, replicas: Sequence[Server], sql: str) -> list[dict[str, Any]]:
        """What the first of a shard's replicas that answers says."""
        for server in replicas[:-1]:
            try:
                return self.ask(server, sql)
            except ServerAway:
                continue
        return self.ask(replicas[-1], sql)

    def close(self) -> None:
        with self._lock:
            for session in (self._seed, *self._sessions.values()):
                session.close()

    def ask(self, server: Server, sql: str, patience_s: float = STATEMENT_S, **names: str) -> list[dict[str, Any]]:
        """Rows of a question about a server itself; `names` and the database fill the `{…}` in it. Raises
        ServerAway when it does not answer, EngineError when it refuses."""
        with self._lock:
            session = self._session(server, patience_s)
            return session.query(sql.format(database=self._address.database, **names)).to_pylist()

    def _leads(self, server: Server, table: str) -> bool | None:
        """Whether a server leads the replicas of a table; None when it does not answer."""
        try:
            return any(row["leads"] for row in self.ask(server, _LEADS, PATIENCE_S, table=table))
        except ServerAway:
            return None

    def say(self, server: Server, statement: str) -> None:
        """Run a statement on one server. Raises ServerAway, EngineError."""
        with self._lock:
            self._session(server, STATEMENT_S).query(statement)

    def _has(self, server: Server, table: str) -> bool:
        sql = "SELECT count() AS n FROM system.tables WHERE database = '{database}' AND name = '{table}'"
        return bool(self.ask(server, sql, table=table)[0]["n"])

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
