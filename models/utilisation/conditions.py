"""The conditions that rules are written in, and what each says over time of the signals of one unit.

A condition names roles, never tags. Where several points have a role (two cutting motors), any of them does, or with
`points: all` each of them must. A role that the unit has no point of leaves the condition unknown for all time: what is
not measured is not assumed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Tag

from models.spans import EVER, NOTHING, Spans, covered
from models.thing import Number, Strict, Text
from models.utilisation import follow
from models.utilisation.follow import Moves
from models.utilisation.signal import Signal
from models.utilisation.verdict import UNKNOWN, Verdict, all_of, any_of

States = Annotated[tuple[Annotated[int, Field(ge=0, le=65_535)], ...], Field(min_length=1)]
Seconds = Annotated[Number, Field(ge=0, le=86_400)]
Reach = tuple[int, int]
"""µs before and after a time: what must be looked at to know what held in it."""

BEGUN_US = 7 * 86_400_000_000
"""How far back the beginning of a run is looked for: what runs longer than a week without a stop has none."""
FOLLOW_US = 12 * 3_600_000_000
"""How far back the last moves of supports are looked for."""


class Facts(ABC):
    """What a condition is judged by: the signals of one unit by role, and what its equipment is rated at."""

    @abstractmethod
    def signals(self, role: str, of: str) -> Sequence[Signal]:
        """Of the unit itself ("") or of what belongs to it by that name; none where there is no such point."""

    def late(self, role: str, of: str) -> Sequence[tuple[int, int]]:
        """Of each of these signals, µs: how long after a change it may be told, and for how long a value holds though
        none comes."""
        return [(0, 0)] * len(self.signals(role, of))

    def entered(self, role: str, of: str) -> Sequence[Spans]:
        """Of each of these signals: when what it says was entered by a person, and not told by the machine."""
        return [NOTHING] * len(self.signals(role, of))

    @abstractmethod
    def rated(self, role: str, of: str) -> float:
        """What that quantity is rated at; NaN where nobody said."""

    @abstractmethod
    def records(self, kind: str) -> Spans:
        """When events of that kind lasted."""

    def breaks(self) -> NDArray[np.int64]:
        """Instants, rising, at which all that was before is of no matter: where one day follows on another that it has
        nothing to do with (`abreast`)."""
        return follow.NEVER


class Condition(Strict, ABC):
    """One condition. `roles()`: (role, of whom) that it reads."""

    @abstractmethod
    def judge(self, facts: Facts) -> Verdict: ...

    @abstractmethod
    def parts(self) -> Iterator[Condition]:
        """The conditions that it is made of."""

    def reads(self) -> set[tuple[str, str]]:
        """(role, of whom) of all that it needs."""
        return {pair for part in self.parts() for pair in part.reads()}

    def wishes(self) -> set[tuple[str, str]]:
        """(role, of whom) of what makes it more exact where it is measured."""
        return {pair for part in self.parts() for pair in part.wishes()}

    def kinds(self) -> dict[str, int]:
        """The kinds of events that it asks for → how long one of each lasts at most, µs."""
        return longest(part.kinds() for part in self.parts())

    def reach(self) -> Reach:
        """How far around a time it looks; without how long values hold."""
        return furthest(part.reach() for part in self.parts())


def furthest(reaches: Iterable[Reach]) -> Reach:
    """As far as any of them."""
    known = [(0, 0), *reaches]
    return max(before for before, _ in known), max(after for _, after in known)


def longest(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Of each kind the most that any of them allows."""
    found: dict[str, int] = {}
    for kind, us in sorted(pair for each in many for pair in each.items()):
        found[kind] = us
    return found


class _Atom(Condition):
    role: Text
    of: Text | None = None
    """What belongs to the unit and has the point: one of the category's `with`; by default the unit itself."""
    points: Literal["any", "all"] = "any"

    def parts(self) -> Iterator[Condition]:
        return iter(())

    def reads(self) -> set[tuple[str, str]]:
        return {(self.role, self.of or "")}

    def _judge(self, facts: Facts, holds: Callable[[Signal], NDArray[np.bool_]]) -> Verdict:
        of = self.of or ""
        signals = zip(
            facts.signals(self.role, of), facts.late(self.role, of), facts.entered(self.role, of), strict=True
        )
        found = [signal.where(holds(signal)).doubted(*late).marked(entered) for signal, late, entered in signals]
        return (all_of if self.points == "all" else any_of)(found) if found else UNKNOWN


class Is(_Atom):
    """A state is one of these."""

    is_: States = Field(alias="is")

    def judge(self, facts: Facts) -> Verdict:
        return self._judge(facts, lambda signal: np.isin(signal.value, self.is_))


class Above(_Atom):
    """The magnitude of a quantity is over a level: in its role's unit, or as a part of what it is rated at."""

    above: Annotated[Number, Field(ge=0)] | None = None
    above_rated: Annotated[Number, Field(gt=0, le=2)] | None = None

    def level(self, facts: Facts) -> float:
        """In the role's unit; NaN where nobody said what it is a part of."""
        if self.above_rated is not None:
            return self.above_rated * facts.rated(self.role, self.of or "")
        return math.nan if self.above is None else self.above

    def judge(self, facts: Facts) -> Verdict:
        level = self.level(facts)
        if math.isnan(level):
            return UNKNOWN
        return self._judge(facts, lambda signal: np.abs(signal.value) > level)


class All(Condition):
    all: Annotated[tuple[AnyCondition, ...], Field(min_length=1)]

    def parts(self) -> Iterator[Condition]:
        return iter(self.all)

    def judge(self, facts: Facts) -> Verdict:
        return all_of(part.judge(facts) for part in self.all)


class Any_(Condition):  # noqa: N801 - `Any` is typing's
    any: Annotated[tuple[AnyCondition, ...], Field(min_length=1)]

    def parts(self) -> Iterator[Condition]:
        return iter(self.any)

    def judge(self, facts: Facts) -> Verdict:
        return any_of(part.judge(facts) for part in self.any)


class Not(Condition):
    not_: AnyCondition = Field(alias="not")

    def parts(self) -> Iterator[Condition]:
        yield self.not_

    def judge(self, facts: Facts) -> Verdict:
        return ~self.not_.judge(facts)


class Recently(Condition):
    """It holds, or did within the last `s` seconds."""

    recently: AnyCondition
    s: Seconds

    def parts(self) -> Iterator[Condition]:
        yield self.recently

    def judge(self, facts: Facts) -> Verdict:
        return self.recently.judge(facts).recently(round(self.s * 1e6))

    def reach(self) -> Reach:
        before, after = self.recently.reach()
        return before + round(self.s * 1e6), after


class Lasting(Condition):
    """It holds for longer than `s` seconds on end; from its beginning on. What is interrupted for no longer than
    `through` seconds goes on."""

    lasting: AnyCondition
    s: Seconds
    through: Seconds = 0

    def parts(self) -> Iterator[Condition]:
        yield self.lasting

    def judge(self, facts: Facts) -> Verdict:
        holds = self.lasting.judge(facts)
        if self.through:
            holds = holds.through(round(self.through * 1e6))
        return holds.lasting(round(self.s * 1e6))

    def reach(self) -> Reach:
        before, after = self.lasting.reach()
        far = round((self.s + self.through) * 1e6)
        return before + far, after + far


class Begun(Condition):
    """What held when the present run began; a run: for as long as `run` holds."""

    begun: AnyCondition
    run: AnyCondition

    def parts(self) -> Iterator[Condition]:
        yield from (self.begun, self.run)

    def judge(self, facts: Facts) -> Verdict:
        found = self.begun.judge(facts).when_begun(self.run.judge(facts))
        entered = [spans for pair in sorted(self.begun.reads()) for spans in facts.entered(*pair)]
        return found.begun_in(covered(entered, 1)) if entered else found

    def reach(self) -> Reach:
        before, after = furthest(part.reach() for part in self.parts())
        return before + BEGUN_US, after


class During(Condition):
    """An event of that kind lasts: until its end, which may not have been recorded, or for `longest` seconds, which no
    true one lasts beyond. What is not recorded did not happen."""

    during: Text
    longest: Annotated[Number, Field(gt=0, le=86_400)]

    def parts(self) -> Iterator[Condition]:
        return iter(())

    def kinds(self) -> dict[str, int]:
        return {self.during: round(self.longest * 1e6)}

    def judge(self, facts: Facts) -> Verdict:
        lasts = facts.records(self.during)
        return Verdict(lasts, lasts.gaps(-EVER, EVER))


class Follow(Condition):
    """Of the last moves of supports near the shearer, enough were begun by the automatic follow-up (跟机).

    `follow`: the supports, one of the category's `with`, in the order of the face. A move counts from `ahead` supports
    before the shearer to `behind` supports after it, but not at the `ends`, which are worked by hand as a rule (at most
    a part `ends_share` of the face at each), nor one of an action code in `besides` (pressing up moves nothing), nor
    one that began while the shearer was under local control or inspection, which counts as by hand anyway. Of the
    `last` such moves at least `share` must be automatic. No change of a mode makes those before it forgotten: who
    changes it often would never be judged. Fewer than `least` are too few to judge: unknown."""

    follow: Text
    share: Annotated[Number, Field(gt=0, le=1)]
    ahead: Annotated[int, Field(ge=0, le=400)]
    behind: Annotated[int, Field(ge=0, le=400)]
    ends: Annotated[int, Field(ge=0, le=100)]
    ends_share: Annotated[Number, Field(gt=0, lt=0.5)]
    last: Annotated[int, Field(ge=1, le=1000)]
    least: Annotated[int, Field(ge=1, le=1000)]
    besides: tuple[int, ...] = ()

    def parts(self) -> Iterator[Condition]:
        return iter(())

    def reads(self) -> set[tuple[str, str]]:
        of_supports = (follow.SOURCE, *((follow.CODE,) if self.besides else ()))
        return {(role, self.follow) for role in of_supports} | {(role, "") for role in follow.OF_SHEARER}

    def wishes(self) -> set[tuple[str, str]]:
        return {(follow.MODE, "")}

    def reach(self) -> Reach:
        return FOLLOW_US, follow.SETTLED_US

    def judge(self, facts: Facts) -> Verdict:
        if (moves := self.counted(facts)) is None:
            return UNKNOWN
        heard, breaks = self._heard(facts), facts.breaks()
        said = follow.share(moves, follow.lost(heard, breaks, self.last), breaks, self.last, self.least, self.share)
        late = [*facts.late(follow.SOURCE, self.follow), *facts.late(follow.OF_SHEARER[0], "")]
        change, silence = (max(of) for of in zip(*late, strict=True))
        return Verdict(said.yes & heard, said.no & heard).doubted(change, silence)

    def lost(self, facts: Facts) -> NDArray[np.int64]:
        """When moves are told at the latest that may have begun while the supports were not heard."""
        return follow.lost(self._heard(facts), facts.breaks(), self.last)

    def _heard(self, facts: Facts) -> Spans:
        return follow.heard(facts.signals(follow.SOURCE, self.follow))

    def counted(self, facts: Facts) -> Moves | None:
        """The moves that count, or may; None where the unit does not tell of moves."""
        sources, codes = (facts.signals(role, self.follow) for role in (follow.SOURCE, follow.CODE))
        position, direction = (facts.signals(role, "") for role in follow.OF_SHEARER)
        if not sources or len(codes) not in (0, len(sources)) or not position or not direction:
            return None
        moves = follow.moves(sources, codes, position[0], direction[0], self.besides, facts.breaks())
        placed = ~np.isnan(moves.behind)
        near = ~placed | ((-self.ahead <= moves.behind) & (moves.behind <= self.behind))
        ends = min(self.ends, int(self.ends_share * len(sources)))
        between = (moves.support >= ends) & (moves.support < len(sources) - ends)
        counted = moves.known(placed).where(near & between)
        for mode in facts.signals(follow.MODE, ""):
            told = mode.at(counted.ts)
            counted = counted.known(~np.isnan(told)).where(~np.isin(told, follow.BY_HAND))
        return counted


_KEYS: Mapping[str, str] = {
    "is": "is", "above": "above", "above_rated": "above", "all": "all", "any": "any", "not": "not",
    "recently": "recently", "lasting": "lasting", "begun": "begun", "during": "during", "follow": "follow",
}  # fmt: skip


def _which(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((kind for key, kind in _KEYS.items() if key in value), None)
    return None


AnyCondition = Annotated[
    Annotated[Is, Tag("is")]
    | Annotated[Above, Tag("above")]
    | Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Recently, Tag("recently")]
    | Annotated[Lasting, Tag("lasting")]
    | Annotated[Begun, Tag("begun")]
    | Annotated[During, Tag("during")]
    | Annotated[Follow, Tag("follow")],
    Discriminator(
        _which,
        custom_error_type="condition",
        custom_error_message="a condition has one of the keys is, above, above_rated, all, any, not, recently, "
        "lasting, begun, during, follow",
    ),
]

for model in (All, Any_, Not, Recently, Lasting, Begun):
    model.model_rebuild()
