"""Bearer tokens at the API's door."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from middleplatform.access.policy import policy
from middleplatform.access.tokens import Grant, Verifier
from middleplatform.api.catalogue import Catalogue
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


def needs(permission: str) -> Any:
    """A dependency: the one who asks, whose role must have a permission. Raises ApiError 401, 403."""
    words = policy().permissions[permission]

    async def permitted(grant: Annotated[Grant, Depends(asker)]) -> Grant:
        if not policy().allows(grant.role, permission):
            raise ApiError(
                403,
                "forbidden",
                f"您的角色 {grant.role} 无权{words['zh']}（{permission}）",
                f"your role {grant.role} may not {words['en']} ({permission})",
            )
        return grant

    return Depends(permitted)


async def seen(request: Request, grant: Annotated[Grant, Depends(asker)]) -> Catalogue:
    """The catalogue as the one who asks may see it: other points do not exist for it."""
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


Asker = Annotated[Grant, Depends(asker)]
Seen = Annotated[Catalogue, Depends(seen)]
