"""Bearer tokens at the API's door."""

from __future__ import annotations

from typing import Annotated

import anyio
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from middleplatform.access.tokens import Grant, Verifier
from middleplatform.api.errors import ApiError

bearer = HTTPBearer(auto_error=False, description="`sevenones token create`, or POST /api/v1/sign-in")


async def grant_of(verifier: Verifier, token: str) -> Grant:
    """What the token allows. Raises ApiError 401."""
    grant = verifier.recall(token) or await anyio.to_thread.run_sync(verifier.verify, token)
    if grant is None:
        raise unauthorised("令牌无效、过期或已撤销", "the token is unknown, expired or revoked")
    return grant


def unauthorised(zh: str, en: str) -> ApiError:
    return ApiError(401, "unauthorised", zh, en, headers={"WWW-Authenticate": "Bearer"})


async def asker(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Grant:
    """The one who asks. Raises ApiError 401."""
    if given is None:
        raise unauthorised(
            "需要令牌：Authorization: Bearer <token>", "a token is needed: Authorization: Bearer <token>"
        )
    return await grant_of(request.app.state.tokens, given.credentials)


async def admin(grant: Annotated[Grant, Depends(asker)]) -> Grant:
    """The one who asks, who must be an administrator. Raises ApiError 401, 403."""
    if grant.role != "admin":
        raise ApiError(
            403,
            "forbidden",
            "此操作需要 admin 角色的令牌",
            f"this needs a token of the role admin; yours is {grant.role}",
        )
    return grant


Asker = Annotated[Grant, Depends(asker)]
Admin = Annotated[Grant, Depends(admin)]
