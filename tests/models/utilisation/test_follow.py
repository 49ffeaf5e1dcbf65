"""The supports' moves, found in one pass over all of them, against each support looked at by itself."""

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.quality import GOOD
from models.spans import NOTHING, Spans, deep
from models.utilisation import follow
from models.utilisation.figure import Figure, figure
from models.utilisation.judge import judge
from models.utilisation.signal import Signal
from models.utilisation.verdict import Verdict, all_of
from sevenones.backfill.mine import site_of
from tests.models.utilisation.played import MINES, START
from tests.models.utilisation.test_witness import FACE, Said, Told, every

END, HOLD, BESIDES = 60, 6, (1, 7)
told = st.lists(
    st.tuples(st.integers(0, END - 1), st.sampled_from([0.0, 1.0, 3.0, math.nan]), st.sampled_from([GOOD, GOOD, 0])),
    max_size=20,
)
supports = st.lists(st.tuples(told, told), min_size=1, max_size=4)


def signal(rows: list[tuple[int, float, int]]) -> Signal:
    ts, value, quality = zip(*rows, strict=True) if rows else ((), (), ())
    return Signal.of(np.array(ts, np.int64), np.array(value, float), np.array(quality, np.uint8), HOLD / 2e6)


@settings(max_examples=30)
@given(supports, st.booleans(), told, told)
def test_all_supports_together_are_each_by_itself(rows, coded, position, direction) -> None:
    sources, codes = [signal(own) for own, _ in rows], [signal(own) for _, own in rows]
    found = follow.moves(sources, codes if coded else [], signal(position), signal(direction), BESIDES)
    expected = []
    for number, (source, code) in enumerate(zip(sources, codes, strict=True)):
        known = zip(source.ts.tolist(), source.end.tolist(), source.value, source.good, strict=True)
        for (_, end, value, good), (ts, _, now, good_now) in pairwise([(0, -1, 0.0, False), *known]):
            follows = good and end == ts
            action = code.at(np.array([ts]))[0] if coded else 0
            if good_now and now > 0 and not (follows and now == value) and action not in BESIDES:
                expected.append((ts, number, now == follow.AUTOMATIC, follows and not math.isnan(action)))
    assert list(zip(found.ts, found.support, found.automatic, found.sure, strict=True)) == sorted(expected)
    starts, ends = ([getattr(each, name)[each.good] for each in sources] for name in ("ts", "end"))
    assert follow.heard(sources) == deep(starts, ends, math.ceil(follow.HEARD * len(sources)))


some_moves = st.lists(
    st.tuples(st.integers(0, 40), st.booleans(), st.sampled_from([True, True, False])), max_size=10
).map(sorted)


@settings(max_examples=300)
@given(some_moves, st.integers(3, 6), st.integers(1, 3), st.sampled_from([0.5, 0.7, 0.85]))
def test_what_is_told_holds_whichever_of_the_unsure_moves_count(rows, last, least, enough) -> None:
    ts, automatic, sure = (np.array(column, kind) for column, kind in zip(
        zip(*rows, strict=True) if rows else ((), (), ()), (np.int64, bool, bool), strict=True
    ))  # fmt: skip
    nothing = np.zeros(len(ts))
    found = follow.Moves(ts, nothing.astype(int), automatic, nothing, sure)
    told = follow.share(found, follow.NEVER, follow.NEVER, last, least, enough)
    unsure = np.flatnonzero(~sure)
    every = []
    for counts in product([False, True], repeat=len(unsure)):
        rows_kept = sure.copy()
        rows_kept[unsure] = counts
        kept = replace(found.where(rows_kept), sure=np.ones(int(rows_kept.sum()), bool))
        every.append(follow.share(kept, follow.NEVER, follow.NEVER, last, least, enough))
    after = int(ts[sure][least - 1]) if sure.sum() >= least else 0
    for of in every:
        assert told.yes - of.yes == NOTHING and told.no - of.no == NOTHING
    both = all_of(every), all_of(~each for each in every)
    assert told.yes.within(after, 100) == both[0].yes.within(after, 100), "nothing that is known is left open"
    assert told.no.within(after, 100) == both[1].yes.within(after, 100)


def test_what_was_done_unheard_may_push_out_what_was_heard_before() -> None:
    second = 1_000_000
    ts = np.arange(20) * second
    every = np.ones(20, bool)
    found = follow.Moves(ts, np.zeros(20, int), every, np.zeros(20), every)

    def told(*spans: tuple[int, int]) -> Verdict:
        heard = Spans.of(spans)
        return follow.share(found, follow.lost(heard, follow.NEVER, 10), follow.NEVER, 10, 5, 0.85)

    assert told((0, 100 * second)).yes.at(ts[19:])[0] == 0
    # Two moves may have begun in the two seconds: of ten, eight are known to be automatic until more are told.
    gap = told((0, ts[10]), (ts[10] + 2 * second, 100 * second))
    assert [int(gap.known.at(np.array([at]))[0] >= 0) for at in (ts[11], ts[12], ts[19])] == [1, 0, 0]


UNTIL = 2400
low = cache(lambda: site_of(MINES / "low", {}))


def face(by: list[int], supports: int = 120, **modes: Said) -> Figure:
    """From minute 3 to minute 38 of a face on which a support moves each 10 s as the shearer passes it, begun by these
    in turn; `modes`: of the machines that the name begins."""
    site = low()
    names = sorted(name for name, each in site.equipment.items() if each.template == "hydraulic_support")
    kept = {name: each for name, each in site.equipment.items() if name not in names[supports:]}
    points = [point for point in site.points if point.equipment in kept]
    own = [p for p in points if p.role == follow.SOURCE and "support" in modes]
    points += [replace(p, role=follow.MODE, id=p.id + 1, path=f"{p.path}_mode", key="mode") for p in own]
    site = replace(site, equipment=kept, points=tuple(points))
    said: dict[str, Said] = {"shearer.direction": every(10, UNTIL, 1)}
    said |= {role: every(10, UNTIL, rows[0][1]) for role, rows in FACE.items()}
    said["control.mode/shearer_1"] = every(10, UNTIL, 2)
    turns = range(10, UNTIL - 20, 10)
    place = [1.0 + n % supports for n in range(len(turns))]
    said["shearer.support"] = [(float(at), place[n]) for n, at in enumerate(turns)]
    for number, name in enumerate(names[:supports]):
        rows = dict(every(10, UNTIL, 0))
        for n, at in enumerate(turns):
            if place[n] == number + 1:
                rows |= {at + 2.0: by[n % len(by)], at + 8.0: 0}
        said[f"support.action_source/{name}"] = sorted(rows.items())
        said[f"support.action/{name}"] = every(10, UNTIL, 17)
        said[f"control.mode/{name}"] = modes.get("support", every(10, UNTIL, 3))
    said |= {f"control.mode/{name}": told for name, told in modes.items() if name != "support"}
    found = Told(site, "face", said)
    return figure(judge(found.category, found.facts), START + 180_000_000, START + 2_280_000_000)


def in_turn(one: float, other: float, each: int = 160) -> Said:
    return [(float(at), one if at // each % 2 else other) for at in range(0, UNTIL, 10)]


@pytest.mark.parametrize("machine", ["shearer_1", "support"])
def test_a_mode_that_goes_between_remote_and_automatic_does_not_make_moves_by_hand_good(machine: str) -> None:
    by_hand = face([1], **{machine: in_turn(2, 3)})
    assert (by_hand.rate, by_hand.most) == (0.0, 0.0)
    by_itself = face([follow.AUTOMATIC], **{machine: in_turn(2, 3)})
    assert (by_itself.rate, by_itself.coverage) == (1.0, 1.0)


def test_what_is_worked_by_hand_between_is_not_forgotten_and_does_not_count() -> None:
    often = in_turn(1, 2, 60)
    assert face([1], shearer_1=often).rate == 0.0
    assert face([follow.AUTOMATIC], shearer_1=in_turn(1, 2, 400)).reasons.keys() == {"shearer_mode"}


def test_too_few_moves_are_not_known_to_be_good() -> None:
    few = face([0] * 200 + [1] * 4)
    assert (few.rate, few.least, few.most, few.coverage) == (None, 0.0, 1.0, 0.0)


@pytest.mark.parametrize("supports", [1, 30])
def test_a_short_face_has_more_than_ends(supports: int) -> None:
    assert face([1], supports).rate == 0.0
