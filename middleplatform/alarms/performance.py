"""How well the operators are served by their alarms: the figures of ISA-18.2 (IEC 62682)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select

from middleplatform.alarms.annunciation import Annunciation
from middleplatform.alarms.condition import Act, AlarmError
from middleplatform.alarms.floods import floods
from middleplatform.alarms.recent import RecentRaises
from middleplatform.alarms.watched import watched
from middleplatform.database import Place, connect
from middleplatform.database.tables.alarms import alarm_journal as journal
from middleplatform.database.tables.alarms import alarms
from models.spans import Spans

MOST_ROWS = 1_000_000
MOST_US = 92 * 86_400_000_000
HOUR, TEN_MINUTES = 3_600_000_000, 600_000_000
TOP = 10
_RAISE, _ACKNOWLEDGE = 0, 1


def performance(
    where: Place,
    mine: str,
    begin: int,
    end: int,
    how: Annunciation,
    *,
    now: int,
    among: Collection[int] | None = None,
) -> dict[str, Any]:
    """Of the raises from `begin` to before `end` (µs UTC) of the alarms `among` (None: all). Late ones alarmed nobody
    and count for nothing. Rates are of the time in which the alarms were judged (`watched_s`, of all `coverage`): where
    nobody watched none was raised, and that says nothing. A rate of which nothing is known is None; `enough` says
    whether so much is known that the figures may be held against their targets. Raises AlarmError when it is too long
    or there are too many."""
    if end - begin > MOST_US:
        raise AlarmError("too_long", "时段最长 92 天", "the range is at most 92 days")
    end = min(end, now)
    if begin >= end:
        raise AlarmError("empty_range", "时段须已开始", "the range has to have begun")
    alarm, what, ts, at = _lines(where, mine, begin, end, among)
    raised = what == _RAISE
    times = np.sort(ts[raised])
    known = watched(where, mine, begin, end)
    per_hour = float((known.at(times) >= 0).sum()) / (known.us() / HOUR) if len(known) else None
    counts = np.bincount((times - begin) // TEN_MINUTES, minlength=max(1, -(-(end - begin) // TEN_MINUTES)))
    found = floods(times, how, end)
    flooded = Spans.of((flood.start, end if flood.end is None else flood.end) for flood in found) & known
    named = _alarms(where, mine, among)
    top = Counter(alarm[raised].tolist()).most_common(TOP)
    by_priority = Counter(named[number]["priority"] for number in alarm[raised].tolist())
    total = int(raised.sum())
    stale = [each for each in named.values() if each["active"] and now - each["since"] > how.stale_us]
    return {
        "start": begin,
        "end": end,
        "watched_s": known.us() / 1e6,
        "coverage": known.us() / (end - begin),
        "enough": known.us() >= how.coverage * (end - begin),
        "raises": total,
        "per_hour": per_hour,
        "per_day": None if per_hour is None else per_hour * 24,
        "per_10_min": {
            "mean": None if per_hour is None else per_hour / 6,
            "most": int(counts.max()),
            "above": _share((counts > how.begins_above)[_touched(known, begin, end)]),
        },
        "top_ten": [_facts(named[number], raises=count) for number, count in top],
        "top_ten_share": sum(count for _, count in top) / total if total else 0.0,
        "stale": {"count": len(stale), "alarms": [_facts(each) for each in sorted(stale, key=_since)[:TOP]]},
        "flood": {
            "count": len(found),
            "share": flooded.us() / known.us() if len(known) else None,
            "now": bool(found) and found[-1].end is None,
            "peak": max((flood.peak for flood in found), default=0),
            "floods": [{"start": each.start, "end": each.end, "peak": each.peak} for each in found[-100:]],
        },
        "priorities": {str(each): by_priority[each] / total for each in sorted(by_priority)},
        "acknowledged": _waits(alarm, what, at),
        "chattering": [_facts(named[number], raises=count) for number, count in _chattering(alarm, what, ts, how)],
        "targets": how.targets,
        "coverage_target": how.coverage,
        "effective_from": how.effective_from,
    }


def recent_flood(where: Place, mine: str, how: Annunciation, now: int) -> dict[str, Any] | None:
    """The flood that lasts at `now`, None while there is none. Who asks often keeps a `RecentRaises`."""
    return RecentRaises(where, mine).flood(how, now)


def _lines(
    where: Place, mine: str, begin: int, end: int, among: Collection[int] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Alarm, what, ts and at of raises and acknowledgements, by alarm and as they were written."""
    acts = {str(Act.RAISE): _RAISE, str(Act.ACKNOWLEDGE): _ACKNOWLEDGE}
    query = (
        select(journal.c.alarm, journal.c.what, journal.c.ts, journal.c.at)
        .join(alarms, alarms.c.id == journal.c.alarm)
        .where(alarms.c.mine == mine, journal.c.ts >= begin, journal.c.ts < end)
        .where(journal.c.what.in_(list(acts)), ~journal.c.late)
        .order_by(journal.c.alarm, journal.c.number)
        .limit(MOST_ROWS + 1)
    )
    if among is not None:
        query = query.where(journal.c.alarm.in_(bindparam("among", list(among), expanding=True, literal_execute=True)))
    with connect(where).connect() as connection:
        rows = connection.execute(query).all()
    if len(rows) > MOST_ROWS:
        raise AlarmError("too_many", "报警过多，请缩短时段", f"more than {MOST_ROWS} lines: take a shorter range")
    table = np.array([(row[0], acts[row[1]], row[2], row[3]) for row in rows], np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _alarms(where: Place, mine: str, among: Collection[int] | None) -> dict[int, dict[str, Any]]:
    fields = (alarms.c.id, alarms.c.rule, alarms.c.subject, alarms.c.priority, alarms.c.active, alarms.c.since)
    with connect(where).connect() as connection:
        rows = connection.execute(select(*fields).where(alarms.c.mine == mine)).all()
    wanted = None if among is None else set(among)
    return {row.id: dict(row._mapping) for row in rows if wanted is None or row.id in wanted}


def _waits(alarm: NDArray[np.int64], what: NDArray[np.int64], at: NDArray[np.int64]) -> dict[str, Any]:
    """Seconds from each raise to the acknowledgement that came before the next raise of the same alarm."""
    answered = (alarm[:-1] == alarm[1:]) & (what[:-1] == _RAISE) & (what[1:] == _ACKNOWLEDGE)
    waits = (at[1:] - at[:-1])[answered] / 1e6
    raises = int((what == _RAISE).sum())
    if not len(waits):
        return {"share": 0.0, "mean_s": None, "median_s": None, "p95_s": None}
    return {
        "share": len(waits) / raises,
        "mean_s": float(waits.mean()),
        "median_s": float(np.median(waits)),
        "p95_s": float(np.quantile(waits, 0.95)),
    }


def _chattering(
    alarm: NDArray[np.int64], what: NDArray[np.int64], ts: NDArray[np.int64], how: Annunciation
) -> list[tuple[int, int]]:
    """Alarms that were raised so often within so short a time, and how often they were raised at all."""
    raised = what == _RAISE
    order = np.lexsort((ts[raised], alarm[raised]))
    whose, when = alarm[raised][order], ts[raised][order]
    step = how.chattering_raises - 1
    close = (whose[step:] == whose[:-step]) & (when[step:] - when[:-step] <= how.chattering_us)
    found = Counter(whose.tolist())
    return sorted(((number, found[number]) for number in set(whose[step:][close].tolist())), key=lambda each: -each[1])[
        :100
    ]


def _share(those: NDArray[np.bool_]) -> float | None:
    return float(those.mean()) if len(those) else None


def _touched(known: Spans, begin: int, end: int) -> NDArray[np.bool_]:
    """Whether somebody watched in any part of each ten minutes."""
    edges = np.minimum(begin + TEN_MINUTES * np.arange(-(-(end - begin) // TEN_MINUTES) + 1, dtype=np.int64), end)
    return np.diff(known.before(edges)) > 0


def _since(facts: dict[str, Any]) -> int:
    return int(facts["since"])


def _facts(facts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": facts["id"], "rule": facts["rule"], "subject": facts["subject"], "since": facts["since"], **more}
