"""The time-series engine on a ClickHouse server or cluster: the same tables and the same questions as the
embedded one, for a mine whose data outgrows one machine or must outlive it."""

from middleplatform.store.clickhouse.engine import ServerEngine, open_server

__all__ = ["ServerEngine", "open_server"]
