"""What an operator sees of many alarms: each cause with its consequences, and what is alike, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from middleplatform.alarms.condition import Alarm, State

ACTIVE = frozenset({State.UNACKNOWLEDGED, State.ACKNOWLEDGED})
UNACKNOWLEDGED = frozenset({State.UNACKNOWLEDGED, State.RETURNED, State.LATCHED})
DEEPEST = 20
"""Causes of causes that are followed."""


@dataclass(frozen=True, slots=True)
class Group:
    """`head`: the cause, or of alarms that are alike the first that came; `members`: all, the head among them, the
    most urgent first. `alike`: it is one rule in one area, and no common cause is known."""

    head: Alarm
    members: tuple[Alarm, ...]
    alike: bool = False

    @property
    def urgent(self) -> Alarm:
        """The member that somebody has to look at first: what stands and nobody acknowledged before all else, whatever
        the head is, which may have been acknowledged or have returned long ago."""
        return min(self.members, key=lambda each: (each.state is not State.UNACKNOWLEDGED, *urgency(each)))

    @property
    def priority(self) -> int:
        """The most urgent one's."""
        return min(each.priority for each in self.members)

    @property
    def since(self) -> int:
        return max(each.since for each in self.members)

    @property
    def active(self) -> int:
        """Members whose process has not returned."""
        return sum(each.state in ACTIVE for each in self.members)

    @property
    def unacknowledged(self) -> int:
        return sum(each.state in UNACKNOWLEDGED for each in self.members)


def grouped(known: Sequence[Alarm], area_of: Callable[[str], str], alike: int) -> list[Group]:
    """Every alarm in one group, the most urgent group first, of these what waits for somebody, then the newest. So many
    of one rule in one area (of a subject) that have no cause of their own are `alike`."""
    by_id = {each.id: each for each in known}
    roots = {each.id: _root(each, by_id) for each in known}
    caused = Counter(roots.values())
    kinds = {each.id: (each.rule, area_of(each.subject)) for each in known if roots[each.id] == each.id}
    lonely = Counter(kind for number, kind in kinds.items() if caused[number] == 1)
    members: dict[object, list[Alarm]] = {}
    for each in known:
        root = roots[each.id]
        together = caused[root] == 1 and lonely[kinds[root]] >= alike
        members.setdefault(kinds[root] if together else root, []).append(each)
    found = []
    for key, those in members.items():
        ordered = sorted(those, key=urgency)
        if isinstance(key, int):
            found.append(Group(by_id[key], tuple(ordered)))
        else:
            found.append(Group(min(those, key=lambda each: (each.since, each.id)), tuple(ordered), alike=True))
    return sorted(found, key=lambda group: (group.priority, group.unacknowledged == 0, -group.since, group.head.id))


def urgency(alarm: Alarm) -> tuple[int, bool, int, int]:
    """What alarms are sorted by: the most urgent first, of these what nobody acknowledged, of these the newest."""
    return alarm.priority, alarm.state not in UNACKNOWLEDGED, -alarm.since, alarm.id


def _root(alarm: Alarm, by_id: dict[int, Alarm]) -> int:
    """The first cause that is known; of causes in a circle the one with the lowest id."""
    seen = [alarm.id]
    while (cause := by_id[seen[-1]].cause) is not None and cause in by_id and len(seen) < DEEPEST:
        if cause in seen:
            return min(seen[seen.index(cause) :])
        seen.append(cause)
    return seen[-1]
