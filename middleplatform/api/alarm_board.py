"""The board of alarms: groups, how many are open, whether there is a flood, and how the watch itself is."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import State as AppState

from middleplatform.alarms import book
from middleplatform.alarms.annunciation import Annunciation, annunciation
from middleplatform.alarms.condition import Alarm, State
from middleplatform.alarms.groups import UNACKNOWLEDGED, grouped
from middleplatform.alarms.performance import recent_flood
from middleplatform.api import times
from middleplatform.api.alarm_reach import telling_of
from middleplatform.api.alarm_sight import sees
from middleplatform.api.catalogue import Catalogue

_ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED})


def board(state: AppState, catalogue: Catalogue, area: str | None, offset: int, limit: int) -> dict[str, Any]:
    """What the caller sees of it, of one area or all, a page of the groups."""
    site, where = catalogue.site, state.database
    telling, seen, how = telling_of(state, catalogue), sees(catalogue), how_now()
    known = [each for each in book.alarms_of(where, site.code) if seen(each.subject)]
    heard = [each for each in known if not each.suppressed and (area is None or area in telling.areas(each.subject))]
    found = grouped(heard, telling.area, how.alike)
    nameable = {each.id for each in known}.__contains__
    page = [
        {
            "head": telling.facts(each.head, nameable),
            "alike": each.alike,
            "count": len(each.members),
            "unacknowledged": each.unacknowledged,
            "priority": each.priority,
            "since": each.since,
            "alarms": [member.id for member in each.members[: book.MOST]],
        }
        for each in found[offset : offset + limit]
    ]
    whole = catalogue.scope.everything
    flood = recent_flood(where, site.code, how, times.now_us()) if whole else None
    about = {**standing(state, known), "flood": flood}
    return {"total": len(found), "offset": offset, **about, "groups": page}


def standing(state: AppState, known: Sequence[Alarm]) -> dict[str, Any]:
    """Beside every list: how many there are, and how the watch is."""
    return {"counts": counts(known), "watch": state.watch.told(times.now_us())}


def counts(known: Sequence[Alarm]) -> dict[str, Any]:
    """What is open, by how urgent it is; what is suppressed is counted apart and in nothing else."""
    heard = [each for each in known if not each.suppressed and each.state is not State.NORMAL]
    priorities = Counter(str(each.priority) for each in heard)
    return {
        "open": len(heard),
        "unacknowledged": sum(each.state in UNACKNOWLEDGED for each in heard),
        "active": sum(each.state in _ACTIVE for each in heard),
        "suppressed": sum(bool(each.suppressed) for each in known),
        "priorities": dict(sorted(priorities.items())),
    }


def how_now() -> Annunciation:
    """The settings of today."""
    return annunciation(datetime.datetime.now(datetime.UTC).date())
