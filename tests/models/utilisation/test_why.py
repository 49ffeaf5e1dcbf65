"""A figure, opened: its intervals share the time, and add up to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from models.spans import Spans
from models.utilisation.figure import figure
from models.utilisation.judge import Judged, Said
from models.utilisation.why import Counted, added, intervals
from tests.models.utilisation.test_figure import judged
from tests.models.utilisation.test_verdict import END, Line, line

flags = st.lists(st.booleans(), min_size=END, max_size=END)


def spans(of: list[bool]) -> Spans:
    return Spans.of((n, n + 1) for n in range(END) if of[n])


def doubtful(said: Said, near: list[bool]) -> Said:
    return tuple((clause, replace(verdict, doubt=spans(near))) for clause, verdict in said)


@given(line, line, line, flags, flags, flags, flags, st.integers(0, END - 1), st.integers(1, END))
@settings(max_examples=30)
def test_they_share_the_stretch_and_add_up_to_its_figure(
    producing: Line,
    first: Line,
    second: Line,
    stood: list[bool],
    out: list[bool],
    near: list[bool],
    nearer: list[bool],
    start: int,
    end: int,
) -> None:
    """Also where what is said so near to a change is in doubt."""
    start, end = min(start, end - 1), max(start + 1, end)
    sure = judged(producing, first, second, spans(stood))
    of = Judged(doubtful(sure.producing, near), doubtful(sure.intelligent, nearer), sure.stood)
    found = intervals(of, start, end, spans(out))
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all((a.counted, a.clause, a.unsure) != (b.counted, b.clause, b.unsure) for a, b in pairwise(found))
    assert added(found) == figure(of, start, end, spans(out))


@given(line, line, line, flags, flags)
@settings(max_examples=30)
def test_each_instant_is_as_a_plain_reading_of_the_rules_has_it(
    producing: Line, first: Line, second: Line, stood: list[bool], out: list[bool]
) -> None:
    found = intervals(judged(producing, first, second, spans(stood)), 0, END, spans(out))
    for n, (p, a, b, s, x) in enumerate(zip(producing, first, second, stood, out, strict=True)):
        each = next(one for one in found if one.start <= n < one.end)
        key = each.clause and each.clause.key
        if x:
            produced = Counted.EXCLUDED_INTELLIGENT if a and b else Counted.EXCLUDED_BY_HAND
            expected = produced if p else Counted.EXCLUDED, None
        elif p is False:
            expected = Counted.NOT_PRODUCING, "first"
        elif p is None and s:
            expected = Counted.STOOD, None
        elif p is None:
            expected = (Counted.BLIND_BY_HAND if False in (a, b) else Counted.BLIND), "first"
        elif a and b:
            expected = Counted.INTELLIGENT, None
        elif False in (a, b):
            expected = Counted.BY_HAND, "first" if a is False else "second"
        else:
            expected = Counted.OPEN, "first" if a is None else "second"
        assert (each.counted, key) == expected
