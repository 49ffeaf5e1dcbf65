"""When one unit produced, when it did so by itself, and what each clause of its category says of every moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.site.model import Point
from models.spans import ALWAYS, NOTHING, Spans, Times
from models.utilisation.conditions import Facts
from models.utilisation.follow import NEVER
from models.utilisation.rules import Category, Clause
from models.utilisation.signal import Signal, hold
from models.utilisation.units import Unit
from models.utilisation.verdict import UNKNOWN, Verdict, all_of

Said = tuple[tuple[Clause, Verdict], ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """`producing`, `intelligent`: what each clause says, in the rules' order; `stood`: when another signal proves that
    it did not produce."""

    producing: Said
    intelligent: Said
    stood: Spans

    @property
    def produced(self) -> Verdict:
        """All clauses of production hold."""
        return together(self.producing)

    @property
    def by_itself(self) -> Verdict:
        """All clauses of intelligence hold."""
        return together(self.intelligent)


def together(said: Said) -> Verdict:
    """All of these; of none, always."""
    return all_of(verdict for _, verdict in said) if said else Verdict(ALWAYS, NOTHING)


class UnitFacts(Facts):
    """The signals of one unit. `read`: a point's signal, each asked for once; `ratings`: (equipment, role) → what the
    site says it is rated at; `events`: kind → when such events of the unit lasted; `breaks`: see `Facts`;
    `entered`: point id → when what it says was entered by a person."""

    def __init__(
        self,
        unit: Unit,
        category: Category,
        read: Callable[[Point], Signal],
        ratings: Mapping[tuple[str, str], float] | None = None,
        events: Mapping[str, Spans] | None = None,
        breaks: Times = NEVER,
        entered: Mapping[int, Spans] | None = None,
    ) -> None:
        self._unit, self._category, self._read = unit, category, read
        self._ratings, self._events, self._breaks = ratings or {}, events or {}, breaks
        self._entered = entered or {}
        self._known: dict[tuple[str, str], tuple[Signal, ...]] = {}

    def signals(self, role: str, of: str) -> Sequence[Signal]:
        key = role, of
        if key not in self._known:
            self._known[key] = tuple(self._read(point) for point in self._unit.points.get(key, ()))
        return self._known[key]

    def late(self, role: str, of: str) -> Sequence[tuple[int, int]]:
        points = self._unit.points.get((role, of), ())
        return [(self._unit.readings.get(point.id, 0), hold(point)) for point in points]

    def entered(self, role: str, of: str) -> Sequence[Spans]:
        return [self._entered.get(point.id, NOTHING) for point in self._unit.points.get((role, of), ())]

    def asks(self, clause: Clause) -> bool:
        """Whether the clause is asked of this unit."""
        return not clause.if_measured or self._unit.measures(clause)

    def rated(self, role: str, of: str) -> float:
        for point in self._unit.points.get((role, of), ()):
            if (own := self._ratings.get((point.equipment, role))) is not None:
                return own
        return self._category.ratings.get(role, float("nan"))

    def records(self, kind: str) -> Spans:
        return self._events.get(kind, NOTHING)

    def breaks(self) -> Times:
        return self._breaks


def judge(category: Category, facts: UnitFacts) -> Judged:
    """All clauses of a category over one unit's signals."""
    producing, intelligent = (
        tuple((clause, clause.when.judge(facts)) for clause in clauses if facts.asks(clause))
        for clauses in (category.producing, category.intelligent)
    )
    stood = category.stood.judge(facts) if category.stood is not None else UNKNOWN
    return Judged(producing, intelligent, stood.yes - stood.doubt)
