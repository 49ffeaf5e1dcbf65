"""Which alarms a caller asks for: filters over what an alarm is, in the words of what the caller sees."""

from __future__ import annotations

from collections.abc import Callable

from middleplatform.alarms.condition import Alarm
from middleplatform.alarms.groups import UNACKNOWLEDGED
from middleplatform.api.alarm_schemas import OfAlarms, StandingQuery
from middleplatform.api.alarm_sight import Telling, check_area
from middleplatform.api.catalogue import Catalogue

Fits = Callable[[Alarm], bool]


def of_these(asked: OfAlarms, catalogue: Catalogue, telling: Telling) -> Fits | None:
    """Whether an alarm is one that was asked for; None where nothing narrows it. Raises ApiError 404 for an area or an
    equipment that is not seen."""
    if asked.area is not None:
        check_area(catalogue.site, asked.area)
    machine = None if asked.equipment is None else catalogue.equipment_path(asked.equipment).partition("/")[2]
    words = asked.q.lower().split()
    if not (asked.priority is not None or asked.kind or asked.area is not None or machine is not None or words):
        return None

    def fits(each: Alarm) -> bool:
        return (
            (asked.priority is None or each.priority == asked.priority)
            and (not asked.kind or each.kind == asked.kind)
            and (machine is None or telling.machine(each.rule, each.subject) == machine)
            and (asked.area is None or asked.area in telling.areas(each.subject))
            and (not words or _holds(telling.words(each), words))
        )

    return fits


def standing(asked: StandingQuery, catalogue: Catalogue, telling: Telling) -> Fits:
    """The same, of alarms as they are now. Raises ApiError 404."""
    of = of_these(asked, catalogue, telling)

    def fits(each: Alarm) -> bool:
        return (
            (asked.suppressed == "all" or bool(each.suppressed) == (asked.suppressed == "yes"))
            and (not asked.state or each.state in (UNACKNOWLEDGED if asked.state == "waiting" else {asked.state}))
            and (of is None or of(each))
        )

    return fits


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)
