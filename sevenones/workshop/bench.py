"""Linkages in words, and what they would do on values that an engineer writes into a table."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

import numpy as np

from gateway.linkage.judge import Seen
from gateway.linkage.trial import Trial, Tripped, looked_at, ours
from middleplatform.workshop.tools import Facts, WorkshopRefused
from models.quality import GOOD, Quality
from models.site.linkages import states
from models.site.model import Comparison, Linkage, Site

STEP_S = 0.5
MOST_STEPS = 20_000
MOST_TRIPS = 500


def rules(site: Site) -> list[Facts]:
    """The site's linkages, in the order of their ids."""
    said = states(site)
    return [_rule(site, one, said) for one in site.linkages]


def trial(site: Site, wanted: list[str], rows: list[Facts], until_s: float) -> Facts:
    """Play the rows. A value holds until the next row that has one; one that was never given, or is null, is bad."""
    day = datetime.datetime.now(zoneinfo.ZoneInfo(site.time_zone)).date().isoformat()
    known = {one.id: one for one in site.linkages}
    strange = [name for name in wanted if name not in known]
    if strange:
        raise WorkshopRefused("unknown_rule", f"没有规则 {strange[0][:60]}", f"there is no rule {strange[0][:60]}")
    # What is asked for by name is tried although it is switched off, or is for a later day.
    chosen = [known[name] for name in wanted] if wanted else ours(site.linkages, day)
    chosen = [one for one in chosen if not one.mine] if not wanted else chosen
    said = states(site)
    paths = looked_at(chosen, said)
    place = {path: number for number, path in enumerate(paths)}
    given = sorted(rows, key=lambda row: row["at_s"])
    _check(site, place, given)
    if not chosen:
        raise WorkshopRefused("no_rules", "没有可试验的规则", "there are no rules to try")
    start = int(datetime.datetime.now(datetime.UTC).timestamp() * 1e6)
    played = Trial(chosen, paths, start, said)
    step = max(STEP_S, until_s / MOST_STEPS)
    times = sorted({*np.arange(0.0, until_s + step, step).tolist(), *(row["at_s"] for row in given)})
    value, steps = np.full(len(paths), np.nan), []
    for at_s in times:
        told = False
        while given and given[0]["at_s"] <= at_s:
            for path, number in given.pop(0)["values"].items():
                value[place[_path(site, path)]] = np.nan if number is None else number
            told = True
        ts = start + round(at_s * 1e6)
        quality = np.where(np.isnan(value), np.uint8(Quality.BAD), np.uint8(GOOD)).astype(np.uint8)
        before = len(played.tripped)
        played.take(ts, value, quality)
        if told or len(played.tripped) > before:
            steps.append(
                {"at_s": at_s, "rules": {one.id: _standing(played, number, ts) for number, one in enumerate(chosen)}}
            )
    trips = [_trip(site, one, start) for one in played.tripped[:MOST_TRIPS]]
    return {"rules": [one.id for one in chosen], "points": paths, "trips": trips, "steps": steps}


def _check(site: Site, place: dict[str, int], rows: list[Facts]) -> None:
    for row in rows:
        for path in row["values"]:
            if _path(site, path) not in place:
                raise WorkshopRefused(
                    "unknown_input",
                    f"这些规则不看测点 {path[:80]}",
                    f"these rules do not look at the point {path[:80]}",
                )


def _path(site: Site, name: str) -> str:
    return name if name.startswith(f"{site.code}/") else f"{site.code}/{name}"


def _standing(played: Trial, number: int, ts: int) -> Facts:
    holds, seen = played.standing(number, ts)
    return {"holds": holds, "conditions": [_seen(one) for one in seen]}


def _trip(site: Site, found: Tripped, start: int) -> Facts:
    rule = found.rule
    return {
        "rule": rule.id,
        "at_s": round((found.at - start) / 1e6, 3),
        "why": {"zh": found.why.zh, "en": found.why.en},
        "inputs": [_seen(one) for one in found.inputs],
        "needed": found.needed,
        "writes": [_write(site, path, value) for path, value in rule.command.items()],
        "within_s": rule.within_s,
        "well_again_s": None if found.well_again is None else round((found.well_again - start) / 1e6, 3),
    }


def _seen(one: Seen) -> Facts:
    return {
        "point": one.comparison.point,
        "text": one.comparison.text,
        "value": None if np.isnan(one.value) else one.value,
        "met": one.met,
        "lost": one.lost,
    }


def _rule(site: Site, one: Linkage, said: Any) -> Facts:
    restore = one.restore
    return {
        "id": one.id,
        "name": {"zh": one.name.zh, "en": one.name.en},
        "act": str(one.act),
        "mine": one.mine,
        "gateways": list(one.gateways),
        "within_s": one.within_s,
        "priority": one.priority,
        "version": one.version,
        "enabled": one.enabled,
        "shadow": one.shadow,
        "latched": one.latched,
        "effective_from": one.effective_from,
        "confirmed": one.confirmed,
        "source": one.source,
        "every": one.when.every,
        "when": [_comparison(each) for each in one.when.comparisons],
        "then": [_comparison(each) for each in one.then],
        "command": [_write(site, path, value) for path, value in one.command.items()],
        "restore": None
        if restore is None
        else {
            "automatic": restore.automatic,
            "every": restore.when.every,
            "when": [_comparison(each) for each in restore.when.comparisons],
        },
        "on_lost": str(one.on_lost),
        "lost_after_s": one.lost_after_s,
        "notice": None if one.notice is None else {"zh": one.notice.zh, "en": one.notice.en},
        "points": looked_at([one], said),
    }


def _comparison(one: Comparison) -> Facts:
    return {"point": one.point, "text": one.text, "lasting_s": one.lasting_s}


def _write(site: Site, path: str, value: float) -> Facts:
    point = next((each for each in site.points if each.path == path), None)
    state = None if point is None else point.called(value)
    return {"point": path, "value": value, "state": None if state is None else state.words()}
