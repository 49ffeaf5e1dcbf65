"""A backup: files under names, and a manifest with the sum of each. A folder, or one tar file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

FORMAT = 2
"""Since 2 the relational store is in tables of its own, and no longer SQLite's file."""
_READ = (1, 2)
MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_MOST_MANIFEST = 256 << 20
_NAME = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[^/\0][^\0]*(?<!/)")


class BackupError(Exception):
    """A backup cannot be taken or brought back: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: its name in the backup, bytes, sha-256 and mode."""

    name: str
    size: int
    sha256: str
    mode: int


class Sink(Protocol):
    """Takes files in."""

    def put(self, name: str, size: int, mode: int, data: BinaryIO) -> None: ...


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True)

    def put(self, name: str, size: int, mode: int, data: BinaryIO) -> None:
        target = self._path / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o700), "wb") as file:
            while piece := data.read(_CHUNK):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())


class _Tar:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def put(self, name: str, size: int, mode: int, data: BinaryIO) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, mode & 0o700
        self._tar.addfile(info, data)


class _Summed(io.RawIOBase):
    """Reads at most `size` bytes of a file that may be growing, and sums them up."""

    def __init__(self, data: BinaryIO, size: int) -> None:
        self._data, self._left, self.sum = data, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._data.read(wanted)
        self._left -= len(piece)
        self.sum.update(piece)
        return piece


class Writer:
    """Puts files into a backup and keeps the manifest."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._entries: list[Entry] = []

    def file(self, name: str, path: Path) -> None:
        facts = path.stat()
        with path.open("rb") as data:
            summed = _Summed(data, facts.st_size)
            self._sink.put(name, facts.st_size, facts.st_mode, summed)  # type: ignore[arg-type]
        self._entries.append(Entry(name, facts.st_size, summed.sum.hexdigest(), facts.st_mode & 0o700))

    def finish(self, about: dict[str, Any]) -> None:
        """Write the manifest; `about` is what the backup says of itself."""
        files = [[e.name, e.size, e.sha256, e.mode] for e in self._entries]
        text = json.dumps({"format": FORMAT, **about, "files": files}, ensure_ascii=False).encode()
        self._sink.put(MANIFEST, len(text), 0o600, io.BytesIO(text))


@contextmanager
def written(target: Path) -> Iterator[Writer]:
    """A backup that is there when all of it is: a tar file when the name ends in .tar, else a folder."""
    if target.exists():
        raise BackupError(f"“{target}”已存在，请换个名字 · '{target}' is there already: choose another name")
    part = target.with_name(f"{target.name}.part")
    try:
        if target.suffix == ".tar":
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    yield Writer(_Tar(tar))
                file.flush()
                os.fsync(file.fileno())
        else:
            yield Writer(_Folder(part))
    except FileExistsError as error:
        raise BackupError(
            f"“{part}”是上次未完成的备份，请先删除 · '{part}' is left of a backup that was broken off: remove it first"
        ) from error
    part.rename(target)


@dataclass(frozen=True)
class Read:
    """A backup being read: what it says of itself, and each of its files, once, in any order."""

    about: dict[str, Any]
    entries: dict[str, Entry]
    files: Callable[[], Iterator[tuple[Entry, BinaryIO]]]


@contextmanager
def opened(source: Path) -> Iterator[Read]:
    """Raises BackupError when it is no backup, or one of a newer program."""
    if source.is_dir():
        manifest = source / MANIFEST
        if not manifest.is_file():
            raise BackupError(f"“{source}”不是完整的备份 · '{source}' is not a whole backup: it has no {MANIFEST}")
        about, entries = _parse(manifest.read_bytes(), source)

        def of_folder() -> Iterator[tuple[Entry, BinaryIO]]:
            for entry in entries.values():
                try:
                    with (source / entry.name).open("rb") as data:
                        yield entry, data
                except OSError as error:
                    raise BackupError(f"备份缺少文件 · the backup lacks '{entry.name}': {error.strerror}") from error

        yield Read(about, entries, of_folder)
        return
    try:
        with tarfile.open(source, "r:") as tar:
            members = {member.name: member for member in tar if member.isfile()}
            held = members.get(MANIFEST)
            data = tar.extractfile(held) if held is not None and held.size <= _MOST_MANIFEST else None
            if data is None:
                raise BackupError(f"“{source}”不是完整的备份 · '{source}' is not a whole backup: it has no {MANIFEST}")
            about, entries = _parse(data.read(), source)

            def of_tar() -> Iterator[tuple[Entry, BinaryIO]]:
                for entry in entries.values():
                    file = tar.extractfile(members[entry.name]) if entry.name in members else None
                    if file is None:
                        raise BackupError(f"备份缺少文件 · the backup lacks '{entry.name}'")
                    yield entry, file  # type: ignore[misc]

            yield Read(about, entries, of_tar)
    except (tarfile.TarError, OSError) as error:
        raise BackupError(f"“{source}”无法读取 · the backup '{source}' cannot be read: {error}") from error


def _parse(text: bytes, source: Path) -> tuple[dict[str, Any], dict[str, Entry]]:
    try:
        about = json.loads(text)
        files = about.pop("files")
        entries = {name: Entry(str(name), int(size), str(total), int(mode)) for name, size, total, mode in files}
        found = int(about["format"])
        about["store_version"] = int(about.get("store_version", 0))
        about["rows"] = {str(table): int(rows) for table, rows in about.get("rows", {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BackupError(f"“{source}”的清单有误 · the manifest of '{source}' cannot be read: {error}") from error
    if found not in _READ:
        raise BackupError(
            f"备份格式 {found} 由更新的程序写成，本程序读取至 {FORMAT} · the backup is of format {found}, this program "
            f"reads up to {FORMAT}: restore it with the program that wrote it"
        )
    wrong = next((name for name in entries if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        raise BackupError(f"清单中的文件名不可接受 · the manifest names a file outside of the backup: '{wrong!r:.80}'")
    return about, entries


def extract(entry: Entry, data: BinaryIO, target: Path) -> None:
    """Write a file and hold it against its sum. Raises BackupError when it is not what was backed up."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    summed = _Summed(data, entry.size)
    size = 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry.mode & 0o700), "wb") as file:
        while piece := summed.read(_CHUNK):
            size += file.write(piece)
    if size != entry.size or summed.sum.hexdigest() != entry.sha256:
        raise BackupError(
            f"备份中的文件已损坏 · '{entry.name}' is not what was backed up: the backup is damaged, take another one"
        )
