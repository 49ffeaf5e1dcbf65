"""Our own statements about tables, said to a server of a profile, or to all servers of a cluster.

In a cluster `samples` is a Distributed table over `samples_local`, one Replicated table a shard: what reads or
adds rows names the first, what makes, empties or rewrites tables is for the second, on its servers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from middleplatform.store.clickhouse.address import Profile
from middleplatform.store.engine import EngineError

_CREATE = re.compile(
    r"\s*CREATE TABLE IF NOT EXISTS (?P<table>\w+)\s*\((?P<columns>.*)\)\s*ENGINE\s*=\s*(?P<engine>\w*MergeTree)"
    r"(?:\((?P<ver>\w*)\))?(?P<rest>.*?)(?P<settings>\sSETTINGS\s.*)?",
    re.DOTALL,
)
_CODEC = re.compile(r"\s+CODEC\((?:[^()]|\([^()]*\))*\)")
_LOW_CARDINALITY = re.compile(r"LowCardinality\((\w+)\)")
_ORDER = re.compile(r"ORDER BY\s*\(?\s*(\w+)")
_DELETE = re.compile(r"\s*DELETE FROM (?P<table>\w+)\s+WHERE\s(?P<where>.*)", re.DOTALL)
_DELETE_IN = re.compile(
    r"\s*ALTER TABLE (?P<table>\w+) DELETE (?P<partition>IN PARTITION ID '\w+' )WHERE\s(?P<where>.*)", re.DOTALL
)
_ON_TABLE = re.compile(r"\s*(?P<act>TRUNCATE TABLE|OPTIMIZE TABLE|ALTER TABLE) (?P<table>\w+)(?P<rest>.*)", re.DOTALL)
_ROWS = re.compile(r"\s*\(*\s*(SELECT|WITH|INSERT INTO|SHOW|EXISTS|DESCRIBE)\b")


class Where(Enum):
    """Which servers a statement is for."""

    ONE = "any one server"
    EACH_SHARD = "one replica of each shard"
    EACH_SERVER = "every server"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is said, in this order, and to whom. `mutates` names the table that goes on changing after it."""

    where: Where
    statements: tuple[str, ...]
    table: str | None = None
    mutates: bool = False


def local(table: str) -> str:
    """The name of a shard's own part of a table."""
    return f"{table}_local"


def plan(sql: str, profile: Profile, cluster: str | None, database: str) -> Plan:
    """How a statement is run. Raises EngineError for one about tables that has no meaning in a cluster."""
    if found := _CREATE.fullmatch(sql):
        return _create(found, profile, cluster, database)
    if (found := _DELETE.fullmatch(sql)) and not (profile.lightweight_delete and cluster is None):
        table = local(found["table"]) if cluster else found["table"]
        form = "DELETE FROM {} WHERE {}" if profile.lightweight_delete else "ALTER TABLE {} DELETE WHERE {}"
        said = form.format(table, found["where"])
        return Plan(Where.EACH_SHARD, (said,), table, not profile.lightweight_delete)
    if found := _DELETE_IN.fullmatch(sql):
        table = local(found["table"]) if cluster else found["table"]
        partition = found["partition"] if profile.lightweight_delete else ""
        said = f"ALTER TABLE {table} DELETE {partition}WHERE {found['where']}"
        return Plan(Where.EACH_SHARD, (said,), table, mutates=True)
    if cluster is None or _ROWS.match(sql):
        return Plan(Where.ONE, (sql,))
    if found := _ON_TABLE.fullmatch(sql):
        table = local(found["table"])
        return Plan(Where.EACH_SHARD, (f"{found['act']} {table}{found['rest']}",), table)
    raise EngineError(f"this statement has no meaning in a cluster: {sql.strip()[:80]}")


def _create(found: re.Match[str], profile: Profile, cluster: str | None, database: str) -> Plan:
    table, columns, engine, ver = found["table"], found["columns"], found["engine"], found["ver"] or ""
    settings = found["settings"] or ""
    if not profile.codecs:
        columns, settings = _CODEC.sub("", columns), ""
    if not profile.low_cardinality:
        columns = _LOW_CARDINALITY.sub(r"\1", columns)
    if cluster is None:
        made = f"CREATE TABLE IF NOT EXISTS {table} ({columns}) ENGINE = {engine}({ver}){found['rest']}{settings}"
        return Plan(Where.EACH_SERVER, (made,), table)
    ordered = _ORDER.search(found["rest"])
    if ordered is None:
        raise EngineError(f"the table {table} has no ORDER BY")
    # A key must always meet the same shard, or its versions would not replace each other.
    key = "point" if re.search(r"(^|[\s,(])point UInt64", columns) else f"cityHash64({ordered[1]})"
    path = f"'/clickhouse/tables/{{shard}}/{database}/{table}', '{{replica}}'"
    replicated = f"Replicated{engine}({', '.join(filter(None, (path, ver)))})"
    return Plan(
        Where.EACH_SERVER,
        (
            f"CREATE TABLE IF NOT EXISTS {local(table)} ({columns}) ENGINE = {replicated}{found['rest']}{settings}",
            f"CREATE TABLE IF NOT EXISTS {table} ({columns}) "
            f"ENGINE = Distributed({cluster}, {database}, {local(table)}, {key})",
        ),
        local(table),
    )
