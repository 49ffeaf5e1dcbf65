"""How a WebSocket's client comes in, speaks, and is parted from.

The token comes in the Authorization header, as the second subprotocol of `bearer, <token>`, in the cookie of a
browser's session, or in the first message `{"token": …}`: never in the address, which others log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fastapi import WebSocket, WebSocketDisconnect

from middleplatform.access.tokens import Grant
from middleplatform.api import session
from middleplatform.api.auth import check_changed, grant_of, permit, unauthorised
from middleplatform.api.errors import ApiError

FIRST_WORD_S = 10.0
REFUSED, TRY_LATER = 1008, 1013
"""Codes of a close."""


async def granted(socket: WebSocket, token: str, permission: str) -> Grant:
    """What the token allows now, `permission` among it. Raises ApiError 401, 403."""
    grant = await grant_of(socket.app.state.tokens, token)
    check_changed(grant)
    permit(grant, permission)
    return grant


class Room(Protocol):
    """What counts its clients."""

    clients: int


async def attend(socket: WebSocket, room: Room, most: int, serve: Callable[[list[str]], Awaitable[None]]) -> None:
    """Let a client in while fewer than `most` are, `serve` it (given the subprotocols that it offered), and part from
    it with the reason."""
    offered = socket.scope.get("subprotocols", [])
    await socket.accept("bearer" if offered[:1] == ["bearer"] else None)
    if room.clients >= most:
        await socket.close(TRY_LATER, "too many clients now, try again later")
        return
    room.clients += 1
    try:
        await serve(offered)
    except ApiError as error:
        await part(socket, REFUSED, error.message, error.body().decode())
    except TimeoutError:
        await part(socket, TRY_LATER, "too slow: no frame was taken in time")
    except (WebSocketDisconnect, RuntimeError):
        pass  # it left while it was spoken to
    finally:
        room.clients -= 1


async def part(socket: WebSocket, code: int, reason: str, last: str | None = None) -> None:
    """Say goodbye, without waiting long for someone who does not listen."""
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(2):
            if last is not None:
                await socket.send_text(last)
            await socket.close(code, reason.encode()[:120].decode(errors="ignore"))


async def token_of(socket: WebSocket, offered: list[str]) -> tuple[str, dict[str, Any] | None]:
    """The token, and the first message where it came in that. Raises ApiError."""
    if socket.scope.get("query_string"):
        raise unauthorised(
            "地址中不得带参数：令牌应放在 Authorization 头、子协议或首条消息中",
            "no query here: a token goes into the Authorization header, the subprotocol or the first message",
        )
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), None
    if offered[:1] == ["bearer"] and len(offered) > 1:
        return offered[1], None
    cookie = session.token_of(socket)
    if cookie is not None:
        if not session.same_origin(socket, absent=False):
            raise unauthorised(
                "会话 Cookie 只能由本平台的页面使用", "a session cookie serves this platform's pages only"
            )
        return cookie, None
    word = await word_of(socket)
    given = word.get("token")
    if not isinstance(given, str):
        raise unauthorised("首条消息须含 token", 'a token is needed: say {"token": "so_…"} first')
    return given, word


async def entered(socket: WebSocket, offered: list[str], permission: str) -> tuple[str, Grant, dict[str, Any]]:
    """A client's token, what it allows, and what the client wants to hear: the first message where that says it too.
    Raises ApiError, WebSocketDisconnect."""
    token, word = await token_of(socket, offered)
    grant = await granted(socket, token, permission)
    if word is None or "subscribe" not in word:
        word = await word_of(socket)
    return token, grant, word


async def word_of(socket: WebSocket, wait_s: float | None = FIRST_WORD_S) -> dict[str, Any]:
    """The client's next message. Raises ApiError, WebSocketDisconnect."""
    try:
        async with asyncio.timeout(wait_s):
            message = await socket.receive()
    except TimeoutError:
        raise ApiError(400, "silent", "未收到消息", f"no message within {wait_s} s") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    try:
        word = json.loads(message.get("text") or message.get("bytes") or b"")
    except (ValueError, RecursionError):
        raise ApiError(400, "invalid_message", "消息须为 JSON", "a message must be JSON") from None
    if not isinstance(word, dict):
        raise ApiError(400, "invalid_message", "消息须为 JSON 对象", "a message must be a JSON object")
    return word
