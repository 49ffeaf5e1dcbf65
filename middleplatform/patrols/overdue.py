"""Which patrols are overdue: pure, so that whoever raises alarms can ask with its own clock.

A patrol is due `every` after the last check-in, at the earliest after the plan came into force. Check-ins are looked
for some time back: where none is known, there may be one just before that, and it is due after this at the latest. A
check-in is an event of the kind `patrol` of an equipment in the chamber, or a card that its reader saw. Before the
platform kept anything of the mine it could hear of none: a patrol is due one whole interval after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from models.patrol import Chamber, Plan
from models.site.model import Site

KIND = "patrol"
"""Of the events that are check-ins."""
BACK = 2.0
"""How far back is looked for check-ins, in intervals of the longest plan."""
GRACE_S = 15 * 60.0
"""How late a patrol may be before it is told: the walk is not to the minute. Set by us."""


@dataclass(frozen=True, slots=True)
class Duty:
    """How a chamber stands with its plan. `last`: the last check-in, None where none is known; `since`: when the plan
    came into force; `due`: when the next is, and where no last one is known, when at the latest; `late_s`: how long it
    is overdue beyond the grace, where no last one is known at least so long, 0 while it is not; `looked_s`: how far
    back a check-in would be known. Times µs UTC."""

    chamber: Chamber
    plan: Plan
    last: int | None
    since: int
    due: int
    late_s: float
    looked_s: float

    @property
    def overdue(self) -> bool:
        return self.late_s > 0


def looked_back_s(site: Site) -> float:
    """How far back check-ins are looked for: what is older is overdue in any case, by more than the grace."""
    longest = max((plan.every_s for each in site.chambers.values() for plan in each.plans), default=0.0)
    return max(BACK * longest, longest + 2 * GRACE_S)


def duties(site: Site, last: Mapping[str, int], now: int, kept: int = 0) -> list[Duty]:
    """Of every chamber with a plan in force. `last`: chamber → its last check-in; `kept`: from when on the platform
    keeps what the mine tells; both and `now` µs UTC."""
    zone = ZoneInfo(site.time_zone)
    begin = max(now - round(looked_back_s(site) * 1e6), min(kept, now))
    today = datetime.fromtimestamp(now / 1e6, UTC).astimezone(zone).date()
    found = []
    for chamber in site.chambers.values():
        plan = chamber.plan_at(today)
        if plan is None:
            continue
        begun = round(datetime.combine(plan.effective_from, time(), zone).timestamp() * 1e6)
        seen = last.get(chamber.id)
        # A plan that came into force after the last check-in asks for one from then on.
        due = max(begun, begin if seen is None else seen) + round(plan.every_s * 1e6)
        late = (now - due) / 1e6 - GRACE_S
        found.append(Duty(chamber, plan, seen, begun, due, max(0.0, late), (now - begin) / 1e6))
    return found


def overdue(site: Site, last: Mapping[str, int], now: int, kept: int = 0) -> list[Duty]:
    """Those that are late, the latest first."""
    return sorted((duty for duty in duties(site, last, now, kept) if duty.overdue), key=lambda duty: -duty.late_s)
