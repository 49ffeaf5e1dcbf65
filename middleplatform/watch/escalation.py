"""What nobody acknowledged in time goes up a level, and others are told."""

from __future__ import annotations

from middleplatform.alarms import book
from middleplatform.alarms.annunciation import Annunciation
from middleplatform.alarms.condition import Act, Change
from middleplatform.alarms.groups import UNACKNOWLEDGED
from middleplatform.database import Place


def escalations(where: Place, mine: str, how: Annunciation, now: int) -> list[Change]:
    """What goes up a level at `now`, µs UTC. What returned by itself before anybody saw it waits as well;
    what is suppressed waits for nobody."""
    found = []
    for each in book.alarms_of(where, mine, at=now):
        if each.state not in UNACKNOWLEDGED or each.suppressed:
            continue
        # Since it first came, however often it came and went; and whichever way a clock was set.
        since = each.since if each.waits_since is None else each.waits_since
        level = how.level(each.priority, abs(now - since))
        if level > each.level:
            step = how.told(each.priority, level)
            note = None if step is None else f"{step.zh} · {step.en}"
            facts = (each.rule_version, each.priority, each.kind, each.statutory)
            found.append(Change(each.rule, each.subject, Act.ESCALATE, now, *facts, level=level, note=note))
    return found
