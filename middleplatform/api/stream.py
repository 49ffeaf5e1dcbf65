"""`/api/v1/stream`: live values over a WebSocket, a snapshot first, then what changed.

The client authenticates with the Authorization header or, where it cannot set one (a browser), by its
first message `{"token": …}`: a token never stands in an address. Then it sends one
`{"subscribe": {"points": [...] | "equipment": … , "interval_s": 1}}`. It receives

    {"snapshot": {"points": [paths], "units": […]}, "t": now, "i": [0, 1, …], "v": […], "q": […], "ts": […]}
    {"t": now, "i": [places], "v": […], "q": […], "ts": […]}       once an interval, also when empty

`i` are places in the snapshot's points; `q` is the quality as it may be shown, so a value that turns
stale is sent again as bad. A frame every interval is the sign of life: none for 3 s means stale.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from middleplatform.access.tokens import Verifier
from middleplatform.api import times
from middleplatform.api.auth import grant_of
from middleplatform.api.errors import ApiError
from middleplatform.api.live import NEVER, LiveTable
from middleplatform.api.routes import chosen_rows

FIRST_WORD_S = 10.0
SEND_S = 5.0
"""A client that does not take a frame in this time is let go: it would only see the past."""
CLIENTS = 500
REFUSED, TOO_SLOW, TOO_MANY = 1008, 1013, 1013

router = APIRouter()


class Feed:
    """What one client has seen of its rows."""

    def __init__(self, table: LiveTable, rows: NDArray[np.intp]) -> None:
        self._table, self._rows = table, rows
        self._seen = -1
        self._shown = np.zeros(len(rows), np.uint8)

    def frame(self, now: int) -> dict[str, Any]:
        """What changed since the last frame, as columns; the first time all of it."""
        table = self._table
        quality = table.shown_quality(now, self._rows)
        news = (table.change[self._rows] > self._seen) | (quality != self._shown)
        self._seen, self._shown = table.changes, quality
        places = np.flatnonzero(news)
        rows = self._rows[places]
        frame: dict[str, Any] = {"t": now, "i": places, "v": table.value[rows], "q": quality[places]}
        ts = table.ts[rows]
        frame["ts"] = np.where(ts == NEVER, 0, ts)
        text = table.text[rows]
        if any(word is not None for word in text):
            frame["s"] = text.tolist()
        return frame


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    state = socket.app.state
    await socket.accept()
    if state.streams >= CLIENTS:
        await socket.close(TOO_MANY, "too many clients now, try again later")
        return
    state.streams += 1
    try:
        await _serve(socket)
    except ApiError as error:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            words = {"error": {"code": error.code, "message": error.en, "message_zh": error.zh}}
            await socket.send_text(json.dumps(words, ensure_ascii=False))
            await socket.close(REFUSED, error.en[:100])
    except TimeoutError:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(TOO_SLOW, "you take frames too slowly")
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        state.streams -= 1


async def _serve(socket: WebSocket) -> None:
    state = socket.app.state
    await _authenticate(socket, state.tokens)
    wanted = await _word(socket)
    rows, interval = _subscription(state.catalogue, wanted)
    feed = Feed(state.live, rows)
    points = [state.catalogue.points[row] for row in rows.tolist()]
    head = {"snapshot": {"points": [p.path for p in points], "units": [p.unit for p in points]}}
    await _send(socket, {**head, **feed.frame(times.now_us())})
    gone = asyncio.create_task(_until_gone(socket))
    loop = asyncio.get_running_loop()
    due = loop.time()
    try:
        while not gone.done():
            due = max(due + interval, loop.time() - interval)
            await asyncio.wait((gone,), timeout=max(0.0, due - loop.time()))
            if not gone.done():
                await _send(socket, feed.frame(times.now_us()))
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


async def _send(socket: WebSocket, frame: dict[str, Any]) -> None:
    async with asyncio.timeout(SEND_S):
        await socket.send_bytes(orjson.dumps(frame, option=orjson.OPT_SERIALIZE_NUMPY))


async def _authenticate(socket: WebSocket, tokens: Verifier) -> None:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = str((await _word(socket)).get("token", ""))
    await grant_of(tokens, token)


async def _word(socket: WebSocket) -> dict[str, Any]:
    """The client's next message. Raises ApiError."""
    try:
        async with asyncio.timeout(FIRST_WORD_S):
            word = json.loads(await socket.receive_text())
    except TimeoutError:
        raise ApiError(400, "silent", "未收到订阅", "no message within 10 s") from None
    except (ValueError, KeyError):
        raise ApiError(400, "invalid", "消息须为 JSON 文本", "a message must be JSON text") from None
    if not isinstance(word, dict):
        raise ApiError(400, "invalid", "消息须为 JSON 对象", "a message must be a JSON object")
    return word


def _subscription(catalogue: Any, word: dict[str, Any]) -> tuple[NDArray[np.intp], float]:
    wanted = word.get("subscribe")
    if not isinstance(wanted, dict):
        raise ApiError(400, "invalid", "缺少 subscribe", 'say {"subscribe": {"points": […]}}', "subscribe")
    points, equipment, interval = wanted.get("points", []), wanted.get("equipment"), wanted.get("interval_s", 1.0)
    if not isinstance(points, list) or not all(isinstance(p, str) for p in points):
        raise ApiError(400, "invalid", "points 须为文本列表", "points must be a list of texts", "points")
    if equipment is not None and not isinstance(equipment, str):
        raise ApiError(400, "invalid", "equipment 须为文本", "equipment must be text", "equipment")
    if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0.2 <= interval <= 60:
        raise ApiError(400, "invalid", "interval_s 须在 0.2 至 60 之间", "interval_s must be 0.2 to 60", "interval_s")
    return chosen_rows(catalogue, points, equipment), float(interval)


async def _until_gone(socket: WebSocket) -> None:
    """Return when the client has left; what it says meanwhile is not wanted."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
