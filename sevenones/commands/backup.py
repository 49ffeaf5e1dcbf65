"""`sevenones backup` and `sevenones restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sevenones.relational import Database


def backup(
    target: Annotated[Path, typer.Argument(help="备份去处：新目录，或 .tar 文件 · a new folder, or a .tar file")],
    home: Annotated[Path, typer.Option(help="数据目录 · the home to back up")] = Path(".sevenones"),
    database: Database = None,
) -> None:
    """备份：时序库、关系库与配置，运行中也可 · back up both stores and the configuration, running or not"""
    from middleplatform.backup import BackupError, take
    from middleplatform.database import DatabaseError
    from middleplatform.store.errors import StoreError
    from middleplatform.store.schema import SETTING

    try:
        about = take(home, target, database, os.environ.get(SETTING))
    except (BackupError, StoreError, DatabaseError, OSError) as error:
        sys.exit(f"未能备份 · not backed up: {error}")
    print(f"已备份 · backed up: {_told(about)} → {target}")
    print("备份含凭证，请妥善保管 · it holds credentials: keep it as safe as the home itself")


def bring_back(
    source: Annotated[Path, typer.Argument(help="备份 · the backup: a folder or a .tar file")],
    home: Annotated[Path, typer.Option(help="新的数据目录，须为空 · the new home, which must be empty")],
    database: Database = None,
) -> None:
    """把备份恢复到空目录 · bring a backup back into an empty folder"""
    from middleplatform.backup import BackupError, restore
    from middleplatform.database import DatabaseError
    from middleplatform.store.errors import StoreError

    try:
        about = restore(source, home, database)
    except (BackupError, StoreError, DatabaseError, OSError) as error:
        sys.exit(f"未能恢复 · not restored: {error}")
    print(f"已恢复 · restored: {_told(about)} → {home}")


def _told(about: Mapping[str, Any]) -> str:
    rows = sum((about.get("relational") or {}).get("rows", {}).values())
    return (
        f"{about['rows'].get('samples', 0):,} 样本 · samples, {rows:,} 关系库记录 · rows of the relational store, "
        f"{about['files']} 文件 · files"
    )
