"""Bearer tokens and session cookies at the API's door."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from middleplatform.access.policy import policy
from middleplatform.access.tokens import Grant, Verifier
from middleplatform.api import session
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.audit.actor import Actor, act_as

bearer = HTTPBearer(auto_error=False, description="`sevenones token create`, or POST /api/v1/sign-in")


async def grant_of(verifier: Verifier, token: str) -> Grant:
    """What the token allows. Raises ApiError 401."""
    grant = verifier.recall(token) or await anyio.to_thread.run_sync(verifier.verify, token)
    if grant is None:
        raise unauthorised("令牌无效、过期或已撤销", "the token is unknown, expired or revoked")
    return grant


def unauthorised(zh: str, en: str) -> ApiError:
    return ApiError(401, "unauthorised", zh, en, headers={"WWW-Authenticate": "Bearer"})


async def known(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Grant:
    """The one who asks, also where the password has first to be changed. A bearer token goes before a cookie.
    Raises ApiError 401, and 403 for a cookie that another site's page makes use of."""
    grant = await _known(request, given)
    act_as(Actor(grant.user or f"token:{grant.id}:{grant.name}", address_of(request)))
    return grant


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


async def _known(request: Request, given: HTTPAuthorizationCredentials | None) -> Grant:
    if given is not None:
        return await grant_of(request.app.state.tokens, given.credentials)
    token = session.token_of(request)
    if token is None:
        raise unauthorised(
            "需要令牌：Authorization: Bearer <token>", "a token is needed: Authorization: Bearer <token>"
        )
    grant = await grant_of(request.app.state.tokens, token)
    session.check_csrf(request, token)
    return grant


async def asker(grant: Annotated[Grant, Depends(known)]) -> Grant:
    """The one who asks. Raises ApiError 401, 403."""
    check_changed(grant)
    return grant


def check_changed(grant: Grant) -> None:
    """Raises ApiError 403 where the password is one that somebody else set."""
    if grant.must_change:
        raise ApiError(
            403,
            "password_change_needed",
            "请先更改初始密码：POST /api/v1/me/password",
            "change the initial password first: POST /api/v1/me/password",
        )


def needs(permission: str) -> Any:
    """A dependency: the one who asks, whose role must have a permission. Raises ApiError 401, 403."""
    policy().permissions[permission]  # a slip in code shows when the program starts

    async def permitted(grant: Annotated[Grant, Depends(asker)]) -> Grant:
        permit(grant, permission)
        return grant

    return Depends(permitted)


def permit(grant: Grant, permission: str) -> None:
    """Raises ApiError 403 unless the one who asks has a permission."""
    if permission not in grant.may:
        words = policy().permissions[permission]
        raise ApiError(
            403,
            "forbidden",
            f"您的角色 {grant.role} 无权{words['zh']}（{permission}）",
            f"your role {grant.role} may not {words['en']} ({permission})",
        )


async def seen(request: Request, grant: Annotated[Grant, Depends(asker)]) -> Catalogue:
    """The catalogue as the one who asks may see it: other points do not exist for it."""
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue.within(grant.scope)


PLACES = "site.read"
"""Without it nothing tells where devices are on the network."""

Asker = Annotated[Grant, Depends(asker)]
Known = Annotated[Grant, Depends(known)]
Seen = Annotated[Catalogue, Depends(seen)]
