"""Changing files of a site's folder: checked before, whole or not at all, and with a way back.

Each change keeps what it replaced under `.changes/<time>/` in the site's folder, as .bak files, with a record of
what was written, so that undoing it cannot overwrite what somebody has edited since.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from models.site import Report
from sevenones.site_check import examine

CHANGES = ".changes"
RECORD = "change.json"


class ChangeError(Exception):
    """A change that cannot be made or undone: why, and what to do."""


def tried(site: Path, files: Mapping[str, bytes], environment: Mapping[str, str] | None = None) -> Report:
    """What `check` says of the site with these files in it. The site itself is not touched."""
    with tempfile.TemporaryDirectory(prefix="sevenones-") as folder:
        copy = Path(folder) / site.resolve().name
        shutil.copytree(site, copy, ignore=shutil.ignore_patterns(".*"), symlinks=True)
        for name, data in files.items():
            path = copy / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return examine(copy, environment=environment)


def apply(site: Path, files: Mapping[str, bytes], now: datetime, why: str) -> Path:
    """Write the files; gives the folder that keeps what they replaced. Raises ChangeError."""
    kept = site / CHANGES / now.strftime("%Y%m%dT%H%M%S%f")
    record: dict[str, object] = {"why": why, "at": now.astimezone().isoformat(), "undone": False}
    entries: dict[str, dict[str, str | None]] = {}
    try:
        kept.mkdir(parents=True)
        for number, name in enumerate(files):
            path = site / name
            backup = None
            if path.exists():
                backup = f"{number}-{path.name}.bak"
                shutil.copy2(path, kept / backup)
            entries[name] = {"backup": backup, "written": _digest(files[name])}
        record["files"] = entries
        _put(kept / RECORD, json.dumps(record, ensure_ascii=False, indent=2).encode())
        for name, data in files.items():
            _put(site / name, data)
    except OSError as error:
        raise ChangeError(f"无法写入 {error.filename} · cannot write {error.filename}: {error.strerror}") from None
    return kept


def undo(site: Path) -> tuple[str, list[str]]:
    """Take the latest change back that was not; what it was, and its files. Raises ChangeError."""
    folders = sorted((site / CHANGES).glob("*/" + RECORD), reverse=True)
    for path in folders:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["undone"]:
            continue
        edited = [
            name
            for name, entry in record["files"].items()
            if not (site / name).exists() or _digest((site / name).read_bytes()) != entry["written"]
        ]
        if edited:
            raise ChangeError(
                f"{'、'.join(edited)} 在那次导入之后又改过，未撤销；原文件在 {path.parent} · "
                f"{', '.join(edited)} changed since: nothing was undone; what was there before is in {path.parent}"
            )
        try:
            for name, entry in record["files"].items():
                if entry["backup"] is None:
                    (site / name).unlink()
                else:
                    _put(site / name, (path.parent / entry["backup"]).read_bytes())
            _put(path, json.dumps({**record, "undone": True}, ensure_ascii=False, indent=2).encode())
        except OSError as error:
            raise ChangeError(f"无法写入 {error.filename} · cannot write {error.filename}: {error.strerror}") from None
        return str(record["why"]), list(record["files"])
    raise ChangeError(f"{site} 没有可撤销的导入 · there is no import to undo in {site}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _put(path: Path, data: bytes) -> None:
    """A file whole or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, draft)
    draft.replace(path)
