"""Bringing a backup back, into an empty place."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from middleplatform.backup.archive import BackupError, Read, extract, opened
from middleplatform.store.engine import Engine
from middleplatform.store.freeze import ORDER, attach
from middleplatform.store.schema import VERSION, open_store

_PARTS = "restoring"


def restore(source: Path, home: Path) -> Mapping[str, Any]:
    """Make a home out of a backup; what the backup says of itself. All files are held against their sums and all rows
    counted. Raises BackupError, and leaves nothing behind then."""
    if home.exists() and any(home.iterdir()):
        raise BackupError(f"“{home}”不是空目录 · '{home}' is not empty: restore into a new folder")
    with opened(source) as backup:
        found = int(backup.about.get("store_version", 0))
        if not 0 < found <= VERSION:
            raise BackupError(
                f"备份的存储版本为 {found}，本程序读取至 {VERSION} · the backup's store is of version {found}, this "
                f"program reads up to {VERSION}: restore it with the program that wrote it"
            )
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _extract(backup, home)
            _attach(backup, home)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return {**backup.about, "files": len(backup.entries)}


def _extract(backup: Read, home: Path) -> None:
    for entry, data in backup.files():
        kind, _, name = entry.name.partition("/")
        if kind not in ("home", "parts") or not name:
            raise BackupError(f"清单中的文件不属于备份 · '{entry.name}' does not belong into a backup")
        extract(entry, data, home / name if kind == "home" else home / _PARTS / name)


def _attach(backup: Read, home: Path) -> None:
    engine = open_store(home / "store")
    try:
        for table in ORDER:
            folder = home / _PARTS / table
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
    shutil.rmtree(home / _PARTS, ignore_errors=True)


def _rows(engine: Engine, table: str) -> int:
    found = engine.query(
        "SELECT sum(rows) AS n FROM system.parts WHERE active AND database = currentDatabase() AND table = {t:String}",
        {"t": table},
    )
    return int(found.column("n")[0].as_py() or 0)
