"""What a server kept of the time in which we were away: HistoryRead of raw values.

Only values whose access level says so are asked for, some at a time and in pieces, so that the
present is never held up. A server without history costs one request.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import structlog
from asyncua import ua

from protocols.adapter import Reading
from protocols.opcua.session import ServiceRefusedError, Session
from protocols.opcua.status import words
from protocols.opcua.variant import microseconds, reading

log = structlog.get_logger(__name__)

NODES_AT_ONCE = 20
VALUES_AT_ONCE = 1_000
"""Of one node, in one answer."""
MAX_VALUES = 1_000_000
"""Of one node: a server that never comes to an end is not followed."""
AHEAD_US = 60_000_000
"""A server's clock may be ahead of ours by so much."""
_MAY_READ_HISTORY = 1 << 2
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


States = Mapping[int, Callable[[Any], float]]


async def missed(
    session: Session, nodes: Mapping[int, Any], types: Mapping[int, str], states: States, since: int, until: int
) -> AsyncIterator[Reading]:
    """The values between two times, µs UTC, in pieces; `nodes` is by tag index. Raises LinkLost."""
    try:
        kept = await _with_history(session, nodes)
        for start in range(0, len(kept), NODES_AT_ONCE):
            some = {index: nodes[index] for index in kept[start : start + NODES_AT_ONCE]}
            async for piece in _some(session, some, types, states, since, until + AHEAD_US):
                yield piece
    except ServiceRefusedError as error:
        log.warning("opcua_history_refused", server=session.where, reason=str(error))


async def _with_history(session: Session, nodes: Mapping[int, Any]) -> list[int]:
    """Those whose history this user may read."""
    found: list[int] = []
    indices = list(nodes)
    for start in range(0, len(indices), 500):
        some = indices[start : start + 500]
        asked = session.services.read_attributes([nodes[index] for index in some], ua.AttributeIds.UserAccessLevel)
        for index, data in zip(some, await session.ask(asked), strict=False):
            level = data.Value.Value if data.Value is not None else None
            if isinstance(level, int) and level & _MAY_READ_HISTORY:
                found.append(index)
    return found


async def _some(
    session: Session, nodes: Mapping[int, Any], types: Mapping[int, str], states: States, since: int, until: int
) -> AsyncIterator[Reading]:
    """All values of a few nodes. What each was last asked: from when, or with which continuation point."""
    places: dict[int, tuple[int, Any]] = dict.fromkeys(nodes, (since, None))
    taken = 0
    while places:
        # Nodes at the same place in time share a request, as its start is for all of them.
        start = min(at for at, _ in places.values())
        asked = [index for index, (at, _) in places.items() if at == start]
        values = [ua.HistoryReadValueId(nodes[index], ContinuationPoint=places[index][1]) for index in asked]
        answers = await session.ask(session.services.history_read(_request(start, until, values)))
        index: list[int] = []
        data: list[Any] = []
        for number, answer in zip(asked, answers, strict=False):
            status = int(answer.StatusCode.value)
            if status & 0x80000000:
                log.warning("opcua_history_refused", server=session.where, tag=number, reason=words(status))
                del places[number]
                continue
            found = _values(answer)
            index += [number] * len(found)
            data += found
            places_next = _next(places.pop(number), found, answer.ContinuationPoint)
            if places_next is not None:
                places[number] = places_next
        for number in asked[len(answers) :]:
            places.pop(number, None)
        taken += len(data)
        if data:
            yield reading(index, data, types, states)
        if taken > MAX_VALUES * len(nodes):
            log.warning("opcua_history_endless", server=session.where, values=taken)
            return


def _next(place: tuple[int, Any], found: list[Any], point: Any) -> tuple[int, Any] | None:
    """Where to go on; None at the end. Some servers keep to the number that was asked for and give no
    continuation point with it: then there may be more after the last."""
    if point and found:
        return place[0], point
    if len(found) < VALUES_AT_ONCE:
        return None
    last = microseconds(found[-1].SourceTimestamp)
    return (last if last > place[0] else place[0] + 1), None


def _values(answer: Any) -> list[Any]:
    """The values of one node that have a time: without one they belong nowhere."""
    held = getattr(answer.HistoryData, "DataValues", None) or []
    return [value for value in held if isinstance(value, ua.DataValue) and value.SourceTimestamp is not None]


def _request(start: int, end: int, nodes: list[Any]) -> Any:
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified = False
    details.StartTime = _EPOCH + datetime.timedelta(microseconds=start)
    details.EndTime = _EPOCH + datetime.timedelta(microseconds=end)
    details.NumValuesPerNode = VALUES_AT_ONCE
    details.ReturnBounds = False
    parameters = ua.HistoryReadParameters()
    parameters.HistoryReadDetails = details
    parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    # True would give the continuation points back instead of going on from them.
    parameters.ReleaseContinuationPoints = False
    parameters.NodesToRead = nodes
    return parameters
