"""Stoppages: a main machine stands while production is planned, and the alarm that came first with it says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.production.data import faults, machines
from models.production.failures import Raised
from models.spans import Spans
from models.utilisation.verdict import Verdict

NO_ALARM = "none"
"""The cause of a stop with which no alarm came: somebody stopped the machine, or nothing was there to be done."""
UNSEEN = "unseen"
"""The cause of a standstill whose beginning nobody saw."""
NO_JOURNAL = "no_journal"
"""The cause where no alarms were judged."""


@dataclass(frozen=True, slots=True)
class Stoppage:
    """Of one day. `begin`, `end`: within the day, µs UTC; `lost_us`: of it, in planned time; `new`: it began on this
    day; so one over midnight is one stop, and its time is in both days. `cause`: the rule of the alarm, NO_ALARM, …;
    `by`: the equipment at which that came, "" without one; `group`: of `faults.yaml`, or as `cause`."""

    equipment: str
    begin: int
    end: int
    lost_us: int
    new: bool
    cause: str
    by: str
    group: str


def stoppages(
    equipment: str,
    ran: Verdict,
    planned: Spans,
    day: tuple[int, int],
    raised: Mapping[str, Sequence[Raised]] | None,
    stopped_by: Sequence[str],
) -> list[Stoppage]:
    """Of one machine on a day [start, end), by time. `ran`: with what came before the day; `raised`: alarms by
    equipment, None where none are kept; `stopped_by`: equipment whose trip stops it, the nearest first."""
    start, end = day
    least = round(machines().stoppages.least_s * 1e6)
    found = []
    # A run that nobody saw the end of says nothing of when the stop began.
    seen = ran.yes.at(ran.no.start - 1) >= 0
    for (begin, finish), sure in zip(ran.no.pairs(), seen.tolist(), strict=True):
        if finish - begin < least:
            continue
        lost = (Spans.whole(begin, finish) & planned).us()
        if lost:
            cause, by, group = _cause(begin, equipment, raised, stopped_by) if sure else (UNSEEN, "", UNSEEN)
            new = sure and start <= begin < end
            found.append(Stoppage(equipment, max(begin, start), min(finish, end), lost, new, cause, by, group))
    return found


def _cause(
    begin: int, equipment: str, raised: Mapping[str, Sequence[Raised]] | None, stopped_by: Sequence[str]
) -> tuple[str, str, str]:
    """(rule, equipment, group) of the alarm that came first around the beginning of a stop, at the machine itself or
    at one that stops it; of one time first-out ones go before others, and the nearest before those further off."""
    if raised is None:
        return NO_JOURNAL, "", NO_JOURNAL
    looking = machines().stoppages
    since, until = begin - round(looking.before_s * 1e6), begin + round(looking.after_s * 1e6)
    near = {name: distance for distance, name in enumerate((equipment, *stopped_by))}
    candidates = [
        (each.begin, not each.first, near[name], each.rule, name, known.group)
        for name in near
        for each in raised.get(name, ())
        if since <= each.begin <= until and (known := faults().of(each.rule, each.role)) is not None
    ]
    if not candidates:
        return NO_ALARM, "", NO_ALARM
    *_, rule, by, group = min(candidates)
    return rule, by, group
