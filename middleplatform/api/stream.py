"""`/api/v1/stream`: live values over a WebSocket, a snapshot first, then what changed.

The token comes in the Authorization header, as the second subprotocol of `bearer, <token>`, in the cookie
of a browser's session, or in the first message `{"token": …}`: never in the address, which others log.
Then the client says what it wants, and may say it anew at any time:

    {"subscribe": {"points": [paths or ids], "equipment": [ids], "interval_s": 1}}     neither: all points

It receives text frames of JSON:

    {"snapshot": {"points": [paths], "ids": […], "units": […], "interval_s": 1}, "t": now, "i": [0, 1, …], …}
    {"t": now, "i": [places], "v": [values], "q": [qualities], "ts": [µs], "s": [texts, only if any],
     "m": [entered or corrected by a person, only if any]}

once an interval, also when nothing changed: no frame for 3 s means that what is shown is old. `i` are
places in the snapshot's points. `q` is the quality as it may be shown, so a value that turns stale is
sent again with quality 20. A slow client gets fewer, larger frames; one that takes none is let go.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from middleplatform.access.tokens import CACHE_S, Grant
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.feed import Client, Hub
from middleplatform.api.routes import chosen_rows
from middleplatform.api.sockets import REFUSED, TRY_LATER, entered, granted, part, word_of

SEND_S = 10.0
"""A client that does not take a frame in this time is let go: it would only see the past."""
RENEW_S = 0.2
"""What a new subscription waits, so that a flood of them costs its sender most."""
CLIENTS = 500

router = APIRouter()


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    hub: Hub = socket.app.state.hub
    offered = socket.scope.get("subprotocols", [])
    await socket.accept("bearer" if offered[:1] == ["bearer"] else None)
    if hub.sockets >= CLIENTS:
        await socket.close(TRY_LATER, "too many clients now, try again later")
        return
    hub.sockets += 1
    try:
        await _serve(socket, hub, offered)
    except ApiError as error:
        await part(socket, REFUSED, error.message, error.body().decode())
    except TimeoutError:
        hub.slow += 1
        await part(socket, TRY_LATER, "too slow: no frame was taken in time")
    except (WebSocketDisconnect, RuntimeError):
        pass  # it left while it was spoken to
    finally:
        hub.sockets -= 1


async def _serve(socket: WebSocket, hub: Hub, offered: list[str]) -> None:
    token, grant, word = await entered(socket, offered, "live.read")
    client = _join(socket, hub, word, grant)
    try:
        hearing = asyncio.create_task(word_of(socket, wait_s=None))
        checked = asyncio.get_running_loop().time()
        while True:
            frame = asyncio.create_task(client.next())
            try:
                await asyncio.wait((frame, hearing), return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    word = hearing.result()
                    await asyncio.sleep(RENEW_S)
                    hearing = asyncio.create_task(word_of(socket, wait_s=None))
                    renewed = _join(socket, hub, word, grant)
                    hub.leave(client)
                    client = renewed
                    continue
                async with asyncio.timeout(SEND_S):
                    await socket.send_text(frame.result())
            finally:
                frame.cancel()
            if asyncio.get_running_loop().time() - checked > CACHE_S:
                now = await granted(socket, token, "live.read")
                if now.scope != grant.scope:
                    renewed = _join(socket, hub, word, now)
                    hub.leave(client)
                    client = renewed
                grant = now
                checked = asyncio.get_running_loop().time()
    finally:
        hub.leave(client)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


def _join(socket: WebSocket, hub: Hub, word: dict[str, Any], grant: Grant) -> Client:
    rows, interval_s = _subscription(socket.app.state.catalogue.within(grant.scope), word)
    return hub.join(rows, interval_s)


def _subscription(catalogue: Catalogue, word: dict[str, Any]) -> tuple[NDArray[np.intp], float]:
    """Rows and pace. Raises ApiError."""
    wanted = word.get("subscribe")
    if not isinstance(wanted, dict):
        raise _wrong("subscribe", "须为对象", 'say {"subscribe": {"points": […]}}')
    unknown = sorted(set(wanted) - {"points", "equipment", "all", "interval_s"})
    if unknown:
        raise _wrong(str(unknown[0])[:40], "没有此项", "takes points, equipment, all and interval_s only")
    points, equipment = (_names(wanted, name) for name in ("points", "equipment"))
    interval = wanted.get("interval_s", 1.0)
    if isinstance(interval, bool) or not isinstance(interval, int | float) or not 0.2 <= interval <= 60:
        raise _wrong("interval_s", "须在 0.2 至 60 之间", "must be from 0.2 to 60")
    return chosen_rows(catalogue, points, equipment), round(float(interval), 1)


def _names(wanted: dict[str, Any], name: str) -> list[str]:
    given = wanted.get(name)
    if given is None:
        return []
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names) or not any(names):
        raise _wrong(name, "须为非空的文本列表", "must be a list of texts that is not empty")
    return names


def _wrong(where: str, zh: str, en: str) -> ApiError:
    return ApiError(400, "invalid_subscription", f"{where} {zh}", f"{where} {en}", where)
