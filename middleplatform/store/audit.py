"""The store's audit: what it set aside, released or could not read, as JSON lines in a file."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

MAX_BYTES = 16 * 2**20
"""Size at which the file is turned over; one older file is kept."""


class Audit:
    """Appends one JSON object a line, with the time in µs UTC. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, what: str, **facts: Any) -> None:
        line = json.dumps({"time": time.time_ns() // 1000, "what": what, **facts}, ensure_ascii=False) + "\n"
        with self._lock:
            if self._path.exists() and self._path.stat().st_size + len(line) > MAX_BYTES:
                self._path.replace(self._path.with_suffix(".log.1"))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
