"""What decided: the values that a clause looks at for one instant, with their times.

A condition that looks back (`recently`, `begun`) is answered with what was said where it looked; of several parts only
those are told that made the whole what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.site.model import Point
from models.utilisation.conditions import (
    Above,
    All,
    Any_,
    Begun,
    Condition,
    During,
    Follow,
    Is,
    Lasting,
    Not,
    Recently,
)
from models.utilisation.judge import UnitFacts
from models.utilisation.signal import Signal, hold
from models.utilisation.units import Unit
from models.utilisation.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Value:
    """What a point said, looked at at `at`, µs UTC like all times. `value`: that held then, None where nobody knows;
    `told_at`: when the newest was told, as far as the signal knows, None where none was; `good`: whether that one is;
    `since`: since when it says the same of the condition, or has been unknown; `from_start`: it did so already when
    what was read begins; `holds`: whether the condition holds by it; `level`: that it is measured by, in its unit;
    `wanted`: states that it asks for; `entered`: a person entered it, the
    machine did not tell it."""

    point: Point
    at: int
    value: float | None
    told_at: int | None
    good: bool
    since: int | None
    from_start: bool
    holds: bool | None
    level: float | None = None
    wanted: tuple[int, ...] = ()
    entered: bool = False

    @property
    def hold_us(self) -> int:
        """How long a value holds at most."""
        return hold(self.point)


@dataclass(frozen=True, slots=True)
class Missing:
    """The site has no point of this role."""

    role: str
    of: str


@dataclass(frozen=True, slots=True)
class Moves:
    """Of the last `count` moves of supports near the shearer, or of the first where there had not been `least` of them
    yet, `automatic` were begun by the automatic follow-up; a part of `share` is asked for, of at least `least`. So many
    more since the first of them are `unsure`: they may have been moves that count, or may have begun while the
    supports were not heard. `points`: of who began them."""

    at: int
    count: int
    automatic: int
    share: float
    least: int
    points: tuple[Point, ...]
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Whether an event of that kind lasted."""

    at: int
    kind: str
    lasted: bool


Witness = Value | Missing | Moves | Event


def witnesses(condition: Condition, facts: UnitFacts, unit: Unit, at: int) -> tuple[Witness, ...]:
    """What decided whether a condition held of a unit at an instant (µs UTC), each once."""
    found: list[Witness] = []
    for witness in _Asked(facts, unit).of(condition, at):
        if witness not in found:
            found.append(witness)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    facts: UnitFacts
    unit: Unit

    def of(self, condition: Condition, at: int) -> Iterator[Witness]:
        match condition:
            case Is() | Above():
                yield from self._values(condition, at)
            case Recently():
                yield from self.of(condition.recently, self._looked_back(condition, at))
            case Begun():
                yield from self._begun(condition, at)
            case During():
                yield Event(at, condition.during, _says(condition.judge(self.facts), at) is True)
            case Follow():
                yield from self._moves(condition, at)
            case All() | Any_() | Not() | Lasting():
                yield from self._parts(condition, at)

    def _parts(self, condition: Condition, at: int) -> Iterator[Witness]:
        """One part that does not hold makes all of them not hold, one that does any of them: those alone are told."""
        parts = [*condition.parts()]
        if isinstance(condition, All | Any_):
            whole = _says(condition.judge(self.facts), at)
            if whole is not isinstance(condition, All):
                parts = [part for part in parts if _says(part.judge(self.facts), at) is whole] or parts
        for part in parts:
            yield from self.of(part, at)

    def _looked_back(self, condition: Recently, at: int) -> int:
        """The newest instant that makes it hold, or unknown."""
        inner = condition.recently.judge(self.facts)
        whole = _says(condition.judge(self.facts), at)
        if whole is False:
            return at
        from_, until = at - round(condition.s * 1e6), at + 1
        found = inner.yes.within(from_, until) if whole else inner.known.gaps(from_, until)
        return int(found.end[-1]) - 1 if len(found) else at

    def _begun(self, condition: Begun, at: int) -> Iterator[Witness]:
        """What was said when the run began; where that is not known, what hides it."""
        run = condition.run.judge(self.facts)
        number = int(run.yes.at(np.array([at]))[0])
        if number < 0:
            yield from self.of(condition.run, at)
            return
        start = int(run.yes.start[number])
        if _says(run, start - 1) is None:
            yield from self.of(condition.run, start - 1)
        else:
            yield from self.of(condition.begun, start)

    def _moves(self, condition: Follow, at: int) -> Iterator[Witness]:
        moves = condition.counted(self.facts)
        if moves is None:
            for role, of in sorted(condition.reads()):
                if not self.unit.points.get((role, of)):
                    yield Missing(role, of)
            return
        sure = moves.where(moves.sure)
        count = max(int((sure.ts <= at).sum()), condition.least)
        automatic: NDArray[np.bool_] = sure.automatic[:count][-condition.last :]
        since = int(sure.ts[:count][-condition.last :][0]) if len(automatic) else at
        doubtful = np.append(moves.ts[~moves.sure], condition.lost(self.facts))
        unsure = int(((doubtful >= since) & (doubtful <= at)).sum())
        points = tuple(
            point for (role, of), many in self.unit.points.items() if of == condition.follow for point in many
            if role == "support.action_source"
        )  # fmt: skip
        yield Moves(at, len(automatic), int(automatic.sum()), condition.share, condition.least, points, unsure)

    def _values(self, condition: Is | Above, at: int) -> Iterator[Witness]:
        """Of several points those that made the whole what it is."""
        found = [*self._each(condition, at)]
        whole = _says(condition.judge(self.facts), at)
        if whole is not (condition.points == "all"):
            found = [each for each in found if isinstance(each, Value) and each.holds is whole] or found
        yield from found

    def _each(self, condition: Is | Above, at: int) -> Iterator[Witness]:
        pair = condition.role, condition.of or ""
        points = self.unit.points.get(pair, ())
        if not points:
            yield Missing(*pair)
        signals = zip(points, self.facts.signals(*pair), self.facts.entered(*pair), strict=True)
        for point, signal, entered in signals:
            if isinstance(condition, Is):
                holds = np.isin(signal.value, condition.is_)
                value = _value(point, signal, at, holds, signal.value, None, condition.is_)
            else:
                level = condition.level(self.facts)
                over = np.abs(signal.value) > level
                known = None if np.isnan(level) else level
                value = _value(point, signal, at, over, over.astype(np.float64), known, ())
            yield replace(value, entered=bool(entered.at(np.array([at]))[0] >= 0))


def _value(
    point: Point,
    signal: Signal,
    at: int,
    holds: NDArray[np.bool_],
    same: NDArray[np.float64],
    level: float | None,
    wanted: tuple[int, ...],
) -> Value:
    """`same` [n]: what must not change for it to say the same."""
    last = int(np.searchsorted(signal.ts, at, "right")) - 1
    if last < 0:
        return Value(point, at, None, None, False, None, True, None, level, wanted)
    good, end = bool(signal.good[last]), int(signal.end[last])
    if good and at >= end:  # silent: what held last has run out
        told = end - hold(point)
        return Value(point, at, None, told, True, end, False, None, level, wanted)
    ends, is_good, same = signal.end[:last], signal.good[: last + 1], same[: last + 1]
    turned = (is_good[1:] != is_good[:-1]) | (is_good[1:] & (same[1:] != same[:-1]))
    turned |= is_good[1:] & (ends < signal.ts[1 : last + 1])
    begins = np.flatnonzero(turned)
    first = int(begins[-1]) + 1 if len(begins) else 0
    return Value(
        point,
        at,
        float(signal.value[last]) if good else None,
        int(signal.ts[last]),
        good,
        int(signal.ts[first]),
        first == 0,
        bool(holds[last]) if good and (level is not None or wanted) else None,
        level,
        wanted,
    )


def _says(verdict: Verdict, at: int) -> bool | None:
    instant = np.array([at])
    if verdict.yes.at(instant)[0] >= 0:
        return True
    return False if verdict.no.at(instant)[0] >= 0 else None
