"""What of the writes must outlive this process: a small file in the gateway's home.

A write is noted here, on disk, before it is sent. What is still noted at the next start was under
way when the process ended: its outcome is unknown. Answers are kept while their command may still
be repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from bus.secret import set_aside, write_secret
from gateway.inverse import Raw
from models.command import Answer, Command, CommandError, Outcome, Value
from models.site.model import Name

log = structlog.get_logger(__name__)

MOST_ANSWERS = 1000
CUT_SHORT = Name(
    "结果未知（执行中网关停止）；不会重复执行",
    "outcome unknown (the gateway was stopped in the middle of it): not done again",
)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A write that was begun and of which nobody knows yet what came of it. Times µs UTC."""

    id: str
    point: str
    who: str
    began: int
    raw: Value
    wanted: Value
    tolerance: float
    was: Value | None

    @property
    def written(self) -> Raw:
        return Raw(self.raw, self.wanted, self.tolerance)


class Ledger:
    """The unsettled writes by point, and the answers by command id. `save` raises OSError."""

    def __init__(self, file: Path, now: Callable[[], int]) -> None:
        self._file = file
        self._now = now
        self._saving = asyncio.Lock()
        self._asked = self._saved = 0
        """How many savings were asked for, and of how many the content is on disk: many at once are one write."""
        self.unsettled: dict[str, Unsettled] = {}
        self._answers: dict[str, tuple[int, str, Answer]] = {}
        self._cut_short: dict[str, str] = {}
        """Point by id of the commands that were under way when the process before this one ended."""
        self._read()

    def answer_to(self, command: Command) -> Answer | None:
        """What was answered to this command before. Raises CommandError when another one had its id."""
        known = self._answers.get(command.id)
        if known is None and self._cut_short.get(command.id) == command.point:
            return Answer(command.id, command.point, Outcome.UNKNOWN, CUT_SHORT, at=self._now())
        if known is None:
            return None
        if known[1] != fingerprint(command):
            raise CommandError(f"the id '{command.id}' was another command's")
        return known[2]

    def remember(self, command: Command, answer: Answer) -> None:
        """Keep an answer, in memory for long and on disk until the deadline."""
        self._answers[command.id] = (command.deadline, fingerprint(command), answer)
        if len(self._answers) > MOST_ANSWERS:
            del self._answers[self._least_needed()]

    def _least_needed(self) -> str:
        """The oldest whose command wrote nothing or may not be repeated any more: done again, it does no harm."""
        now = self._now()
        for key, (deadline, _, answer) in self._answers.items():
            if answer.outcome is Outcome.REFUSED or deadline < now:
                return key
        return next(iter(self._answers))

    async def save(self) -> None:
        """Bring it to disk: on return it is there, by this call or by one that began later. Raises OSError."""
        self._asked += 1
        mine = self._asked
        async with self._saving:
            if self._saved >= mine:
                return
            upto = self._asked
            now = self._now()
            content = {
                "unsettled": [asdict(entry) for entry in self.unsettled.values()],
                "answers": [
                    {"deadline": deadline, "command": command, "answer": answer.as_json()}
                    for deadline, command, answer in self._answers.values()
                    if deadline >= now
                ],
            }
            await asyncio.to_thread(write_secret, self._file, json.dumps(content, ensure_ascii=False))
            self._saved = upto

    def _read(self) -> None:
        try:
            content: Mapping[str, Any] = json.loads(self._file.read_text())
            for entry in content["unsettled"]:
                self.unsettled[str(entry["point"])] = Unsettled(**entry)
                self._cut_short[str(entry["id"])] = str(entry["point"])
            for kept in content["answers"]:
                answer = Answer.of_json(kept["answer"])
                self._answers[answer.id] = (int(kept["deadline"]), str(kept["command"]), answer)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Written whole or not at all: somebody changed it, or the disk is ill. Kept for whoever looks into it.
            log.error("unsettled_writes_unreadable", file=str(self._file), error=str(error))
            try:
                set_aside(self._file)
            except OSError as failure:
                log.error("unsettled_writes_not_set_aside", file=str(self._file), error=str(failure))


def fingerprint(command: Command) -> str:
    """What makes two commands the same: the id alone does not, nor for another person or a later deadline."""
    told = [command.id, command.point, command.value, command.unit, command.who, command.deadline]
    return json.dumps(told, ensure_ascii=False)
