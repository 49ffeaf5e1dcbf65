"""Whether supports follow the shearer by themselves (跟机): told by who began each move, not by a mode bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.spans import EVER, Spans, deep, joined
from models.utilisation.signal import Signal
from models.utilisation.verdict import Verdict

SOURCE, CODE = "support.action_source", "support.action"
"""Roles of supports. That of their mode is none: what a bit says of them counts for nothing."""
MODE = "control.mode"
"""Role of the shearer."""
OF_SHEARER = ("shearer.support", "shearer.direction")
"""Roles: the number of the support at the shearer, from 1, and which way it goes: 1 to the tail, 2 to the head."""
AUTOMATIC = 3
"""Of `support.action_source`: 1 keypad, 2 host, 3 automatic follow-up."""
NEVER = np.empty(0, np.int64)
BY_HAND = (1, 4)
"""Of `control.mode`: local and inspection."""
SETTLED_US = 3_600_000_000
"""How far on the first moves are looked for, which say how it went before there were enough of them."""
HEARD = 0.9
"""So many of the supports must be heard for what they did to be known; what the few others did is left out."""
APART_US = 1_000_000
"""No face begins its moves faster than this one after another: so many may lie in a time in which it was not heard."""


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Columns of one length, by time. `support`: number from 0; `behind`: how many supports the shearer had passed it
    by, negative before it came, NaN where the shearer's place was unknown; `sure`: whether it is known to be a move
    that counts, and not only that it may be one."""

    ts: NDArray[np.int64]
    support: NDArray[np.intp]
    automatic: NDArray[np.bool_]
    behind: NDArray[np.float64]
    sure: NDArray[np.bool_]

    def where(self, rows: NDArray[np.bool_]) -> Moves:
        return Moves(*(getattr(self, name)[rows] for name in ("ts", "support", "automatic", "behind", "sure")))

    def known(self, sure: NDArray[np.bool_]) -> Moves:
        """Of which it is known only where `sure` holds too whether they count."""
        return replace(self, sure=self.sure & sure)


@dataclass(frozen=True, slots=True, eq=False)
class _Together:
    """The signals of many supports in columns of one length, by support (its number) and time; what is unknown is NaN:
    a face has hundreds of supports, each of which says little."""

    number: NDArray[np.intp]
    ts: NDArray[np.int64]
    end: NDArray[np.int64]
    value: NDArray[np.float64]

    @staticmethod
    def of(signals: Sequence[Signal]) -> _Together:
        """Of at least one."""
        ts, end, value = (np.concatenate([getattr(each, name) for each in signals]) for name in ("ts", "end", "value"))
        good = np.concatenate([each.good for each in signals])
        number = np.repeat(np.arange(len(signals)), [len(each.ts) for each in signals])
        return _Together(number, ts, end, np.where(good, value, np.nan))

    def follows(self) -> NDArray[np.bool_]:
        """[n] whether it begins when the one before it, of the same support, ends."""
        found = np.zeros(len(self.ts), bool)
        found[1:] = (self.number[1:] == self.number[:-1]) & (self.ts[1:] == self.end[:-1])
        return found

    def at(self, number: NDArray[np.intp], ts: NDArray[np.int64]) -> NDArray[np.float64]:
        """[m] supports and instants → the value that held then, NaN where it is unknown."""
        if not len(self.ts):
            return np.full(len(ts), np.nan)
        # One axis for all: each support has a stretch of it, as long as the time from the first to the last one told.
        low, high = int(self.ts.min()), int(self.ts.max())
        width = high - low + 2
        axis = self.number * width + (self.ts - low)
        row = np.searchsorted(axis, number * width + (np.clip(ts, low - 1, high) - low), "right") - 1
        known = (row >= 0) & (self.number[row] == number) & (ts < self.end[row])
        return np.where(known, self.value[row], np.nan)


def moves(
    sources: Sequence[Signal],
    codes: Sequence[Signal],
    position: Signal,
    direction: Signal,
    besides: Sequence[int],
    breaks: NDArray[np.int64] = NEVER,
) -> Moves:
    """The moves that the supports began: where a source is told after none, or after another. `codes`: of the actions,
    as many as `sources` or none; those in `besides` are left out. `breaks`: as of `Facts.breaks`."""
    told = _Together.of(sources)
    # After the unknown nobody knows whether it is the same move still.
    before = np.where(told.follows(), np.append(np.nan, told.value)[:-1], np.nan)
    begins = (told.value > 0) & (told.value != before)
    ts, support, by, sure = told.ts[begins], told.number[begins], told.value[begins], ~np.isnan(before[begins])
    order = np.lexsort((support, ts))
    ts, support = ts[order], support[order]
    goes = _last_direction(direction, breaks).at(ts)
    towards = np.where(goes == 1, 1.0, np.where(goes == 2, -1.0, np.nan))
    behind = (position.at(ts) - 1 - support) * towards
    found = Moves(ts, support, by[order] == AUTOMATIC, behind, sure[order])
    if codes and besides:
        code = _Together.of(codes).at(support, ts)
        found = found.known(~np.isnan(code)).where(~np.isin(code, besides))
    return found


def _last_direction(direction: Signal, breaks: NDArray[np.int64]) -> Signal:
    """A shearer that stands has the direction that it had."""
    goes = direction.good & (direction.value != 0)
    last = np.maximum.accumulate(np.where(goes, np.arange(len(goes)), -1))
    group = np.searchsorted(breaks, direction.ts, "right")
    had = last >= np.searchsorted(group, group, "left")
    value = np.where(had, direction.value[last], np.nan) if len(last) else direction.value
    return Signal(direction.ts, direction.end, value, direction.good & had)


def changes(mode: Signal, breaks: NDArray[np.int64] = NEVER) -> NDArray[np.int64]:
    """When the mode became another. `breaks`: as of `Facts.breaks`."""
    known = mode.good
    ts, value = mode.ts[known], mode.value[known]
    group = np.searchsorted(breaks, ts, "right")
    turned: NDArray[np.int64] = ts[1:][(value[1:] != value[:-1]) & (group[1:] == group[:-1])]
    return turned


def share(
    found: Moves,
    lost: NDArray[np.int64],
    breaks: NDArray[np.int64],
    last: int,
    least: int,
    enough: float,
) -> Verdict:
    """From each move on: whether of the last `last` a part of `enough` was automatic. The first `least` speak for the
    time before them too, for as long as is looked on; where there are not so many it is unknown. Of what is not sure to
    count, and of the `lost` ones, nobody knows: only what holds whichever of it counts is told. `breaks`: as of
    `Facts.breaks`."""
    if found.sure.all() and not len(lost):
        return _share(found.ts, found.automatic, breaks, last, least, enough)
    # No choice among the unsure gives fewer automatic ones than all those by hand and no other, and none more than the
    # opposite: what is put in pushes out one that is older, what is left out lets one in.
    low, high = (
        _share(*_with(found.where(found.sure | (found.automatic == best)), lost, best), breaks, last, least, enough)
        for best in (False, True)
    )
    known = found.where(found.sure)
    told = _share(known.ts, known.automatic, breaks, last, least, enough).known
    told = told - _before(known.ts, np.concatenate([lost, found.ts[~found.sure]]), breaks, least)
    return Verdict(low.yes & high.yes & told, low.no & high.no & told)


def _before(sure: NDArray[np.int64], unsure: NDArray[np.int64], breaks: NDArray[np.int64], least: int) -> Spans:
    """The time before the first `least` moves that are `sure`, where any that is not lies in it: which were the first
    ones is not known then."""
    group = np.searchsorted(breaks, sure, "right")
    nth = np.flatnonzero(np.arange(len(group)) - np.searchsorted(group, group, "left") == least - 1)
    begin, end, unsure = np.append(-EVER, breaks)[group[nth]], sure[nth], np.sort(unsure)
    vague = np.searchsorted(unsure, end, "right") > np.searchsorted(unsure, begin, "left")
    return Spans(begin[vague], end[vague])


def _with(some: Moves, lost: NDArray[np.int64], automatic: bool) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """When these and the lost ones began, in order, and which were automatic."""
    ts = np.concatenate([lost, some.ts])
    order = np.argsort(ts, kind="stable")
    return ts[order], np.concatenate([np.full(len(lost), automatic), some.automatic])[order]


def _share(
    ts: NDArray[np.int64],
    by_itself: NDArray[np.bool_],
    breaks: NDArray[np.int64],
    last: int,
    least: int,
    enough: float,
) -> Verdict:
    """Of moves that all count, by time."""
    group = np.searchsorted(breaks, ts, "right")
    first = np.searchsorted(group, group, "left")
    at = np.arange(len(group))
    begin = np.maximum(first, at - last + 1)
    passed = np.concatenate([[0], np.cumsum(by_itself)])
    count, automatic = at + 1 - begin, passed[at + 1] - passed[begin]
    # What a move says holds until the next, and not beyond a break.
    earlier = np.maximum(np.append(-EVER, breaks)[group], ts - SETTLED_US)
    starts = np.where(at - first + 1 == least, earlier, ts)
    ends = np.append(ts[1:], EVER)
    ends = np.minimum(ends, np.append(breaks, EVER)[group])
    told, falls = at - first + 1 >= least, automatic < enough * count - 1e-9
    yes, no = (joined(starts[side], ends[side]) for side in (told & ~falls, told & falls))
    return Verdict(yes, no)


def lost(heard: Spans, breaks: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """When moves are told at the latest that may have begun between two times at which the supports were `heard`, of
    each such time the `most` last ones; none across a break, beyond which nobody looks."""
    start, end = heard.end[:-1], heard.start[1:]
    within = np.searchsorted(breaks, start, "left") == np.searchsorted(breaks, end, "right")
    start, end = start[within], end[within]
    return np.repeat(end, np.minimum(-(-(end - start) // APART_US), most))


def heard(sources: Sequence[Signal]) -> Spans:
    """When nearly all supports were heard."""
    told = _Together.of(sources)
    known = ~np.isnan(told.value)
    # Of what is heard on end only where it begins and ends counts.
    on = told.follows() & known & np.append(False, known)[:-1]
    begins, ends = known & ~on, known & ~np.append(on, False)[1:]
    return deep([told.ts[begins]], [told.end[ends]], math.ceil(HEARD * len(sources)))
