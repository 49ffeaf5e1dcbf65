"""The board of alarms: groups, how many are open, whether there is a flood, and how the watch itself is."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import State as AppState

from middleplatform.alarms import book
from middleplatform.alarms.annunciation import Annunciation, annunciation
from middleplatform.alarms.condition import Alarm, AlarmError, State
from middleplatform.alarms.groups import ACTIVE, UNACKNOWLEDGED, grouped
from middleplatform.api import times
from middleplatform.api.alarm_choice import Fits
from middleplatform.api.alarm_reach import telling_of
from middleplatform.api.alarm_sight import Telling, sees
from middleplatform.api.catalogue import Catalogue
from models.site.model import Site


def board(state: AppState, catalogue: Catalogue, fits: Fits, offset: int, limit: int) -> dict[str, Any]:
    """What the caller sees of it that is asked for, a page of the groups."""
    site, where = catalogue.site, state.database
    telling, seen, how = telling_of(state, catalogue), sees(catalogue), how_now(site)
    known = [each for each in book.alarms_of(where, site.code) if seen(each.subject)]
    heard = [each for each in known if fits(each)]
    found = grouped(heard, telling.area, how.alike)
    nameable = {each.id for each in known}.__contains__
    shown = found[offset : offset + limit]
    values = book.raised_values(where, [one.id for each in shown for one in (each.head, each.urgent)])

    def told(each: Alarm) -> dict[str, Any]:
        return telling.facts(each, nameable, values.get(each.id))

    page = [
        {
            "head": told(each.head),
            "urgent": None if each.urgent.id == each.head.id else told(each.urgent),
            "alike": each.alike,
            "count": len(each.members),
            "active": each.active,
            "unacknowledged": each.unacknowledged,
            "priority": each.priority,
            "since": each.since,
            "alarms": [member.id for member in each.members[: book.MOST]],
            "sinces": [member.since for member in each.members[: book.MOST]],
        }
        for each in shown
    ]
    whole = catalogue.scope.everything
    flood = state.raises.flood(how, times.now_us()) if whole else None
    about = {**standing(state, known), "flood": flood, "equipment": by_equipment(heard, telling)}
    return {"total": len(found), "offset": offset, **about, "groups": page}


def by_equipment(those: Sequence[Alarm], telling: Telling) -> dict[str, dict[str, int]]:
    """Every machine in alarm, whatever group its alarms are in and however many groups there are: the groups are a page
    and each names its head alone, so that they do not tell which machines are in alarm."""
    found: dict[str, dict[str, int]] = {}
    for each in those:
        machine = telling.machine(each.rule, each.subject)
        if machine is not None and not each.suppressed and each.state is not State.NORMAL:
            one = found.setdefault(machine, {"priority": each.priority, "count": 0})
            one["priority"] = min(one["priority"], each.priority)
            one["count"] += 1
    return found


def members(catalogue: Catalogue, telling: Telling, found: Sequence[Alarm], head: int) -> list[Alarm]:
    """Those of the group that has this head, the most urgent first. Raises AlarmError where none has it."""
    for each in grouped(found, telling.area, how_now(catalogue.site).alike):
        if each.head.id == head:
            return list(each.members)
    raise AlarmError("unknown_alarm", f"没有以报警 {head} 为首的一组", f"no group has alarm {head} as its head")


def standing(state: AppState, known: Sequence[Alarm]) -> dict[str, Any]:
    """Beside every list: how many there are, how the watch is, and by which clock the mine lives."""
    zone = state.catalogue.site.time_zone
    return {"counts": counts(known), "watch": state.watch.told(times.now_us()), "time_zone": zone}


def counts(known: Sequence[Alarm]) -> dict[str, Any]:
    """What is open, by how urgent it is; what is suppressed is counted apart and in nothing else."""
    heard = [each for each in known if not each.suppressed and each.state is not State.NORMAL]
    priorities = Counter(str(each.priority) for each in heard)
    return {
        "open": len(heard),
        "unacknowledged": sum(each.state in UNACKNOWLEDGED for each in heard),
        "active": sum(each.state in ACTIVE for each in heard),
        "suppressed": sum(bool(each.suppressed) for each in known),
        "priorities": dict(sorted(priorities.items())),
    }


def how_now(site: Site) -> Annunciation:
    """The settings of today at the mine."""
    return annunciation(datetime.datetime.now(ZoneInfo(site.time_zone)).date())
