"""Bringing a backup back, into an empty place."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from middleplatform.backup.archive import BackupError, Read, extract, opened
from middleplatform.database.dump import Dump, check_empty, dump, load
from middleplatform.database.migrate import check_known
from middleplatform.store.engine import Engine
from middleplatform.store.freeze import ORDER, attach
from middleplatform.store.schema import VERSION, open_store

_RESTORING = "restoring"


def restore(source: Path, home: Path, database: str | None = None) -> Mapping[str, Any]:
    """Make a home out of a backup; what the backup says of itself. `database`: where the relational store is to be
    when not in the home. All files are held against their sums and all rows counted. Raises BackupError, StoreError or
    DatabaseError, and leaves nothing behind then; killed, it leaves a folder under another name."""
    if home.exists() and any(home.iterdir()):
        raise BackupError(f"“{home}”不是空目录 · '{home}' is not empty: restore into a new folder")
    home = home.resolve()
    if home.is_mount():
        raise BackupError(
            f"“{home}”是挂载点，请用其中的新目录 · '{home}' is where a disk is mounted: name a folder in it"
        )
    part = home.with_name(f"{home.name}.part")
    if part.exists():
        raise BackupError(
            f"“{part}”是上次未完成的恢复，请先删除 · '{part}' is left of a restore that was broken off: remove it first"
        )
    if database is not None:
        check_empty(database)
    with opened(source) as backup:
        _check_versions(backup)
        part.mkdir(mode=0o700, parents=True)
        try:
            _extract(backup, part)
            _attach(backup, part)
            _load(backup, part, database)
            shutil.rmtree(part / _RESTORING, ignore_errors=True)
            part.rename(home)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return {**backup.about, "files": len(backup.entries)}


def _check_versions(backup: Read) -> None:
    found = int(backup.about.get("store_version", 0))
    if not 0 < found <= VERSION:
        raise BackupError(
            f"备份的存储版本为 {found}，本程序读取至 {VERSION} · the backup's store is of version {found}, this "
            f"program reads up to {VERSION}: restore it with the program that wrote it"
        )
    _held(backup)


def _held(backup: Read) -> Dump | None:
    """What the backup has of the relational store."""
    told = backup.about.get("relational")
    if told is None:
        return None
    try:
        held: Dump = {
            "revision": str(told["revision"]),
            "rows": {str(name): int(rows) for name, rows in told["rows"].items()},
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupError(f"备份的清单有误 · the manifest's 'relational' cannot be read: {error}") from error
    check_known(held["revision"])
    return held


def _extract(backup: Read, home: Path) -> None:
    for entry, data in backup.files():
        kind, _, name = entry.name.partition("/")
        if kind not in ("home", "parts", "relational") or not name:
            raise BackupError(f"清单中的文件不属于备份 · '{entry.name}' does not belong into a backup")
        extract(entry, data, home / name if kind == "home" else home / _RESTORING / kind / name)


def _load(backup: Read, home: Path, database: str | None) -> None:
    """The relational store last: whatever fails before leaves the database empty."""
    tables, held = home / _RESTORING / "relational", _held(backup)
    if held is None and database is not None:  # SQLite's own file, as in backups of format 1
        tables.mkdir(parents=True, exist_ok=True)
        held = dump(home, tables)
    if held is not None:
        (home / "platform.db").unlink(missing_ok=True)
        load(database or home, tables, held)


def _attach(backup: Read, home: Path) -> None:
    engine = open_store(home / "store")
    try:
        for table in ORDER:
            folder = home / _RESTORING / "parts" / table
            parts = sorted(folder.iterdir()) if folder.exists() else []
            attach(engine, table, parts)
            expected = int(backup.about.get("rows", {}).get(table, 0))
            rows = _rows(engine, table)
            if rows != expected:
                raise BackupError(
                    f"{table}：恢复了 {rows} 行，备份有 {expected} 行 · {rows} rows of {table} came back, the backup "
                    f"has {expected}: the backup is damaged, take another one"
                )
    finally:
        engine.close()


def _rows(engine: Engine, table: str) -> int:
    found = engine.query(
        "SELECT sum(rows) AS n FROM system.parts WHERE active AND database = currentDatabase() AND table = {t:String}",
        {"t": table},
    )
    return int(found.column("n")[0].as_py() or 0)
