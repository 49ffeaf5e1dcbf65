"""The session cookie of a browser, and what keeps other sites' pages from using it.

The cookie is HttpOnly and SameSite=Strict. A request that may change something has to repeat, in a header, a word
that only our own pages can have read; a WebSocket has to come from our own origin.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.requests import HTTPConnection

from middleplatform.api.errors import ApiError

COOKIE = "sevenones_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def csrf_of(token: str) -> str:
    """The word that goes with a session: it follows from the token, which it does not tell."""
    return hmac.new(token.encode("utf-8", "replace"), b"csrf", hashlib.sha256).hexdigest()


def token_of(connection: HTTPConnection) -> str | None:
    """The token in the cookie; None without one."""
    return connection.cookies.get(COOKIE)


def check_csrf(request: Request, token: str) -> None:
    """Raises ApiError 403 for a request by cookie that may change something and comes from elsewhere."""
    if request.method in _SAFE:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_of(token).encode()) or not same_origin(request, absent=True):
        raise ApiError(
            403,
            "csrf",
            f"会话 Cookie 的写请求须带请求头 {CSRF_HEADER}，其值见 /api/v1/me",
            f"a request by session cookie that changes something needs the header {CSRF_HEADER}; /api/v1/me gives it",
            CSRF_HEADER,
        )


def same_origin(connection: HTTPConnection, *, absent: bool) -> bool:
    """Whether the page that asks was served by us; `absent`: what a request without an Origin counts as."""
    origin = connection.headers.get("origin")
    if origin is None:
        return absent
    try:
        return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower() != ""
    except ValueError:
        return False


def give(request: Request, response: Response, token: str, seconds: int) -> None:
    """Put the session into the browser."""
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def take(response: Response) -> None:
    """Take the session out of the browser."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
