"""What the routes of figures answer. Shares are from 0 to 1, null where nothing is known; times are seconds."""

from __future__ import annotations

from pydantic import BaseModel

from middleplatform.api.schemas import Words


class Seconds(BaseModel):
    """`calendar`: all of it; `available`: without what was `excluded`; `producing`: known to have produced, of which
    `intelligent`, `by_hand`, or `open` (nobody knows how); `blind`: it is not known whether it produced; `idle`: it is
    known not to have. `available` is `producing`, `blind` and `idle`."""

    calendar: float
    available: float
    excluded: float
    excluded_producing: float
    excluded_by_hand: float
    producing: float
    intelligent: float
    by_hand: float
    idle: float
    open: float
    blind: float


class OutputFacts(BaseModel):
    """The output-weighted form: what was made in intelligent and in other producing time."""

    rate: float | None
    by_itself: float
    otherwise: float
    unit: str


class FigureFacts(BaseModel):
    """`least`, `most`: between which the true rate lies."""

    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    assessable: bool
    seconds: Seconds
    output: OutputFacts | None


class CategoryFacts(FigureFacts):
    key: str
    name: Words
    weight: float
    units: int


class NormalisedFacts(BaseModel):
    """Of a face in a month: `days` on which its utilisation was at least `share`, of `producing` on which it produced;
    `needed` of them make it normalised."""

    unit: str
    name: Words
    days: int
    producing: int
    share: float
    needed: int
    met: bool


class WhyFacts(BaseModel):
    reason: str
    category: str
    coverage: float | None
    missing: int


class PeriodFacts(BaseModel):
    """`period`: "2026-03-02", "2026-03", "2026", or "" for the whole range; `missing`: days that were not made;
    `provisional`: a day in it is not over; `standing`: "met", "missed", "not_assessable", or "part" where the caller
    sees a part of the mine, which has no target; `why`: where it is not assessable, in one sentence `why_words`;
    `made_at`: when the newest of its days was made, µs UTC, null where none is kept;
    `absent`: categories of the rules that the mine has not, `idle`: those that did not produce: neither is in the mean;
    `sites`, `rules`: the versions."""

    period: str
    first: str
    last: str
    days: int
    missing: int
    provisional: bool
    made_at: int | None
    rate: float | None
    least: float | None
    most: float | None
    coverage: float | None
    standing: str
    below: list[str]
    absent: list[str]
    idle: list[str]
    doubtful: list[str]
    why: list[WhyFacts]
    why_words: Words
    rules: list[str]
    sites: list[str]
    categories: list[CategoryFacts]
    normalised: list[NormalisedFacts]


class Trouble(BaseModel):
    zh: str
    en: str


class MineFacts(BaseModel):
    """`partial`: made of the units that the caller may see, not of all; `trouble`: why figures may be stale."""

    mine: str
    name: Words
    shift: str
    partial: bool
    trouble: list[Trouble]
    periods: list[PeriodFacts]


class ReasonFacts(BaseModel):
    """Time that did not count, by the first clause that kept it from counting; "unknown": nobody knows."""

    clause: str
    words: Words
    seconds: float


class UnitFacts(FigureFacts):
    """`lacks`: clauses that can never be known of it, as the site has not all of their points; `day`: where it is
    of one by itself; `provisional`: whether that was not over when it was made."""

    day: str | None
    provisional: bool | None
    category: str
    id: str
    name: Words
    equipment: list[str]
    lacks: list[str]
    reasons: list[ReasonFacts]
    shifts: dict[str, float | None]


class UnitList(BaseModel):
    """Of `days` of the mine, of which `missing` are not kept and one is not over where `provisional`; of those that are
    missing all of each unit's time is `blind`, but where each day is told by itself. `made_at`: when the newest of
    them was made, µs UTC, null where none is kept."""

    first: str
    last: str
    days: int
    missing: int
    provisional: bool
    made_at: int | None
    trouble: list[Trouble]
    units: list[UnitFacts]


class RevisionFacts(BaseModel):
    """`superseded`: when another one took its place, null of the newest. Times ISO 8601 UTC and µs."""

    day: str
    section: str
    revision: int
    provisional: bool
    made: str
    made_us: int
    superseded: str | None
    superseded_us: int | None
    rules: str
    rules_digest: str
    site: str
    program: str
    digest: str


class RevisionList(BaseModel):
    revisions: list[RevisionFacts]
