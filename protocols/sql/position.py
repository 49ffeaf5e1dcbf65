"""The last key that is in the bus, on disk: what comes after it is new, also after a kill."""

from __future__ import annotations

import datetime
import decimal
import json
import os
from pathlib import Path
from typing import Any

import xxhash

from protocols.adapter import LinkLost


class Position:
    """One file a source. All of it blocks on the disk."""

    def __init__(self, folder: Path, source: str) -> None:
        """`source` says which rows these are; another source has another file."""
        self.source = source
        self.path = folder / f"{xxhash.xxh3_64_hexdigest(source.encode())}.json"

    def read(self) -> Any:
        """The key, None when nothing was read yet. Raises LinkLost for a file that is damaged: to begin
        anywhere else would lose rows, or bring all of them again."""
        try:
            facts = json.loads(self.path.read_text(encoding="utf-8"))
            kind, text = facts["kind"], facts["key"]
            if kind == "time":
                return datetime.datetime.fromisoformat(text)
            return int(text) if kind == "int" else decimal.Decimal(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, decimal.InvalidOperation) as error:
            raise LinkLost(
                f"{self.path} 存有已读的最后一个键，无法读取（{error}），请删除它，将从设置 start 处开始 · "
                f"{self.path} holds the last key that was read and cannot be read ({error}): "
                "remove it to begin where the setting `start` says"
            ) from None

    def write(self, key: Any) -> None:
        """Keep the key: on disk when this returns. Raises LinkLost."""
        if isinstance(key, datetime.datetime):
            kind, text = "time", key.isoformat()
        else:
            kind, text = ("int", str(key)) if isinstance(key, int) else ("number", str(key))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({"kind": kind, "key": text, "source": self.source}, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            raise LinkLost(
                f"最后一个键无法存入 {self.path}：{error} · the last key cannot be kept in {self.path}: {error}"
            ) from None
