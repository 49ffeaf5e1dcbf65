"""How a route finds an alarm, tells of it, and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from fastapi import Request
from starlette.datastructures import State

from middleplatform.alarms import book
from middleplatform.alarms.condition import Alarm, AlarmError
from middleplatform.api.alarm_sight import Telling, sees
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import Json

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
        named, seen = book.subjects_of(request.app.state.database, catalogue.site.code), sees(catalogue)
        return telling_of(request.app.state, catalogue).facts(
            alarm, lambda number: number in named and seen(named[number][1])
        )

    return Json(await anyio.to_thread.run_sync(look))


async def done(work: Callable[[], T]) -> T:
    """What the book does, in a thread. Raises ApiError for what it refuses."""
    try:
        return await anyio.to_thread.run_sync(work)
    except AlarmError as error:
        raise ApiError(_STATUS.get(error.code, 400), error.code, error.zh, error.en) from None


_STATUS = {
    "unknown_alarm": 404,
    "unknown_raise": 404,
    "unknown_ticket": 404,
    "statutory_alarm": 409,
    "suppressed_already": 409,
    "not_suppressed": 409,
    "not_latched": 409,
    "still_active": 409,
}
