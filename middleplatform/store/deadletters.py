"""Messages that cannot be read: kept as files, so that they block nothing and nothing is lost unseen."""

from __future__ import annotations

import re
from pathlib import Path

MAX_BYTES = 64 * 2**20
"""Bytes that the folder may hold; the oldest files go first."""


class DeadLetters:
    """One file a message: `<stream>-<sequence>.bin`; the same message again takes the same file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._bytes = sum(file.stat().st_size for file in folder.iterdir())

    def keep(self, stream: str, sequence: int, data: bytes) -> Path:
        """Write the message's bytes; returns the file."""
        path = self._folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', stream)}-{sequence}.bin"
        before = path.stat().st_size if path.exists() else 0
        path.write_bytes(data)
        self._bytes += len(data) - before
        if self._bytes > MAX_BYTES:
            self._drop_oldest()
        return path

    def _drop_oldest(self) -> None:
        files = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-1]:
            if self._bytes <= MAX_BYTES:
                return
            self._bytes -= file.stat().st_size
            file.unlink()
