"""What holds when, where it may also be unknown: three-valued (Kleene's), over time.

A figure is only as good as what it does with what nobody knows. So nothing here turns unknown into false: a verdict
says when something held, when it did not, and leaves the rest open, for `figure` to count both ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from models.spans import EVER, NOTHING, Spans, among, covered, joined


@dataclass(frozen=True, slots=True)
class Verdict:
    """`yes` and `no` never overlap; what is in neither is unknown. `doubt`: where what is said may not be so, as it had
    changed by then and was not told yet."""

    yes: Spans
    no: Spans
    doubt: Spans = field(default_factory=lambda: NOTHING)

    def __invert__(self) -> Verdict:
        return Verdict(self.no, self.yes, self.doubt)

    @property
    def known(self) -> Spans:
        return self.yes | self.no

    def within(self, start: int, end: int) -> Verdict:
        """What is said of [start, end)."""
        return Verdict(self.yes.within(start, end), self.no.within(start, end), self.doubt.within(start, end))

    def doubted(self, change: int, silence: int) -> Verdict:
        """With the doubt that is in how it was told: a change for at most `change` µs before it is told, and before the
        unknown begins for `silence` µs, for which a value holds though none comes."""
        found = [self.doubt]
        for one, other in ((self.yes, self.no), (self.no, self.yes)):
            late = np.where(among(one.end, other.start), change, silence)
            found.append(joined(np.maximum(one.start, one.end - late), one.end))
        return Verdict(self.yes, self.no, covered(found, 1))

    def marked(self, doubt: Spans) -> Verdict:
        """With this doubt as well."""
        return Verdict(self.yes, self.no, self.doubt | doubt) if len(doubt) else self

    def begun_in(self, doubt: Spans) -> Verdict:
        """With all of what began in this doubt in doubt."""
        begun = [_inside(side, doubt) for side in (self.yes, self.no)]
        return self.marked(begun[0] | begun[1])

    def recently(self, us: int) -> Verdict:
        """Whether it held at this moment or at any of the `us` µs before. It did not where it is known to have been
        otherwise for all that time."""
        later = Spans(self.doubt.start + us, self.doubt.end + us)
        return Verdict(self.yes.grown(after=us), joined(self.no.start + us, self.no.end), self.doubt | later)

    def through(self, us: int) -> Verdict:
        """As if it held also where it does not for at most `us` µs between two times at which it does. Beside the
        unknown nobody knows whether such a time lies between two."""
        short = self.no.end - self.no.start <= us
        begin, end = self.no.start[short], self.no.end[short]
        between = among(begin, self.yes.end) & among(end, self.yes.start)
        bridged = Spans(begin[between], end[between])
        maybe = _inside(bridged, (self.no | self.doubt).lasting(us + 1))
        maybe |= _with_none(self.no.lasting(us + 1), (self.no - self.doubt).lasting(us + 1))
        return Verdict(self.yes | bridged, self.no - Spans(begin, end), self.doubt | maybe)

    def lasting(self, us: int) -> Verdict:
        """Whether it is part of a stretch in which it holds for longer than `us` µs, from that one's beginning on. What
        lies between two times at which it did not, and is no longer, did not last whatever the unknown in it was."""
        gap_start, gap_end = self.no.end[:-1], self.no.start[1:]
        short = gap_end - gap_start <= us
        perhaps = (self.no - self.doubt).gaps(-EVER, EVER).lasting(us + 1)
        certain = self.yes - self.doubt
        # As long as that only if what is in doubt beside it held as well.
        short_of_it = certain.end - certain.start <= us
        maybe = _inside(Spans(certain.start[short_of_it], certain.end[short_of_it]), perhaps)
        return Verdict(
            self.yes.lasting(us + 1),
            self.no | Spans(gap_start[short], gap_end[short]),
            (self.doubt & perhaps) | maybe,
        )

    def when_begun(self, run: Verdict) -> Verdict:
        """For as long as each run lasts: what this said at the moment when the run began. Between runs, and of a run
        whose beginning is not known, it is unknown. What is told at one moment is taken to have been so together."""
        begins = run.yes.start
        # A run that begins out of the unknown may have begun before.
        seen = run.no.at(begins - 1) >= 0
        yes, no = (seen & (side.at(begins) >= 0) for side in (self.yes, self.no))
        return Verdict(
            Spans(run.yes.start[yes], run.yes.end[yes]),
            Spans(run.yes.start[no], run.yes.end[no]),
            run.doubt,
        )


def _with_none(some: Spans, others: Spans) -> Spans:
    """Those of `some` in which none of `others` begins."""
    none = np.searchsorted(others.start, some.end) == np.searchsorted(others.start, some.start)
    return Spans(some.start[none], some.end[none])


def _inside(some: Spans, others: Spans) -> Spans:
    """Those of `some` that begin in one of `others`."""
    held = others.at(some.start) >= 0
    return Spans(some.start[held], some.end[held])


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Of at least one: all hold."""
    many = [*verdicts]
    if len(many) == 1:
        return many[0]
    return Verdict(
        covered([one.yes for one in many], len(many)),
        covered([one.no for one in many], 1),
        covered([one.doubt for one in many], 1),
    )


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Of at least one: any holds."""
    return ~all_of(~one for one in verdicts)


UNKNOWN = Verdict(NOTHING, NOTHING)
