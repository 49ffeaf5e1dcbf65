"""A database as a weighing or personnel system offers it, and an adapter that reads it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from protocols.adapter import Delivery, Tag
from protocols.sql import Sql
from tests.postgres import Postgres
from tests.protocols.peer import Peer

_NUMBER = itertools.count(1)


def tag(index: int, address: str, kind: str = "") -> Tag:
    return Tag(index, f"m/e/p{index}", address, kind)


class Source:
    """A schema of its own with a table, a view `readings` on it, and a user `reader` who may only read."""

    def __init__(self, server: Postgres, columns: str = "name text, value double precision") -> None:
        self.server = server
        self.schema = f"mine{next(_NUMBER)}"
        self.do(
            f"CREATE SCHEMA {self.schema}",
            f"CREATE TABLE raw (id bigserial PRIMARY KEY, at timestamptz DEFAULT clock_timestamp(), {columns})",
            "CREATE VIEW readings AS SELECT * FROM raw",
            "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'reads'; EXCEPTION WHEN duplicate_object THEN END $$",
            f"GRANT USAGE ON SCHEMA {self.schema} TO reader",
            "GRANT SELECT ON readings TO reader",
        )

    def connect(self):
        """A connection of the superuser, to this schema."""
        connection = self.server.connect()
        connection.execute(f"SET search_path TO {self.schema}")
        return connection

    def do(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    def add(self, name: str, value: Any, **more: Any) -> None:
        row = {"name": name, "value": value, **more}
        with self.connect() as connection:
            marks = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO raw ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608

    def settings(self, state: Path, **more: Any) -> dict[str, Any]:
        plain = {
            "url": self.server.url("reader", "reads"),
            "view": f"{self.schema}.readings",
            "key": "id",
            "time": "at",
            "name": "name",
            "value": "value",
            "poll_s": 0.05,
            "timeout_s": 6.0,
            "state_dir": str(state),
        }
        return {name: value for name, value in {**plain, **more}.items() if value is not None}


class Reader:
    """An adapter at work and all that it delivered. `hold`: do not acknowledge."""

    def __init__(self, settings: dict[str, Any], tags: Sequence[Tag], *, hold: bool = False) -> None:
        self.adapter = Sql(Sql.Settings.model_validate(settings))
        self.tags = tags
        self.hold = hold
        self.deliveries: list[Delivery] = []

    async def __aenter__(self) -> Reader:
        try:
            await self.adapter.connect()
        except BaseException:
            await self.adapter.close()
            raise
        self.task = asyncio.create_task(self.adapter.subscribe(self.tags, self._deliver))
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.adapter.close()

    async def _deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if not self.hold:
            delivery.acknowledge()

    async def until(self, met, what: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not met():
            if self.task.done():
                await self.task
            assert time.monotonic() < deadline, f"not in {seconds} s: {what}; {self.rows()} {self.adapter.counters()}"
            await asyncio.sleep(0.01)

    def rows(self) -> list[tuple[int, float, int, int, str]]:
        """(tag, value, quality, µs, reason) of all that was delivered with a time, in order."""
        return [
            (index, value, quality, ts, delivery.reading.reasons.get(index, ""))
            for delivery in self.deliveries
            for index, value, quality, ts in zip(
                delivery.reading.index.tolist(),
                delivery.reading.value.tolist(),
                delivery.reading.quality.tolist(),
                delivery.reading.ts.tolist(),
                strict=True,
            )
            if ts
        ]

    def values(self) -> list[float]:
        return [row[1] for row in self.rows()]

    async def has(self, *values: float) -> None:
        """Wait until exactly these values have come, in any order."""
        await self.until(lambda: sorted(self.values()) == sorted(values), f"the values {values}")


class SqlPeer(Peer):
    """The database as the conformance suite wants it."""

    name = "sql"
    tags = tuple(tag(n, f"CH4_{n}") for n in range(3))
    missing = tag(3, "CO_9")
    wrong = (
        tag(0, ""),
        tag(0, " "),
        tag(0, "#value"),
        tag(0, "CH4#"),
        tag(0, "CH4", "float32"),
        Tag(0, "m/e/x", "CH4", "", "ABCD"),
        Tag(0, "m/e/x", "CH4", "", "", {"time": "at"}),
    )
    real = 0
    exempt: ClassVar[dict[str, str]] = {}

    def __init__(self, server: Postgres, state: Path) -> None:
        self.server = server
        self.source = Source(server)
        self.state = state

    def settings(self, port: int | None = None) -> dict[str, Any]:
        found = self.source.settings(self.state, timeout_s=1.0)
        if port is not None:
            found["url"] = found["url"].replace(f":{self.server.port}/", f":{port}/")
        return found

    async def start(self) -> None:
        await asyncio.to_thread(self.server.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self.server.stop)

    async def set(self, index: int, value: float | str) -> None:
        await asyncio.to_thread(self.source.add, self.tags[index].address, value)

    async def hang(self) -> None:
        self.server.hang()
