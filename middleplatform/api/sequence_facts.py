"""What is told of sequences, their runs and journals, and of rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import BaseModel

from middleplatform.api import times
from middleplatform.api.catalogue import Catalogue
from middleplatform.control import turning
from middleplatform.control.attend import look_at
from middleplatform.control.book import Run, Written
from middleplatform.control.progress import Phase
from models.sequence import Condition, Rotation, Sequence, Step, short


class Words(BaseModel):
    zh: str
    en: str


class CommandFacts(BaseModel):
    point: str
    value: float


class StepFacts(BaseModel):
    """`until`, `keep`: conditions as a person reads them."""

    id: str
    name: Words
    commands: list[CommandFacts]
    until: list[str]
    keep: list[str]
    within_s: float
    on_failure: str


class SequenceFacts(BaseModel):
    id: str
    name: Words
    direction: str
    warning_s: float
    needs: list[str]
    steps: list[StepFacts]
    abort: list[StepFacts]
    source: str


class SequenceList(BaseModel):
    sequences: list[SequenceFacts]


class RunFacts(BaseModel):
    """`phase`: asked, warning, running, held, paused, aborting, done, aborted, refused; `step` of `steps`, from 1;
    `missed`: steps of the way back that were not confirmed; `driven_s`: since when nobody has driven it; `time`: by
    the mine's clock. Times µs."""

    id: int
    mine: str
    sequence: str
    name: Words
    who: str
    note: str
    at: int
    time: str
    phase: str
    step: int
    steps: int
    step_name: Words | None
    reason: Words
    missed: list[str]
    wish: str | None
    ended: int | None
    driven_s: float | None


class LineFacts(BaseModel):
    """One line of a run's journal. `time`: by the mine's clock."""

    number: int
    at: int
    time: str
    what: str
    step: str
    command: int
    point: str
    value: float | None
    outcome: str
    who: str
    words: Words


class RunWhole(RunFacts):
    definition: SequenceFacts
    journal: list[LineFacts]


class RotationFacts(BaseModel):
    """`runs`: whether it starts and stops pumps by itself, `who` let it; `says`: what it would do now and why; levels
    in the unit of the level's point."""

    id: str
    name: Words
    runs: bool
    who: str | None
    says: Words
    level: str
    low: float
    start: float
    high: float
    high_high: float
    tariff: str
    pumps: list[str]
    source: str


def _conditions(conditions: tuple[Condition, ...]) -> list[str]:
    return [condition.text() for condition in conditions]


def _step(step: Step) -> dict[str, Any]:
    until = _conditions(step.until)
    if step.any_of and len(until) > 1:
        until = [" | ".join(until)]
    if step.empties is not None:
        until = [f"∫ {short(step.empties.speed)} dt ≥ {step.empties.length_m:g} m, + {step.empties.margin_s:g} s"]
    if step.wait_s:
        until = [f"{step.wait_s:g} s"]
    return {
        "id": step.id,
        "name": step.name.words(),
        "commands": [{"point": path, "value": value} for path, value in step.commands],
        "until": until,
        "keep": _conditions(step.keep),
        "within_s": step.within_s,
        "on_failure": str(step.on_failure),
    }


def sequence_facts(found: Sequence) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name.words(),
        "direction": str(found.direction),
        "warning_s": found.warning_s,
        "needs": _conditions(found.needs),
        "steps": [_step(step) for step in found.steps],
        "abort": [_step(step) for step in found.abort],
        "source": found.source,
    }


def rotation_facts(request: Request) -> Callable[[Rotation, str | None], dict[str, Any]]:
    """Facts of a rotation, by what the points are at this moment."""
    site, live, now = request.app.state.catalogue.site, request.app.state.live, times.now_us()
    live.refresh(now)
    look = look_at(live)

    def tell(found: Rotation, who: str | None) -> dict[str, Any]:
        return {
            "id": found.id,
            "name": found.name.words(),
            "runs": who is not None,
            "who": who,
            "says": turning.says(site, found, look, now).words.words(),
            "level": found.level,
            "low": found.low,
            "start": found.start,
            "high": found.high,
            "high_high": found.high_high,
            "tariff": found.tariff,
            "pumps": [turn.id for turn in found.turns],
            "source": found.source,
        }

    return tell


def run_facts(run: Run, zone: ZoneInfo) -> dict[str, Any]:
    progress = run.progress
    steps = run.sequence.steps
    at = steps[progress.step] if progress.phase is not Phase.ABORTING and progress.step < len(steps) else None
    return {
        "id": run.id,
        "mine": run.mine,
        "sequence": run.sequence.id,
        "name": run.sequence.name.words(),
        "who": run.who,
        "note": run.note,
        "at": run.at,
        "time": times.local(run.at, zone),
        "phase": str(run.phase),
        "step": min(progress.step + 1, len(steps)),
        "steps": len(steps),
        "step_name": None if at is None else at.name.words(),
        "reason": progress.reason.words(),
        "missed": list(progress.missed),
        "wish": None if run.wish is None else str(run.wish),
        "ended": run.ended,
        "driven_s": None if run.ended else round(max(0, times.now_us() - run.seen) / 1e6, 1),
    }


def line_facts(each: Written, zone: ZoneInfo) -> dict[str, Any]:
    line = each.line
    return {
        "number": each.number,
        "at": each.at,
        "time": times.local(each.at, zone),
        "what": str(line.what),
        "step": line.step,
        "command": line.number,
        "point": line.point,
        "value": line.value,
        "outcome": line.outcome,
        "who": line.who,
        "words": line.words.words(),
    }


def zone_of(catalogue: Catalogue) -> ZoneInfo:
    """The mine's."""
    return ZoneInfo(catalogue.site.time_zone)


def sees_of(whole: Catalogue, catalogue: Catalogue) -> Callable[[Sequence], bool]:
    """Whether all points of a sequence are within what a caller may see of the `whole`."""
    if catalogue.site is whole.site:
        return lambda sequence: True
    paths = {point.path for point in catalogue.site.points}
    # One that cannot be read names no point.
    return lambda sequence: bool(sequence.steps) and sequence.points() <= paths
