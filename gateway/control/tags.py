"""Tags (检修挂牌): persons' locks on machines, on this gateway's disk before anybody is told that they hang."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from bus.secret import write_secret
from models.site.model import Name

log = structlog.get_logger(__name__)

MOST = 1000


@dataclass(frozen=True, slots=True)
class Tag:
    """`who`: the person whose it is; `at`: µs UTC."""

    id: str
    equipment: str
    who: str
    reason: str
    at: int


class Tags:
    """The tags that hang. A machine has as many as persons work on it, and starts when the last one is gone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tags: dict[str, Tag] = {}
        self._saving = asyncio.Lock()
        self.trouble: Name | None = None
        """Why it is not known which tags hang: then all machines count as tagged."""
        self._read()

    def __iter__(self) -> Iterator[Tag]:
        return iter(list(self._tags.values()))

    def __len__(self) -> int:
        return len(self._tags)

    def get(self, tag: str) -> Tag | None:
        return self._tags.get(tag)

    def on(self, equipment: str) -> list[Tag]:
        """The tags of a machine, the oldest first."""
        return [tag for tag in self._tags.values() if tag.equipment == equipment]

    async def hang(self, tag: Tag) -> None:
        """On return it is on disk. It holds from now on, also if that fails. Raises OSError."""
        self._tags[tag.id] = tag
        await self._save()

    async def remove(self, tag: Tag) -> None:
        """Raises OSError; then it still hangs."""
        del self._tags[tag.id]
        try:
            await self._save()
        except OSError:
            self._tags[tag.id] = tag
            raise

    async def _save(self) -> None:
        async with self._saving:
            content = json.dumps([asdict(tag) for tag in self._tags.values()], ensure_ascii=False)
            await asyncio.to_thread(_write, self._file, content)

    def _read(self) -> None:
        try:
            for entry in json.loads(self._file.read_text()):
                tag = Tag(**entry)
                self._tags[tag.id] = tag
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            # Written whole or not at all: somebody changed it, or the disk is ill. Whose lock hangs is not known.
            log.error("tags_unreadable", file=str(self._file), error=str(error))
            self.trouble = Name(f"挂牌记录无法读取：{self._file}", f"the record of tags cannot be read: {self._file}")


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(file, content)
