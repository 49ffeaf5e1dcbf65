"""Closed partitions as one part each: what is asked of them is then read as it lies, with nothing to deduplicate.

The engine merges by itself as long as it pays for writing, and leaves a closed day in several parts. A question about a
month would open and merge all of them. A late sample into a merged day lies beside it as a part of its own, and FINAL
takes both, until nothing came for `QUIET_S` and they are merged again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from middleplatform.store.engine import Embedded, Engine, EngineError
from middleplatform.store.rollup_tables import NAMES, PARTITION, STAYS, STAYS_PARTITION
from middleplatform.store.schema import DAY

log = structlog.get_logger("store")

WIDTHS = {"samples": DAY, **{NAMES[width]: PARTITION[width] for width in NAMES}, STAYS: STAYS_PARTITION}
"""µs of a partition of each table."""
QUIET_S = 900
"""A partition is merged when this long nothing came to it."""
AGAIN_S = 86_400
"""Until one that could not be merged is tried again."""

# A part of level 0 is as it was written, and may hold a key twice.
_DUE = """SELECT table, toInt64(partition_id) AS id FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
GROUP BY table, id
HAVING (count() > 1 OR min(level) = 0) AND max(toUnixTimestamp(modification_time)) <= {until:Int64}"""


class Merges:
    """One thread. `clock`: UTC, µs."""

    def __init__(
        self, engine: Engine, clock: Callable[[], int] = lambda: time.time_ns() // 1000, quiet_s: float = QUIET_S
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._quiet_s = quiet_s
        self._failed: dict[tuple[str, int], float] = {}

    def step(self) -> bool:
        """Merge the parts of one closed partition, of the newest that needs it; whether there was one. On ClickHouse
        servers there is none: they look after their parts themselves."""
        if not isinstance(self._engine, Embedded):
            return False
        due = next((one for one in self._due() if time.monotonic() >= self._failed.get(one, 0.0)), None)
        if due is None:
            return False
        table, partition = due
        try:
            self._engine.aside(f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL")
        except EngineError as error:
            self._failed[due] = time.monotonic() + AGAIN_S
            log.error(
                "分区未能合并，一天后重试 · a partition could not be merged and is tried again in a day",
                table=table,
                partition=partition,
                error=str(error),
            )
        return True

    def _due(self) -> list[tuple[str, int]]:
        found = self._engine.query(_DUE, {"tables": list(WIDTHS), "until": int(time.time() - self._quiet_s)})
        if not found.num_rows:
            return []
        ends = {(row["table"], row["id"]): (row["id"] + 1) * WIDTHS[row["table"]] for row in found.to_pylist()}
        now = self._clock()
        return sorted((one for one, end in ends.items() if end <= now), key=lambda one: ends[one], reverse=True)
