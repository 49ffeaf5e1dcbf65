"""Files that only their owner may read: credentials, what a process must not forget, and where its doors are with the
token for them."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_secret(path: Path, text: str) -> None:
    """Write a file whole or not at all, on disk with its name, mode 0600 from its first byte. Raises OSError."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


def set_aside(path: Path) -> Path:
    """Give a file that cannot be read another name, so that nothing writes over it; that name, beside its own. On
    return it is on disk. Raises OSError."""
    aside = path.with_name(f"{path.name}.unreadable-{time.time_ns()}")
    path.rename(aside)
    _sync_folder(path.parent)
    return aside


def _sync_folder(folder: Path) -> None:
    # A new name is a matter of the folder: without this a power cut brings the older file back.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Announcement:
    """A file that says where a running process's door is, and holds the token for it.

    `withdraw` takes it away unless another process has announced its own door there since.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._text = path, json.dumps(facts)
        write_secret(path, self._text)

    def withdraw(self) -> None:
        try:
            if self._path.read_text() == self._text:
                self._path.unlink()
        except FileNotFoundError:
            pass
