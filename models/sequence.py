"""A sequence: what is started or stopped one after the other, how each step is confirmed, and the way back.

A site holds its sequences as data (`models.site.sequences` reads them); whoever runs one works from these. A run keeps
the definition that it was started with, so each has its JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from models.site.model import Name

Look = Callable[[str], float | None]
"""What a point is now, by its path, in its unit; None when that is not known: never told, stale or bad."""


class Direction(StrEnum):
    """Which way a sequence goes: a start is warned of, and what it has started must stay so."""

    START = "start"
    STOP = "stop"


class OnFailure(StrEnum):
    """What follows when a step fails: the abort path, or to stay as it is until a person decides."""

    ABORT = "abort"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true of `point` (a path) for `lasting_s`. With `of`, another path, it is the share of that point's
    value that is compared. `one_of`: empty unless it is a state that is asked for."""

    point: str
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[float, ...] = ()
    of: str = ""
    lasting_s: float = 0.0

    def met(self, look: Look) -> bool | None:
        """Whether it is true now; None when nobody knows."""
        value = look(self.point)
        if value is None:
            return None
        if self.of:
            whole = look(self.of)
            if whole is None or whole == 0.0:
                return None
            value /= whole
        if self.one_of:
            return value in self.one_of
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    def text(self) -> str:
        """As a person reads it: `belt_101/speed ≥ 95 % of belt_101/speed_set, 5 s`."""
        parts = []
        if self.one_of:
            parts.append("= " + " | ".join(f"{value:g}" for value in self.one_of))
        for sign, bound in (("≥", self.at_least), ("≤", self.at_most)):
            if bound is not None:
                parts.append(f"{sign} {100 * bound:g} % of {short(self.of)}" if self.of else f"{sign} {bound:g}")
        lasting = f", {self.lasting_s:g} s" if self.lasting_s else ""
        return f"{short(self.point)} {' '.join(parts)}{lasting}"


@dataclass(frozen=True, slots=True)
class Emptying:
    """A conveyor runs on until what lies on it has left: its speed (m/s, a path) has covered `length_m`, and then for
    another `margin_s` (L/v + margin; by the way covered it holds also while the speed changes). Nothing comes from one
    that stands for that long."""

    speed: str
    length_m: float
    margin_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """`commands`: (path, value) in order. It is confirmed once all conditions of `until` (or any of them) have held
    for their time, the conveyor has run empty, or `wait_s` have passed, and fails after `within_s`. `keep`: what must
    stay true from its confirmation to the end of the run."""

    id: str
    name: Name
    commands: tuple[tuple[str, float], ...] = ()
    until: tuple[Condition, ...] = ()
    any_of: bool = False
    empties: Emptying | None = None
    wait_s: float = 0.0
    keep: tuple[Condition, ...] = ()
    within_s: float = 60.0
    on_failure: OnFailure = OnFailure.ABORT


@dataclass(frozen=True, slots=True)
class Sequence:
    """`needs`: what must be true for it to begin; `warn`: commands at the beginning of the warning of `warning_s`;
    `abort`: the way back, whose steps are all tried, whatever becomes of each."""

    id: str
    name: Name
    direction: Direction
    steps: tuple[Step, ...]
    abort: tuple[Step, ...]
    needs: tuple[Condition, ...] = ()
    warning_s: float = 0.0
    warn: tuple[tuple[str, float], ...] = ()
    source: str = ""

    def writes(self) -> frozenset[str]:
        """Every point that it may write, by path: no two runs share one."""
        return frozenset(path for step in (*self.steps, *self.abort) for path, _ in step.commands) | {
            path for path, _ in self.warn
        }

    def points(self) -> frozenset[str]:
        """Every point that it names, by path."""
        return self.writes() | frozenset(_named(self))

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Sequence:
        """The inverse of `as_json`. Raises KeyError, TypeError, ValueError."""
        steps, abort = (tuple(_step(each) for each in found[part]) for part in ("steps", "abort"))
        return Sequence(
            found["id"], Name(**found["name"]), Direction(found["direction"]), steps, abort,
            tuple(_condition(each) for each in found["needs"]), float(found["warning_s"]), _commands(found["warn"]),
            found["source"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """One pump of a rotation: the sequences that start and stop it, when it turns, and the path of its hours run."""

    id: str
    start: str
    stop: str
    running: Condition
    hours: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """Pumps that take turns by the sump's level (path `level`; bounds in its unit) and a tariff's hours."""

    id: str
    name: Name
    level: str
    low: float
    start: float
    high: float
    high_high: float
    tariff: str
    turns: tuple[Turn, ...]
    source: str = ""

    def points(self) -> frozenset[str]:
        """Every point that it looks at, by path."""
        return frozenset({self.level, *(path for turn in self.turns for path in (turn.running.point, turn.hours))})


def short(path: str) -> str:
    """A point's path without the mine."""
    return path.partition("/")[2] or path


def _named(sequence: Sequence) -> Iterator[str]:
    conditions = [*sequence.needs]
    for step in (*sequence.steps, *sequence.abort):
        conditions += [*step.until, *step.keep]
        if step.empties is not None:
            yield step.empties.speed
    for condition in conditions:
        yield condition.point
        if condition.of:
            yield condition.of


def _condition(found: Mapping[str, Any]) -> Condition:
    return Condition(**{**found, "one_of": tuple(found["one_of"])})


def _commands(found: Any) -> tuple[tuple[str, float], ...]:
    return tuple((str(path), float(value)) for path, value in found)


def _step(found: Mapping[str, Any]) -> Step:
    return Step(
        found["id"], Name(**found["name"]), _commands(found["commands"]),
        tuple(_condition(each) for each in found["until"]), bool(found["any_of"]),
        None if found["empties"] is None else Emptying(**found["empties"]), float(found["wait_s"]),
        tuple(_condition(each) for each in found["keep"]), float(found["within_s"]), OnFailure(found["on_failure"]),
    )  # fmt: skip
