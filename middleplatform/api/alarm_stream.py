"""`/api/v1/alarms/stream`: the board of alarms over a WebSocket.

The token comes as for `/api/v1/stream`. Then the client says `{"subscribe": {"area": id or null}}`, and receives the
board, as `/api/v1/alarms/groups` answers it, whenever it is another one:

    {"snapshot": true, "t": µs, "board": {…}}
    {"t": µs, "board": {…}}
    {"t": µs}                       nothing changed

once a second: no frame for 3 s means that what is shown is old. A slow client misses boards, never the newest one.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
from fastapi import APIRouter, WebSocket
from starlette.datastructures import State

from middleplatform.access.tokens import CACHE_S, Grant
from middleplatform.api.alarm_board import board
from middleplatform.api.alarm_choice import standing
from middleplatform.api.alarm_reach import telling_of
from middleplatform.api.alarm_schemas import StandingQuery
from middleplatform.api.alarm_sight import check_area
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import encode
from middleplatform.api.sockets import attend, entered, granted, word_of
from middleplatform.api.times import now_us

INTERVAL_S = 1.0
SEND_S = 10.0
CLIENTS = 200
GROUPS = 200
"""Groups that a board has; the most urgent are there, and `total` says how many there are."""
_PERMISSION = "alarm.read"

router = APIRouter()


class Boards:
    """The boards that somebody looks at, each looked up once an interval however many look at it."""

    def __init__(self) -> None:
        self.clients = 0
        self._turn = asyncio.Lock()
        self._held: dict[tuple[Any, str | None], tuple[int, bytes]] = {}

    async def of(self, state: State, catalogue: Catalogue, area: str | None) -> bytes:
        """As JSON, at most an interval old."""
        key, now = (catalogue.scope, area), now_us()
        async with self._turn:
            held = self._held.get(key)
            if held is None or now - held[0] > INTERVAL_S * 0.9e6:
                found = await anyio.to_thread.run_sync(_board, state, catalogue, area)
                self._held = {each: had for each, had in self._held.items() if now - had[0] < 10e6}
                held = self._held[key] = (now, encode(found))
            return held[1]


def _board(state: State, catalogue: Catalogue, area: str | None) -> dict[str, Any]:
    telling = telling_of(state, catalogue)
    return board(state, catalogue, standing(StandingQuery(area=area), catalogue, telling), 0, GROUPS)


@router.websocket("/alarms/stream")
async def stream(socket: WebSocket) -> None:
    boards: Boards = socket.app.state.boards
    await attend(socket, boards, CLIENTS, lambda offered: _serve(socket, boards, offered))


async def _serve(socket: WebSocket, boards: Boards, offered: list[str]) -> None:
    token, grant, word = await entered(socket, offered, _PERMISSION)
    area = _area(socket, word, grant)
    hearing = asyncio.create_task(word_of(socket, wait_s=None))
    clock = asyncio.get_running_loop().time
    checked, told = clock(), b""
    try:
        while True:
            catalogue = socket.app.state.catalogue.within(grant.scope)
            now = await boards.of(socket.app.state, catalogue, area)
            head = b'"snapshot":true,' if not told else b""
            body = b',"board":' + now if now != told else b""
            async with asyncio.timeout(SEND_S):
                await socket.send_text((b'{%b"t":%d%b}' % (head, now_us(), body)).decode())
            told = now
            await asyncio.wait((hearing,), timeout=INTERVAL_S)
            if hearing.done():
                area, told = _area(socket, hearing.result(), grant), b""
                hearing = asyncio.create_task(word_of(socket, wait_s=None))
            if clock() - checked > CACHE_S:
                grant, checked = await granted(socket, token, _PERMISSION), clock()
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


def _area(socket: WebSocket, word: dict[str, Any], grant: Grant) -> str | None:
    """Which area is subscribed to, None for all. Raises ApiError."""
    wanted = word.get("subscribe")
    if not isinstance(wanted, dict) or set(wanted) - {"area", "all"}:
        words = 'say {"subscribe": {"area": an area or null}}'
        raise ApiError(400, "invalid_subscription", f"订阅有误：{words}", words, "subscribe")
    area = wanted.get("area")
    if area is not None:
        if not isinstance(area, str):
            raise ApiError(400, "invalid_subscription", "area 须为文本", "area must be a text", "area")
        check_area(socket.app.state.catalogue.within(grant.scope).site, area)
    return area
