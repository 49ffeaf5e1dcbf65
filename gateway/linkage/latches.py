"""Which linkages are tripped, on this gateway's disk: noted before the command is written, and again when the device
has it, so that a gateway that is killed in between does it again and none forgets that it has tripped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import structlog

from bus.secret import write_secret

log = structlog.get_logger(__name__)

SAVE_S = 0.3
"""A disk that does not take it so soon does not keep a command from its device."""


@dataclass(frozen=True, slots=True)
class Latch:
    """A linkage that has tripped. `at`: when, µs UTC; `command`: what holds, path → value; `done`: all of it was read
    back; `held`: it stays until it is restored."""

    rule: str
    version: int
    at: int
    priority: int
    command: Mapping[str, float]
    done: bool = False
    held: bool = True

    def as_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Latches:
    """By rule. Only what is held outlives this process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saving = asyncio.Lock()
        self._asked = self._saved = 0
        """How many savings were asked for, and of how many the content is on disk: many at once are one write."""
        self._writes: set[asyncio.Task[None]] = set()
        self.tripped: dict[str, Latch] = {}
        self.unreadable = False
        """The file was there and could not be read: nobody knows what was tripped."""
        self._read()

    def holder(self, path: str) -> Latch | None:
        """The tripped linkage whose word on this point holds: that of the highest priority, of these the first."""
        found = [latch for latch in self.tripped.values() if path in latch.command]
        return min(found, key=lambda latch: (latch.priority, latch.at), default=None)

    async def trip(self, latch: Latch) -> None:
        self.tripped[latch.rule] = latch
        await self.save()

    async def done(self, rule: str) -> None:
        """Its commands were read back."""
        if rule in self.tripped:
            self.tripped[rule] = replace(self.tripped[rule], done=True)
            await self.save()

    async def release(self, rule: str) -> None:
        if self.tripped.pop(rule, None) is not None:
            await self.save()

    async def save(self) -> None:
        """Bring it to disk. A disk that does not take it is told and holds nothing up."""
        if not any(latch.held for latch in self.tripped.values()) and not self._file.exists():
            return
        self._asked += 1
        mine = self._asked
        task = asyncio.create_task(self._write(mine))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        try:
            async with asyncio.timeout(SAVE_S):
                await asyncio.shield(task)
        except TimeoutError:
            log.error("latches_not_saved_yet", file=str(self._file), after_s=SAVE_S)

    async def _write(self, mine: int) -> None:
        try:
            async with self._saving:
                if self._saved >= mine:
                    return
                upto = self._asked
                kept = [latch.as_json() for latch in self.tripped.values() if latch.held]
                await asyncio.to_thread(write_secret, self._file, json.dumps({"tripped": kept}, ensure_ascii=False))
                self._saved = upto
        except OSError as error:
            log.error("latches_not_saved", file=str(self._file), error=str(error))

    def _read(self) -> None:
        try:
            content: Mapping[str, Any] = json.loads(self._file.read_text())
            self.tripped = {str(entry["rule"]): Latch(**entry) for entry in content["tripped"]}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Written whole or not at all: this one was changed by somebody.
            self.unreadable = True
            log.error("latches_unreadable", file=str(self._file), error=str(error))
