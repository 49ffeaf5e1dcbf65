"""The store's files as they are at one moment, held by hard links while life goes on."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa

from middleplatform.store.asked import text
from middleplatform.store.engine import Engine, embedded
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler

ORDER = (
    "samples",
    "events",
    "quarantine",
    "rollup_1m",
    "rollup_15m",
    "rollup_1h",
    "stays",
    "quality_1h",
    "arrivals",
    "polls",
    "expected",
    "rollup_ages",
    "dirty",
)
"""Samples before marks: a sample's mark is on disk before the sample is, so no sample is frozen without."""

PARTS = pa.schema([("table", pa.string()), ("part", pa.string()), ("path", pa.string()), ("rows", pa.int64())])
_NAME = re.compile(r"[a-z0-9_]{1,60}")


class Freezer:
    """`paused` holds up roll-ups, which would otherwise lie between the tables. Raises StoreError."""

    def __init__(
        self, engine: Engine, folder: Path, paused: AbstractContextManager[Any] | threading.Lock | None = None
    ) -> None:
        """`folder`: the store's. What a killed backup left is let go."""
        self._engine = engine
        self._shadow = folder.resolve() / "chdb" / "shadow"
        self._paused = paused or nullcontext()
        self.handlers: dict[str, Handler] = {"freeze": self._freeze, "thaw": self._thaw}
        shutil.rmtree(self._shadow, ignore_errors=True)

    def freeze(self, name: str) -> pa.Table:
        """Hold every part of every table under a name: columns of PARTS, `path` is the part's folder."""
        if not _NAME.fullmatch(name):
            raise StoreError(f"'{name:.60}' is not a name of small letters, digits and underscores")
        if (self._shadow / name).exists():
            raise StoreError(f"'{name}' is frozen already: choose another name")
        embedded(self._engine)
        found = []
        with self._paused:
            for table in ORDER:
                self._engine.aside(f"ALTER TABLE {table} FREEZE WITH NAME '{name}'")
        for table in ORDER:
            place = _folder_of(self._engine, table)
            folder = self._shadow / name / place.relative_to(self._shadow.parent)
            for part in sorted(folder.iterdir()) if folder.exists() else ():
                rows = int((part / "count.txt").read_text())
                found.append({"table": table, "part": part.name, "path": str(part), "rows": rows})
        return pa.Table.from_pylist(found, schema=PARTS)

    def thaw(self, name: str) -> None:
        """Let go of it."""
        if _NAME.fullmatch(name):
            shutil.rmtree(self._shadow / name, ignore_errors=True)

    def _freeze(self, asked: Mapping[str, Any]) -> pa.Table:
        return self.freeze(text(asked, "name") or "")

    def _thaw(self, asked: Mapping[str, Any]) -> pa.Table:
        self.thaw(text(asked, "name") or "")
        return PARTS.empty_table()


def attach(engine: Engine, table: str, parts: list[Path]) -> None:
    """Take parts, folders that are moved, into an empty table of a store that nobody else has open."""
    detached = _folder_of(engine, table) / "detached"
    for part in parts:
        shutil.move(part, detached / part.name)
        engine.execute(f"ALTER TABLE {table} ATTACH PART '{part.name}'")


def _folder_of(engine: Engine, table: str) -> Path:
    """Where the engine has a table's parts."""
    found = engine.query(
        "SELECT data_paths[1] AS path FROM system.tables WHERE database = currentDatabase() AND name = {t:String}",
        {"t": table},
    )
    return Path(found.column("path")[0].as_py())
