"""Taking a backup: the time series frozen by the store, the relational store's rows, the rest as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from middleplatform.backup.archive import BackupError, Writer, written
from middleplatform.database.dump import dump, file_of
from middleplatform.store.client import StoreClient, read_endpoint
from middleplatform.store.errors import StoreUnavailable
from middleplatform.store.freeze import Freezer
from middleplatform.store.schema import VERSION, open_store

LEFT_OUT = ("exports", "gateway", "logs", "metrics", "store", "truth")
"""Folders of a home that are not backed up: files of a day that change while they are read, what belongs to the edge,
and what tells of the past run."""
ON_ITS_WAY = "jetstream"
"""A bus server's own data: what it holds comes into the store by itself."""
OF_THE_STORE = ("audit.log", "audit.log.1", "dead-letters")
_OF_A_RUN = frozenset({"lock", "demo.json"})
_LEFT_FREE = 200_000_000
"""Bytes that a backup leaves on the disk."""


def take(home: Path, target: Path, database: str | None = None, store: str | None = None) -> Mapping[str, Any]:
    """Back a home up, running or not, into a folder or a .tar file; what it says of itself. `database`: where the
    relational store is when not in the home; `store`: the ClickHouse servers that have the time series: those are
    refused. Raises BackupError, StoreError, DatabaseError."""
    if not (home / "version").exists() and not (home / "store" / "version").exists():
        raise BackupError(f"“{home}”不是数据目录 · '{home}' is not a home of ours: give --home")
    if target.resolve().is_relative_to(home.resolve()):
        raise BackupError(f"备份不能放在数据目录内 · a backup cannot lie in the home it is of: '{target}'")
    with tempfile.TemporaryDirectory(prefix="sevenones-backup-") as scratch, _frozen(home, store) as parts:
        files = dict(_files(home))
        for row in parts.to_pylist():
            folder = Path(row["path"])
            files |= {f"parts/{row['table']}/{row['part']}/{p.relative_to(folder)}": p for p in _all(folder)}
        relational = _relational(home, database, Path(scratch), files)
        for name in [name for name in files if name.endswith(".db")]:
            files[name] = _copy_of(files[name], Path(scratch) / f"{len(files)}-{Path(name).name}")
        _check_room(target, sum(path.stat().st_size for path in files.values()))
        rows: dict[str, int] = {}
        for row in parts.to_pylist():
            rows[row["table"]] = rows.get(row["table"], 0) + row["rows"]
        about = {
            "created": time.time_ns() // 1000,
            "program": version("sevenones"),
            "store_version": VERSION,
            "rows": rows,
            "relational": relational,
        }
        with written(target) as writer:
            _put(writer, files)
            writer.finish(about)
    return {**about, "files": len(files)}


def _relational(home: Path, database: str | None, scratch: Path, files: dict[str, Path]) -> Mapping[str, Any] | None:
    """Add the relational store's tables to the files; what they are, None when there are none."""
    found = dump(database or home, scratch)
    files.pop("home/platform.db", None)
    for table in found["rows"] if found else ():
        files[f"relational/{file_of(table)}"] = scratch / file_of(table)
    return found


def _put(writer: Writer, files: Mapping[str, Path]) -> None:
    for name, path in files.items():
        try:
            writer.file(name, path)
        except FileNotFoundError:
            if not name.startswith("home/"):
                raise


@contextmanager
def _frozen(home: Path, store: str | None) -> Iterator[pa.Table]:
    """The store's parts, by the store that runs on this home, or here while none does."""
    name = f"backup_{time.time_ns()}"
    client = _running(home)
    if client is None:
        engine = open_store(home / "store", store)
        try:
            freezer = Freezer(engine, home / "store")
            try:
                yield freezer.freeze(name)
            finally:
                freezer.thaw(name)
        finally:
            engine.close()
        return
    with closing(client):
        try:
            yield client.upkeep("freeze", name=name)
        finally:
            client.upkeep("thaw", name=name)


def _running(home: Path) -> StoreClient | None:
    try:
        client = StoreClient(read_endpoint(home), timeout_s=600.0)
        client.status()
    except StoreUnavailable:
        return None
    return client


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    left_out = {home / name for name in LEFT_OUT}
    for folder, names, files in os.walk(home):
        here = Path(folder)
        names[:] = [
            name
            for name in names
            if here / name not in left_out and name != ON_ITS_WAY and not (here / name).is_symlink()
        ]
        for name in files:
            path = here / name
            beside = name.endswith(("-wal", "-shm", "-journal")) or (here == home and name in _OF_A_RUN)
            if path.is_file() and not path.is_symlink() and not beside:
                yield f"home/{path.relative_to(home)}", path
    for name in OF_THE_STORE:
        path = home / "store" / name
        for each in _all(path) if path.is_dir() else [path] if path.exists() else []:
            yield f"home/{each.relative_to(home)}", each


def _all(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _copy_of(database: Path, copy: Path) -> Path:
    """A database as it is at one moment, while others write to it."""
    with closing(sqlite3.connect(database, timeout=10)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
    return copy


def _check_room(target: Path, needed: int) -> None:
    place = next(path for path in (target.resolve(), *target.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if needed + _LEFT_FREE > free:
        raise BackupError(
            f"空间不足：备份需要 {needed / 1e9:.1f} GB，“{place}”只余 {free / 1e9:.1f} GB · the backup needs "
            f"{needed / 1e9:.1f} GB and '{place}' has {free / 1e9:.1f} GB free: choose another disk"
        )
