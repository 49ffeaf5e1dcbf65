"""Which linkages are tripped, on this gateway's disk: noted before the command is written, and again when the device
has it, so that a gateway that is killed in between does it again and none forgets that it has tripped.

A file that cannot be read is no file without latches: nobody knows what was tripped, so everything that may have been
counts as tripped, in doubt, until a person restores it. The file is kept aside.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import structlog

from bus.secret import write_secret

log = structlog.get_logger(__name__)

SAVE_S = 0.3
"""A disk that does not take it so soon does not keep a command from its device."""
LATE_S = 2.0
"""A disk that has not taken it by then counts as one that refuses it."""


@dataclass(frozen=True, slots=True)
class Latch:
    """A linkage that has tripped. `at`: when, µs UTC; `command`: what holds, path → value; `done`: all of it was read
    back, or was so already; `held`: it stays until it is restored; `doubt`: it may have tripped, nobody knows: it
    forbids and writes nothing."""

    rule: str
    version: int
    at: int
    priority: int
    command: Mapping[str, float]
    done: bool = False
    held: bool = True
    doubt: bool = False

    def as_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Latch:
        """Raises ValueError, KeyError, TypeError."""
        latch = Latch(**found)
        whole = (latch.version, latch.at, latch.priority)
        said = (latch.done, latch.held, latch.doubt)
        if not isinstance(latch.rule, str) or not all(isinstance(value, int) for value in whole):
            raise ValueError("a latch has a rule, a version, a time and a priority")
        if not all(isinstance(value, bool) for value in said):
            raise ValueError("what a latch says of itself is true or false")
        return replace(latch, command={str(path): float(value) for path, value in latch.command.items()})


class Latches:
    """By rule. Only what is held outlives this process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saving = asyncio.Lock()
        self._asked = self._saved = 0
        """How many savings were asked for, and of how many the content is on disk: many at once are one write."""
        self._writes: set[asyncio.Task[None]] = set()
        self._behind: float | None = None
        """Since when, of the loop's clock, the disk does not have all of it."""
        self._refused = False
        self.tripped: dict[str, Latch] = {}
        self.unreadable = False
        """The file was there and could not be read, and nothing stands for what was in it yet: see `doubt`."""
        self._read()

    def holder(self, path: str) -> Latch | None:
        """The tripped linkage whose word on this point holds: that of the highest priority, of these the first."""
        found = [latch for latch in self.tripped.values() if path in latch.command and not latch.doubt]
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
        """It is tripped no more, at once."""
        if self.tripped.pop(rule, None) is not None:
            await self.save()

    def doubt(self, latches: Iterable[Latch], at: int) -> None:
        """These stand for what the unreadable file held, which is kept aside under a name of its own, with `at`."""
        for latch in latches:
            self.tripped.setdefault(latch.rule, replace(latch, done=True, held=True, doubt=True))
        self.unreadable = False
        aside = self._file.with_name(f"{self._file.name}.unreadable-{at}")
        try:
            # A second name, not another place: a kill in between still finds an unreadable file, and doubts again.
            os.link(self._file, aside)
        except OSError as error:
            log.error("latches_not_kept_aside", file=str(self._file), error=str(error))
        self._begin()

    @property
    def doubted(self) -> list[Latch]:
        return [latch for latch in self.tripped.values() if latch.doubt]

    @property
    def unsaved(self) -> bool:
        """Whether the disk does not take what is tripped now."""
        late = self._behind is not None and asyncio.get_running_loop().time() - self._behind > LATE_S
        return self._refused or late

    def try_again(self) -> None:
        """Write what the disk has refused, if nothing is being written."""
        if self._behind is not None and not self._writes:
            self._begin()

    async def save(self) -> None:
        """Bring it to disk. A disk that does not take it is told and holds nothing up; see `try_again`."""
        if self.unreadable or (not any(latch.held for latch in self.tripped.values()) and not self._file.exists()):
            return
        task = self._begin()
        try:
            async with asyncio.timeout(SAVE_S):
                await asyncio.shield(task)
        except TimeoutError:
            log.error("latches_not_saved_yet", file=str(self._file), after_s=SAVE_S)

    def _begin(self) -> asyncio.Task[None]:
        self._asked += 1
        if self._behind is None:
            self._behind = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._write(self._asked))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def _write(self, mine: int) -> None:
        try:
            async with self._saving:
                if self._saved >= mine:
                    return
                upto = self._asked
                kept = [latch.as_json() for latch in self.tripped.values() if latch.held]
                await asyncio.to_thread(write_secret, self._file, json.dumps({"tripped": kept}, ensure_ascii=False))
                self._saved, self._refused = upto, False
                if self._saved == self._asked:
                    self._behind = None
        except OSError as error:
            self._refused = True
            log.error("latches_not_saved", file=str(self._file), error=str(error))

    def _read(self) -> None:
        try:
            content: Mapping[str, Any] = json.loads(self._file.read_text())
            found = [Latch.of_json(entry) for entry in content["tripped"]]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Written whole or not at all: this one was changed by somebody, or the disk is ill.
            self.unreadable = True
            log.error("latches_unreadable", file=str(self._file), error=str(error))
        else:
            self.tripped = {latch.rule: latch for latch in found}
