"""Figures: what is unknown is counted both ways, times add up, and the rate lies between its bounds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.spans import NOTHING, Spans
from models.utilisation.figure import TIMES, UNKNOWN, Figure, figure, figures
from models.utilisation.judge import Judged
from models.utilisation.rules import Clause
from tests.models.utilisation.test_verdict import END, LATE, Line, line, told_late, verdict

CLAUSES = [
    Clause.model_validate({"key": key, "when": {"role": "run.state", "is": [1]}, "otherwise": {"zh": "否", "en": "no"}})
    for key in ("first", "second")
]


def judged(producing: Line, first: Line, second: Line, stood: Spans = NOTHING) -> Judged:
    intelligent = tuple(zip(CLAUSES, (verdict(first), verdict(second)), strict=True))
    return Judged(((CLAUSES[0], verdict(producing)),), intelligent, stood)


@given(line, line, line, st.lists(st.booleans(), min_size=END, max_size=END))
def test_against_a_count_of_single_instants(producing: Line, first: Line, second: Line, out: list[bool]) -> None:
    excluded = Spans.of((n, n + 1) for n in range(END) if out[n])
    found = figure(judged(producing, first, second), 0, END, excluded)
    plain = dict.fromkeys(TIMES, 0)
    reasons: dict[str, int] = {}
    for p, a, b, x in zip(producing, first, second, out, strict=True):
        plain["calendar"] += 1
        plain["excluded"] += x
        by_itself = False if False in (a, b) else None if None in (a, b) else True
        if x and p:
            plain["excluded_intelligent" if by_itself else "excluded_by_hand"] += 1
        if x or p is False:
            continue
        name = {True: "intelligent", False: "by_hand", None: "open"}[by_itself]
        if p is None:
            name = "blind_by_hand" if by_itself is False else "blind"
        elif by_itself is not True:
            why = "first" if a is False else "second" if b is False else UNKNOWN
            reasons[why] = reasons.get(why, 0) + 1
        plain[name] += 1
    assert found == Figure(**plain, reasons=dict(sorted(reasons.items())))
    assert sum(found.reasons.values()) == found.by_hand + found.open


@given(line, line, line, st.integers(1, END - 1))
def test_a_stretch_is_the_sum_of_its_parts(producing: Line, first: Line, second: Line, cut: int) -> None:
    of = judged(producing, first, second)
    assert figure(of, 0, cut) + figure(of, cut, END) == figure(of, 0, END)


@given(line, line)
def test_however_the_unknown_was_the_true_rate_lies_between_the_bounds(producing: Line, first: Line) -> None:
    known: Line = [True] * END
    found = figure(judged(producing, first, known), 0, END)
    for p in (True, False):
        for i in (True, False):
            lines = (
                [other if one is None else one for one in states] for states, other in ((producing, p), (first, i))
            )
            truth = figure(judged(*lines, known), 0, END)
            if truth.rate is None:
                continue
            assert found.least is not None
            assert found.most is not None
            assert found.least <= truth.rate <= found.most


@given(told_late(), told_late(), told_late())
def test_however_late_a_change_was_told_the_true_rate_lies_between_the_bounds(
    producing: tuple[Line, Line], first: tuple[Line, Line], second: tuple[Line, Line]
) -> None:
    truth = figure(judged(producing[0], first[0], second[0]), 0, END)
    assert (truth.unsure, truth.unsure_by_hand, truth.unsure_idle) == (0, 0, 0)
    late = [verdict(line).doubted(LATE, LATE) for _, line in (producing, first, second)]
    said = Judged(((CLAUSES[0], late[0]),), tuple(zip(CLAUSES, late[1:], strict=True)), NOTHING)
    found = figure(said, 0, END)
    if truth.rate is not None:
        assert found.least is not None
        assert found.most is not None
        assert found.least <= truth.rate <= found.most
    if found.rate is not None:
        assert found.least <= found.rate <= found.most


def test_proof_that_it_stood_is_no_gap() -> None:
    nothing: Line = [None] * END
    blind = figure(judged(nothing, nothing, nothing), 0, END)
    assert (blind.rate, blind.coverage, blind.least, blind.most) == (None, 0.0, 0.0, 1.0)
    proved = figure(judged(nothing, nothing, nothing, Spans.whole(0, END)), 0, END)
    assert (proved.rate, proved.coverage, proved.least, proved.most) == (None, None, None, None)
    assert not proved.assessable(0.9)


@given(line, line, line, st.sets(st.integers(0, END), min_size=2))
def test_several_stretches_at_once_are_each_by_itself(
    producing: Line, first: Line, second: Line, cuts: set[int]
) -> None:
    own, out = judged(producing, first, second, Spans.of([(3, 5)])), Spans.of([(7, 12), (20, 21)])
    edges = sorted(cuts)
    stretches = [*pairwise(edges)][::2]
    assert figures(own, stretches, out) == [figure(own, start, end, out) for start, end in stretches]
