"""A rule: what is watched for, and all that is to be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.alarms import linked
from models.alarms.finding import Kind
from models.alarms.standard import Together
from models.site.model import Linkage, Name, OwnAlarm, Point


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched for. `name` and a subject name an alarm; several rules of one name differ in their facts by
    subject, as limits do. `version` is the day it came into force, yyyymmdd. Delays in seconds; `level` and `restore`
    of a limit, in the point's unit. `annunciate`: False for what is recorded and is no alarm. `reason`, `approved_by`:
    of what the site itself changed."""

    name: str
    text: Name
    kind: Kind
    priority: int
    statutory: bool
    version: int
    source: str
    effective_from: str
    confirmed: bool
    on_s: float = 0.0
    off_s: float = 0.0
    level: float | None = None
    restore: float | None = None
    annunciate: bool = True
    latching: bool = False
    """Once it has returned somebody has to reset it."""
    reason: str = ""
    approved_by: str = ""


def of_own(own: OwnAlarm) -> Rule:
    """Of an alarm of the site's own."""
    return Rule(
        f"own.{own.id}",
        own.name,
        Kind.ALARM,
        own.priority,
        statutory=False,
        version=version_of(own.effective_from),
        source=own.source,
        effective_from=own.effective_from,
        confirmed=True,
        on_s=own.on_s,
        off_s=own.off_s,
        level=own.level,
        restore=own.ends,
        latching=own.latching,
    )


def of_together(name: str, each: Together) -> Rule:
    """Of a standard alarm over several points."""
    since = each.effective_from.isoformat()
    facts = (version_of(since), each.source, since, each.confirmed, each.on_s)
    return Rule(name, each.name.resolved(), Kind.ALARM, each.priority, each.statutory, *facts)


def of_linkage(linkage: Linkage, points: Mapping[str, Point]) -> Rule:
    """Of a linkage that does not act; `points` that it looks at, by path."""
    kind, text = linked.kind_of([points[each.point] for each in linkage.then])
    return Rule(
        f"linkage.{linkage.id}",
        Name(f"{text.zh}（{linkage.name.zh}）", f"{text.en} ({linkage.name.en})"),
        kind,
        linkage.priority,
        statutory=kind is Kind.FEED_FAULT,
        version=linkage.version,
        source=linkage.source,
        effective_from=linkage.effective_from,
        confirmed=linkage.confirmed,
        on_s=linked.patience_s(linkage, list(points.values())),
    )


def version_of(day: str) -> int:
    """An ISO date as a number, yyyymmdd; 0 of none."""
    return int(day.replace("-", "") or 0)
