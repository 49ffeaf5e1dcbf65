"""Tags (检修挂牌): persons' locks on machines, on this gateway's disk before anybody is told that they hang.

A record that cannot be read is never written over: it is set aside, and until two persons have settled it all machines
count as tagged, also after a new start.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import structlog

from bus.secret import set_aside, write_secret
from models.control.credential import Credential
from models.site.model import Name

log = structlog.get_logger(__name__)

MOST = 1000


@dataclass(frozen=True, slots=True)
class Tag:
    """`who`: the person whose it is; `at`: µs UTC; `person`: see Credential.person, "" of tags that were hung before
    it was kept."""

    id: str
    equipment: str
    who: str
    reason: str
    at: int
    person: str = ""

    def is_of(self, who: Credential) -> bool:
        """Whether it is this person's, not a namesake's."""
        return self.who == who.name and self.person in ("", who.person)


class Tags:
    """The tags that hang. A machine has as many as persons work on it, and starts when the last one is gone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tags: dict[str, Tag] = {}
        self._saving = asyncio.Lock()
        self._stuck = False
        """The record cannot be read and not be set aside either: nothing is written in its place."""
        self._read()
        self._bad = self._set_aside()
        """The unreadable records that nobody has settled yet, the oldest first."""

    @property
    def trouble(self) -> Name | None:
        """Why it is not known which tags hang: then all machines count as tagged."""
        bad = self._file if self._stuck else next(iter(self._bad), None)
        if bad is None:
            return None
        return Name(
            f"挂牌记录无法读取：{bad}；核实现场后双人处置：sevenones control settle",
            f"the record of tags cannot be read: {bad}; look who works where, then two persons settle it: "
            "'sevenones control settle'",
        )

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
        """It hangs until it is gone from the disk. Raises OSError; then it still hangs."""
        async with self._saving:
            await asyncio.to_thread(self._write, tag.id)
            if self._tags.get(tag.id) is tag:
                del self._tags[tag.id]

    async def settle(self) -> list[str]:
        """The tags that hang are those that are known; the names that unreadable records have from now on. On return
        it is on disk. Raises OSError."""
        async with self._saving:
            return await asyncio.to_thread(self._settled)

    def _settled(self) -> list[str]:
        self._aside()
        bad = list(self._bad)
        for each in bad:
            each.rename(each.with_name(f"{self._file.name}.settled-{time.time_ns()}"))
        # Written for its folder's sake: on return the new names are on disk too.
        write_secret(self._file, self._content())
        self._bad = self._set_aside()
        return [each.name for each in bad]

    def _set_aside(self) -> list[Path]:
        return sorted(self._file.parent.glob(f"{self._file.name}.unreadable-*"))

    def _aside(self) -> None:
        if self._stuck:
            set_aside(self._file)
            self._stuck, self._bad = False, self._set_aside()

    async def _save(self) -> None:
        async with self._saving:
            await asyncio.to_thread(self._write)

    def _write(self, without: str = "") -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._aside()
        write_secret(self._file, self._content(without))

    def _content(self, without: str = "") -> str:
        return json.dumps([asdict(tag) for tag in list(self._tags.values()) if tag.id != without], ensure_ascii=False)

    def _read(self) -> None:
        try:
            found = json.loads(self._file.read_text())
            if not isinstance(found, list):
                raise ValueError("it is not a list")
            self._tags = {tag.id: tag for tag in map(_tag, found)}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            # Written whole or not at all: somebody changed it, or the disk is ill. Whose lock hangs is not known.
            log.error("tags_unreadable", file=str(self._file), error=str(error))
            try:
                set_aside(self._file)
            except OSError as failure:
                self._stuck = True
                log.error("tags_not_set_aside", file=str(self._file), error=str(failure))


def _tag(found: Any) -> Tag:
    """Raises ValueError, TypeError."""
    tag = Tag(**found)
    if any(type(getattr(tag, each.name)) is not (int if each.name == "at" else str) for each in fields(tag)):
        raise ValueError(f"'{str(found)[:80]}' is no tag")
    return tag
