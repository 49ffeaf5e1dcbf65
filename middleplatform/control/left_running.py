"""What an aborted run leaves running, as alarms: raised in the transaction that writes down that a stop was not
confirmed, so that no kill loses one. `middleplatform.control.stopping` returns them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from middleplatform.alarms.condition import Act, Change
from middleplatform.control.progress import Line
from models import sequence as sequences
from models.sequence import Look, Step
from models.site.model import Name

RULE = "platform.sequence_not_stopped"
VERSION = 1
PRIORITY = 1
"""Set by us: something moves that nobody wants to move, and the platform could not stop it."""
BACK = "abort/"
"""How the steps of the abort path are called in the journal: one may have the name of the step that it takes back."""
_ZH, _EN = 180, 300
"""Characters of a note in either language."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The run that raised an alarm, and which step of its way back was not confirmed; "": nobody knows which."""

    run: int
    step: str

    def as_memory(self) -> str:
        """As the book of alarms keeps it."""
        return json.dumps({"run": self.run, "step": self.step}, ensure_ascii=False)

    @staticmethod
    def of_memory(memory: str | None) -> Cause | None:
        """The inverse of `as_memory`; None for what is none."""
        try:
            found = json.loads(memory or "")
            return Cause(int(found["run"]), str(found["step"]))
        except (ValueError, KeyError, TypeError):
            return None


def raised(
    run: int, sequence: sequences.Sequence, steps: Iterable[str], told: Sequence[Line], now: int
) -> list[Change]:
    """One alarm for each machine of these steps of the way back; `told`: lines that say why each was not confirmed."""
    why = {line.step: line.words for line in told}
    changes = []
    for name in steps:
        step = step_of(sequence, name)
        if step is None:
            continue
        for machine in sorted(_machines(step)):
            words = why.get(f"{BACK}{name}", Name("", ""))
            changes.append(_raise(machine, Cause(run, name), sequence.id, sequences.short(machine), words, now))
    return changes


def raised_unread(mine: str, run: int, sequence: sequences.Sequence, words: Name, now: int) -> list[Change]:
    """The same of a run that nobody can read: of all that its way back would stop, or else of the mine as a whole."""
    named = {machine: step.id for step in sequence.abort for machine in _machines(step)}
    return [
        _raise(machine, Cause(run, step), sequence.id, sequences.short(machine), words, now)
        for machine, step in sorted((named or {mine: ""}).items())
    ]


def step_of(sequence: sequences.Sequence, name: str) -> Step | None:
    """The step of the way back of that name."""
    return next((step for step in sequence.abort if step.id == name), None)


def stopped(step: Step | None, look: Look) -> bool | None:
    """Whether what the step stops is seen to stand now; None when nobody knows."""
    if step is None or not step.until:
        return None
    met = [condition.met(look) for condition in step.until]
    enough = any if step.any_of else all
    if enough(each is True for each in met):
        return True
    return False if enough(each is not None for each in met) else None


def points(steps: Iterable[Step | None]) -> frozenset[str]:
    """What `stopped` looks at."""
    looked = [condition for step in steps if step is not None for condition in step.until]
    return frozenset(path for each in looked for path in (each.point, each.of) if path)


def _machines(step: Step) -> frozenset[str]:
    paths = [path for path, _ in step.commands] or [each.point for each in step.until]
    return frozenset(path.rpartition("/")[0] for path in paths)


def _raise(machine: str, cause: Cause, sequence: str, name: str, words: Name, now: int) -> Change:
    zh = f"{name} 未确认停止，可能仍在运行：请到现场停机（{sequence} 运行 {cause.run}；{words.zh}）"
    en = f"{name} may still RUN, stop it at the machine (run {cause.run} of {sequence}; {words.en})"
    note = f"{zh[:_ZH]} · {en[:_EN]}"
    return Change(RULE, machine, Act.RAISE, now, VERSION, PRIORITY, memory=cause.as_memory(), note=note)
