"""What each moment of a unit counted as, and which clause decided it: a figure, opened.

The intervals share all the time of a stretch between them, and add up to its figure exactly, reasons included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from models.site.model import Name
from models.spans import NOTHING, Spans
from models.utilisation.figure import TIMES, UNKNOWN, Figure
from models.utilisation.judge import Judged, Said
from models.utilisation.rules import Clause


class Counted(StrEnum):
    """As what a moment counts. `figure` names the same times."""

    INTELLIGENT = "intelligent"
    BY_HAND = "by_hand"
    OPEN = "open"
    BLIND = "blind"
    BLIND_BY_HAND = "blind_by_hand"
    EXCLUDED = "excluded"
    EXCLUDED_INTELLIGENT = "excluded_intelligent"
    EXCLUDED_BY_HAND = "excluded_by_hand"
    STOOD = "stood"
    NOT_PRODUCING = "not_producing"


NAMES = {
    Counted.INTELLIGENT: Name("智能运行，计入", "produced and was intelligent: counted"),
    Counted.BY_HAND: Name("生产但非智能，不计入", "produced by hand: not counted"),
    Counted.OPEN: Name("生产，是否智能不明", "produced, and whether it was intelligent is not known"),
    Counted.BLIND: Name("是否生产不明", "whether it produced is not known"),
    Counted.BLIND_BY_HAND: Name(
        "是否生产不明，若生产则非智能", "whether it produced is not known; if it did, it was by hand"
    ),
    Counted.EXCLUDED: Name("已批准剔除的时段", "left out by an approved ticket"),
    Counted.EXCLUDED_INTELLIGENT: Name(
        "已批准剔除，但在智能生产", "left out by an approved ticket, though it produced and was intelligent"
    ),
    Counted.EXCLUDED_BY_HAND: Name(
        "已批准剔除，但在生产且非智能",
        "left out by an approved ticket, though it produced, and not known to be intelligent",
    ),
    Counted.STOOD: Name("另有信号证明未生产", "another signal proves that it did not produce"),
    Counted.NOT_PRODUCING: Name("未生产", "did not produce"),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """[start, end) µs UTC. `clause`: what decided: the first that did not hold, or of which it is not known whether it
    did; None where all held, and where no clause was asked. `unsure`: so near to a change that it may have been
    otherwise."""

    start: int
    end: int
    counted: Counted
    clause: Clause | None = None
    unsure: bool = False

    @property
    def us(self) -> int:
        return self.end - self.start

    @property
    def reason(self) -> str | None:
        """As `Figure.reasons` names it; None of time that is no part of these."""
        if self.counted is Counted.OPEN:
            return UNKNOWN
        return self.clause.key if self.counted is Counted.BY_HAND and self.clause is not None else None

    @property
    def words(self) -> Name:
        """Why it counts as it does."""
        said = self._said
        if not self.unsure:
            return said
        return Name(
            f"{said.zh}（临近变化或为人工录入，可能有出入）",
            f"{said.en} (near to a change or entered by a person: it may have been otherwise)",
        )

    @property
    def _said(self) -> Name:
        name = NAMES[self.counted]
        if self.clause is None:
            return name
        otherwise = self.clause.otherwise
        if self.counted in _NOT_KNOWN:
            return Name(f"{name.zh}：无法判断是否“{otherwise.zh}”", f"{name.en}: nothing tells whether {otherwise.en}")
        return Name(f"{name.zh}：{otherwise.zh}", f"{name.en}: {otherwise.en}")


_NOT_KNOWN = frozenset({Counted.OPEN, Counted.BLIND, Counted.BLIND_BY_HAND})


def intervals(judged: Judged, start: int, end: int, excluded: Spans = NOTHING) -> list[Interval]:
    """All of [start, end) by time, no two neighbours alike; `excluded` as in `figure`."""
    found = [
        Interval(begin, finish, counted, clause, unsure)
        for whole, counted, clause in _parts(judged, start, end, excluded)
        for unsure, spans in _doubted(whole, judged, counted)
        for begin, finish in spans.pairs()
    ]
    return sorted(found, key=lambda each: each.start)


def added(of: Iterable[Interval]) -> Figure:
    """The figure that intervals of one unit add up to."""
    many = [*of]
    times: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for each in many:
        times[each.counted] += each.us
        if each.counted in _PRODUCED:
            times[Counted.EXCLUDED] += each.us
        if each.unsure:
            times[_UNSURE[each.counted]] += each.us
        if (reason := each.reason) is not None:
            reasons[reason] += each.us
    of_figure = {name: times[name] for name in TIMES if name != "calendar"}
    return Figure(**of_figure, calendar=sum(each.us for each in many), reasons=dict(sorted(reasons.items())))


_PRODUCED = (Counted.EXCLUDED_INTELLIGENT, Counted.EXCLUDED_BY_HAND)
"""Parts of what is excluded."""
_UNSURE = {
    Counted.INTELLIGENT: "unsure",
    Counted.BY_HAND: "unsure_by_hand",
    Counted.NOT_PRODUCING: "unsure_idle",
}
"""As `figure` names the part of each that may have been otherwise."""


def _doubted(whole: Spans, judged: Judged, counted: Counted) -> Iterator[tuple[bool, Spans]]:
    """What of it is sure, and what is not."""
    produced, by_itself = judged.produced.doubt, judged.by_itself.doubt
    doubt = NOTHING
    if counted in _UNSURE:
        doubt = produced if counted is Counted.NOT_PRODUCING else produced | by_itself
    yield False, whole - doubt
    yield True, whole & doubt


def _parts(judged: Judged, start: int, end: int, excluded: Spans) -> Iterator[tuple[Spans, Counted, Clause | None]]:
    out, asked = excluded.within(start, end), excluded.gaps(start, end)
    produced, by_itself = judged.produced, judged.by_itself
    yield out - produced.yes, Counted.EXCLUDED, None
    yield out & produced.yes & by_itself.yes, Counted.EXCLUDED_INTELLIGENT, None
    yield (out & produced.yes) - by_itself.yes, Counted.EXCLUDED_BY_HAND, None
    yield from _denied(asked & produced.no, judged.producing, Counted.NOT_PRODUCING)
    known = asked & produced.yes
    yield known & by_itself.yes, Counted.INTELLIGENT, None
    yield from _denied(known & by_itself.no, judged.intelligent, Counted.BY_HAND)
    yield from _untold(known - by_itself.known, judged.intelligent, Counted.OPEN)
    dark = asked - produced.known
    yield dark & judged.stood, Counted.STOOD, None
    dark = dark - judged.stood
    certain = by_itself.no - by_itself.doubt
    yield from _untold(dark & certain, judged.producing, Counted.BLIND_BY_HAND)
    yield from _untold(dark - certain, judged.producing, Counted.BLIND)


def _denied(rest: Spans, said: Said, counted: Counted) -> Iterator[tuple[Spans, Counted, Clause | None]]:
    """By the first clause that did not hold."""
    for clause, verdict in said:
        yield rest & verdict.no, counted, clause
        rest = rest - verdict.no


def _untold(rest: Spans, said: Said, counted: Counted) -> Iterator[tuple[Spans, Counted, Clause | None]]:
    """By the first clause of which nobody knows whether it held."""
    for clause, verdict in said:
        yield rest - verdict.known, counted, clause
        rest = rest & verdict.known
