"""How long data stays: by the class of its point, in whole partitions, dropped or rewritten.

A point that the site does not name (any more) counts as statutory: what it was is not known. Events are kept.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import structlog
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from middleplatform.store.audit import Audit
from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.rollup_tables import HOUR, NAMES, PARTITION, STAYS, STAYS_PARTITION
from middleplatform.store.schema import DAY
from middleplatform.store.windows import REACH_HOURS, Marks, Windows

log = structlog.get_logger("store")

OURS = Path(__file__).with_name("retention.yaml")
LEAST_DAYS = 731
"""Two years, whatever a file says."""
_AT_ONCE = 5_000
"""Points that one rewriting names."""
_MOST_BYTES = 100_000
_NAMED = "point IN {points:Array(UInt64)}"

TABLES = {"samples": DAY, **{NAMES[width]: PARTITION[width] for width in NAMES}, STAYS: STAYS_PARTITION}
"""What is kept by class, and the width of its partitions, µs."""


def file_of(home: Path) -> Path:
    """The site's own file in its home, else ours."""
    own = home / "retention.yaml"
    return own if own.exists() else OURS


Days = Annotated[int, Field(ge=1, le=36_600)]


class _Version(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    effective_from: datetime.date
    source: str
    statutory: Days
    bulk: Days


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    statutory_least_days: Days = LEAST_DAYS
    versions: list[_Version] = Field(min_length=1, max_length=1_000)


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that samples are kept, by class."""

    statutory: int
    bulk: int
    source: str


def load(path: Path, today: datetime.date) -> Retention:
    """What is in force on a day. Raises StoreError that names the file, what is wrong and what to do."""
    try:
        text = path.read_bytes()
        if len(text) > _MOST_BYTES:
            raise StoreError(f"保存期限文件过大 · '{path}' is too large to be a retention file")
        file = _File.model_validate(yaml.safe_load(text))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise StoreError(f"保存期限文件有误 · '{path}' is not a retention file: {str(error)[:500]}") from error
    for version in file.versions:
        least = max(LEAST_DAYS, file.statutory_least_days)
        if version.statutory < least:
            raise StoreError(
                f"“{path}”：法定数据至少保存 {least} 天，不得只有 {version.statutory} 天 · in '{path}', statutory data "
                f"stays {least} days at least; that of {version.effective_from} says {version.statutory}: raise it"
            )
        if version.bulk > version.statutory:
            raise StoreError(
                f"“{path}”：普通数据（{version.bulk} 天）不得比法定数据（{version.statutory} 天）保存更久 · "
                f"in '{path}', bulk data ({version.bulk} days) may not outlive statutory data ({version.statutory} "
                "days): raise these"
            )
    come = [version for version in file.versions if version.effective_from <= today]
    if not come:
        raise StoreError(
            f"'{path}' 尚无生效的版本 · no version in '{path}' is in force yet: add one with an earlier date"
        )
    now = max(come, key=lambda version: version.effective_from)
    return Retention(now.statutory, now.bulk, now.source)


FACTS = pa.schema(
    [
        ("table", pa.string()),
        ("from", pa.int64()),
        ("to", pa.int64()),
        ("act", pa.string()),
        ("rows", pa.int64()),
        ("done", pa.bool_()),
    ]
)
"""A partition that is over its time: µs from and to, `act` drop or rewrite, the rows that go."""


class Keeper:
    """Finds and removes what is over its time. `bulk` gives the ids of class bulk, sorted. One thread."""

    def __init__(
        self,
        engine: Engine,
        windows: Windows,
        audit: Audit,
        bulk: Callable[[], NDArray[np.uint64]],
        file: Callable[[], Path],
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._audit = audit
        self._bulk = bulk
        self._file = file
        self._applied: datetime.date | None = None

    def daily(self, now: int) -> None:
        """Apply once a day. A file that is wrong is told, and nothing is removed."""
        today = _date(now)
        if today == self._applied:
            return
        self._applied = today
        try:
            self.over(now, apply=True)
        except StoreError as error:
            log.error("保存期限未执行 · retention was not applied", error=str(error))

    def over(self, now: int, *, apply: bool) -> pa.Table:
        """What is over its time now, in the columns of FACTS; with `apply` it is removed. Raises StoreError."""
        keep = load(self._file(), _date(now))
        bulk = self._bulk()
        facts = []
        for table, width in TABLES.items():
            for partition in sorted(self._engine.parts(table)):
                start = partition * width
                age = (now - start - width) // DAY
                if age >= keep.statutory:
                    facts.append(self._drop(table, start, apply))
                elif age >= keep.bulk and len(bulk):
                    facts += self._rewrite(table, start, bulk, apply)
        return pa.Table.from_pylist(facts, schema=FACTS)

    def _drop(self, table: str, start: int, apply: bool) -> dict[str, object]:
        rows = self._count(table, start, "1")
        with self._going(table, start, "drop", rows, apply) as fact:
            if apply:
                self._engine.aside(f"ALTER TABLE {table} DROP PARTITION ID '{start // TABLES[table]}'")
        return fact

    def _count(self, table: str, start: int, where: str, **params: object) -> int:
        found = self._engine.query(
            f"SELECT count() AS n FROM {table} WHERE {where} AND ts >= {{start:Int64}} AND ts < {{end:Int64}}",  # noqa: S608
            {"start": start, "end": start + TABLES[table], **params},
        )
        return int(found.column("n")[0].as_py())

    def _rewrite(self, table: str, start: int, bulk: NDArray[np.uint64], apply: bool) -> list[dict[str, object]]:
        """Take one class out of a partition that keeps the other."""
        pieces = [bulk[begin : begin + _AT_ONCE].tolist() for begin in range(0, len(bulk), _AT_ONCE)]
        rows = [self._count(table, start, _NAMED, points=piece) for piece in pieces]
        if not any(rows):
            return []
        with self._going(table, start, "rewrite", sum(rows), apply) as fact:
            for piece, some in zip(pieces, rows, strict=True):
                if some and apply:
                    self._engine.aside(
                        f"ALTER TABLE {table} DELETE IN PARTITION ID '{start // TABLES[table]}' WHERE {_NAMED} "
                        "AND ts >= {start:Int64} AND ts < {end:Int64}",  # old servers go by this alone
                        {"points": piece, "start": start, "end": start + TABLES[table]},
                    )
        return [fact]

    @contextmanager
    def _going(self, table: str, start: int, act: str, rows: int, apply: bool) -> Iterator[dict[str, object]]:
        end = start + TABLES[table]
        fact = {"table": table, "from": start, "to": end, "act": act, "rows": rows, "done": apply}
        if not apply:
            yield fact
            return
        # What they held in the first hours of the next day is not known any more.
        after = {end // HOUR + step for step in range(REACH_HOURS - 1)} if table == "samples" else set()
        with self._windows.writing(Marks(whole=after)):
            yield fact
        self._audit.write("retention", table=table, start=start, end=end, act=act, rows=rows)


def _date(now: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(now / 1e6, datetime.UTC).date()
