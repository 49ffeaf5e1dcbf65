"""What callers may see, as rows that a statement can choose by: each set of points or of equipment once, under a
number of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import xxhash

from middleplatform.store.engine import Engine

MOST = 64
"""Sets kept; when there are more and nobody uses any, all are forgotten: the next statement brings its own again."""

_POINTS = (
    "CREATE TABLE IF NOT EXISTS seen_points (scope UInt64, point UInt64) ENGINE = MergeTree ORDER BY (scope, point)"
)
_EQUIPMENT = (
    "CREATE TABLE IF NOT EXISTS seen_equipment (scope UInt64, equipment String) "
    "ENGINE = MergeTree ORDER BY (scope, equipment)"
)


class Scopes:
    """`seen_points` and `seen_equipment`; empty at each start. From any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str], int] = {}
        self._given = 0
        self._using = 0
        for statement in (_POINTS, _EQUIPMENT):
            engine.execute(statement)
        self._forget()

    @contextlib.contextmanager
    def of(self, points: Sequence[int], equipment: Sequence[str], events: Sequence[str]) -> Iterator[dict[str, int]]:
        """The numbers of a caller's `points` (ids), `equipment`, and equipment whose `events` it sees, both as
        `<mine code>/<equipment>`. They hold until the end of the block."""
        ids = pa.array(np.unique(np.array(points, np.uint64)))
        machines, sources = (pa.array(sorted(set(paths)), pa.string()) for paths in (equipment, events))
        with self._lock:
            if len(self._numbers) > MOST and not self._using:
                self._forget()
            numbers = {
                "points": self._number("point", ids),
                "equipment": self._number("equipment", machines),
                "events": self._number("equipment", sources),
            }
            self._using += 1
        try:
            yield numbers
        finally:
            with self._lock:
                self._using -= 1

    def _forget(self) -> None:
        self._numbers.clear()
        for table in ("seen_points", "seen_equipment"):
            self._engine.execute(f"TRUNCATE TABLE {table}")

    def _number(self, column: str, values: pa.Array) -> int:
        content = b"".join(memoryview(buffer) for buffer in values.buffers() if buffer is not None)
        key = (column, xxhash.xxh3_128_hexdigest(content))
        if key not in self._numbers:
            number = self._given + 1
            if len(values):
                scope = pa.array(np.full(len(values), number, np.uint64))
                self._engine.insert(
                    "seen_points" if column == "point" else "seen_equipment", pa.table({"scope": scope, column: values})
                )
            self._given = number
            self._numbers[key] = number
        return self._numbers[key]
