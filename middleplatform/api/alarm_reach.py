"""How a route finds an alarm, tells of it, and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from fastapi import Request
from starlette.datastructures import State

from middleplatform.access.errors import AccessError
from middleplatform.access.policies import policy_of
from middleplatform.access.users import find_user
from middleplatform.alarms import book
from middleplatform.alarms.condition import Alarm, AlarmError
from middleplatform.api.alarm_sight import Telling, sees
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json
from middleplatform.database import Place

T = TypeVar("T")


def telling_of(state: State, catalogue: Catalogue) -> Telling:
    """Alarms in the words of what the caller sees; `state` is the application's."""
    return Telling(catalogue.site, state.rule_names, state.watch.chattering)


async def alarm_seen(request: Request, catalogue: Catalogue, number: int) -> Alarm:
    """An alarm in the caller's scope; any other does not exist. Raises ApiError 404."""

    def look() -> Alarm:
        found = book.find(request.app.state.database, catalogue.site.code, number)
        if not sees(catalogue)(found.subject):
            raise AlarmError("unknown_alarm", f"没有报警 {number}", f"there is no alarm {number}")
        return found

    return await done(look)


async def told(request: Request, catalogue: Catalogue, alarm: Alarm) -> Json:
    """The answer that is one alarm."""

    def look() -> dict[str, Any]:
        where = request.app.state.database
        named, seen = book.subjects_of(where, catalogue.site.code), sees(catalogue)
        return telling_of(request.app.state, catalogue).facts(
            alarm,
            lambda number: number in named and seen(named[number][1]),
            book.raised_values(where, [alarm.id]).get(alarm.id),
        )

    return Json(await anyio.to_thread.run_sync(look))


async def done(work: Callable[[], T]) -> T:
    """What the book does, in a thread. Raises ApiError for what it refuses."""
    try:
        return await anyio.to_thread.run_sync(work)
    except AlarmError as error:
        raise ApiError(_STATUS.get(error.code, 400), error.code, error.zh, error.en) from None


def may_allow(where: Place, name: str) -> bool:
    """Whether a user is one who may suppress alarms."""
    try:
        return policy_of(where).allows(find_user(where, name).role, "alarm.suppress")
    except AccessError:
        return False


_STATUS = {
    "unknown_alarm": 404,
    "unknown_raise": 404,
    "unknown_ticket": 404,
    "unknown_approver": 404,
    "not_allowed_by": 409,
    "statutory_alarm": 409,
    "suppressed_already": 409,
    "not_suppressed": 409,
    "not_latched": 409,
    "still_active": 409,
}
