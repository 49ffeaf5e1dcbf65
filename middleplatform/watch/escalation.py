"""What nobody acknowledged in time goes up a level, and others are told."""

from __future__ import annotations

from middleplatform.alarms import book
from middleplatform.alarms.annunciation import Annunciation
from middleplatform.alarms.condition import Act, Change, State
from middleplatform.database import Place


def escalations(where: Place, mine: str, how: Annunciation, now: int) -> list[Change]:
    """What goes up a level at `now`, µs UTC. What is suppressed waits for nobody."""
    found = []
    for each in book.alarms_of(where, mine, at=now):
        if each.state is not State.UNACKNOWLEDGED or each.suppressed:
            continue
        level = how.level(each.priority, now - each.since)
        if level > each.level:
            step = how.told(each.priority, level)
            note = None if step is None else f"{step.zh} · {step.en}"
            facts = (each.rule_version, each.priority, each.kind, each.statutory)
            found.append(Change(each.rule, each.subject, Act.ESCALATE, now, *facts, level=level, note=note))
    return found
