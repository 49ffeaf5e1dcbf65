"""Looking after what lies on disk: is it whole, can it be smaller, what is over its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.engine import Engine, EngineError
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.history import History
from middleplatform.store.retention import Keeper
from middleplatform.store.rollup_tables import HOUR, MINUTE
from middleplatform.store.schema import DAY
from middleplatform.store.windows import Windows

TABLES = (
    "samples",
    "rollup_1m",
    "rollup_15m",
    "rollup_1h",
    "stays",
    "quality_1h",
    "arrivals",
    "polls",
    "expected",
    "events",
    "quarantine",
    "dirty",
    "rollup_ages",
)
LOOKS = 16
"""Days of a point at which roll-ups are held against samples."""

FINDINGS = pa.schema([("what", pa.string()), ("good", pa.bool_()), ("zh", pa.string()), ("en", pa.string())])
"""One line of a check."""
SIZES = pa.schema(
    [("table", pa.string()), ("parts", pa.int64()), ("rows", pa.int64()), ("bytes", pa.int64()), ("after", pa.int64())]
)
"""A table before it was made smaller, and its bytes after."""

_SERVERS = (
    "parts",
    True,
    "校验和由服务器在读取、合并和复制数据块时自行检查，见其日志",
    "checksums are the servers' own matter: they look at them whenever they read, merge or copy a part; see their logs",
)


class Upkeep:
    """`handlers` are what the store's door serves; the methods block, and may take minutes."""

    def __init__(
        self, engine: Engine, windows: Windows, keeper: Keeper, ages: Callable[[Sequence[int]], NDArray[np.int64]]
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._plain = History(engine, ages)
        self._rolled = History(engine, ages, windows)
        self._keeper = keeper
        self.handlers: dict[str, Handler] = {
            "check": lambda _: self.check(),
            "compact": lambda _: self.compact(),
            "retention": self._retention,
        }

    def check(self) -> pa.Table:
        """Every part's checksums, tables that are missing, and roll-ups held against samples: columns of FINDINGS."""
        on_disk = [*self._parts(), *self._detached()] if self._engine.looks_at_parts else [_SERVERS]
        found = [*on_disk, self._agreement(), self._backlog()]
        return pa.Table.from_pylist([dict(zip(FINDINGS.names, one, strict=True)) for one in found], schema=FINDINGS)

    def compact(self) -> pa.Table:
        """Merge the parts of every closed partition into one, repeats taken out: columns of SIZES."""
        before = self._sizes()
        today = time.time_ns() // 1000 // DAY
        for row in self._engine.held().to_pylist():
            if (
                row["table"] not in TABLES
                or row["parts"] < 2
                or (row["table"] == "samples" and int(row["id"]) >= today)
            ):
                continue
            self._engine.aside(f"OPTIMIZE TABLE {row['table']} PARTITION ID '{row['id']}' FINAL")
        after = self._sizes()
        return pa.Table.from_pylist(
            [{"table": name, **size, "after": after.get(name, size)["bytes"]} for name, size in before.items()],
            schema=SIZES,
        )

    def _sizes(self) -> dict[str, dict[str, int]]:
        sizes: dict[str, dict[str, int]] = {}
        for row in self._engine.held().to_pylist():
            if row["table"] in TABLES:
                of = sizes.setdefault(row["table"], {"parts": 0, "rows": 0, "bytes": 0})
                for name in of:
                    of[name] += row[name]
        return sizes

    def _retention(self, asked: Mapping[str, Any]) -> pa.Table:
        apply = asked.get("apply", False)
        if not isinstance(apply, bool):
            raise StoreError("'apply' must be true or false")
        return self._keeper.over(time.time_ns() // 1000, apply=apply)

    def _parts(self) -> Iterator[tuple[str, bool, str, str]]:
        for table in TABLES:
            parts = self._engine.aside(f"CHECK TABLE {table}").to_pylist()
            broken = [f"{part['part_path']}: {part['message']}" for part in parts if not part["is_passed"]]
            yield (
                table,
                not broken,
                f"{len(parts)} 个数据块，损坏 {len(broken)}" + "".join(f"；{one}" for one in broken[:5]),
                f"{len(parts)} parts, {len(broken)} broken" + "".join(f"; {one}" for one in broken[:5]),
            )

    def _detached(self) -> Iterator[tuple[str, bool, str, str]]:
        rows = self._engine.query("SELECT table, name, reason FROM system.detached_parts").to_pylist()
        names = [f"{row['table']}/{row['name']} ({row['reason']})" for row in rows]
        yield (
            "detached",
            not names,
            "没有被隔离的数据块"
            if not names
            else f"引擎隔离了 {len(names)} 个数据块：{'、'.join(names[:5])}。请从备份恢复",
            "no part was set aside"
            if not names
            else f"the engine set {len(names)} parts aside: {', '.join(names[:5])}. Restore them from a backup",
        )

    def _agreement(self) -> tuple[str, bool, str, str]:
        """Roll-ups of days chosen at random, against their samples."""
        days = self._engine.query(
            f"SELECT point, intDiv(ts, {DAY}) AS day FROM rollup_1h GROUP BY point, day ORDER BY rand() LIMIT {LOOKS}"  # noqa: S608
        ).to_pylist()
        wrong = [row for row in days if not self._agree(row["point"], row["day"] * DAY)]
        names = ", ".join(f"{row['point']}@{row['day'] * DAY}" for row in wrong[:5])
        return (
            "rollups",
            not wrong,
            f"抽查 {len(days)} 个测点日，{len(wrong)} 个汇总与样本不符{names and '：' + names}",
            f"{len(days)} days of points looked at, in {len(wrong)} the roll-ups differ from the samples"
            f"{names and ': ' + names}",
        )

    def _agree(self, point: int, start: int) -> bool:
        try:
            return all(
                _same(
                    self._rolled.buckets([point], start, start + DAY, width),
                    self._plain.buckets([point], start, start + DAY, width),
                )
                for width in (MINUTE, HOUR)
            )
        except EngineError:
            # What cannot be read does not agree; which part it is, the checksums tell.
            return False

    def _backlog(self) -> tuple[str, bool, str, str]:
        hours = self._windows.dirty_hours
        return "dirty", True, f"{hours} 个小时待汇总", f"{hours} hours wait to be rolled up"


def _same(one: pa.Table, other: pa.Table) -> bool:
    if one.num_rows != other.num_rows:
        return False
    return all(
        np.allclose(one.column(name).to_numpy(), other.column(name).to_numpy(), rtol=1e-9, atol=1e-9, equal_nan=True)
        if name == "mean"
        else np.array_equal(one.column(name).to_numpy(), other.column(name).to_numpy(), equal_nan=name in _FLOATS)
        for name in one.schema.names
    )


_FLOATS = ("min", "max", "first", "last")
