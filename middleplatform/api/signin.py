"""Signing in and out, and the list of tokens for administrators."""

from __future__ import annotations

from typing import Any

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from middleplatform.access.throttle import Throttle
from middleplatform.access.tokens import create_token, list_tokens, revoke_token
from middleplatform.access.users import check_password
from middleplatform.api.auth import Asker, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import refusals
from middleplatform.api.times import iso

SESSION_DAYS = 0.5
FREE_BY_USER_AND_ADDRESS, FREE_BY_ADDRESS, FREE_BY_USER = 5, 20, 50
"""Attempts that need not wait. A name alone waits late, so that nobody is kept out by strangers soon."""

log = structlog.get_logger("api")
router = APIRouter()


class SignIn(BaseModel):
    user: str = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=200)


class SignedIn(BaseModel):
    """The token, and the seconds for which it holds."""

    token: str
    user: str
    role: str
    expires_s: int


class TokenRow(BaseModel):
    id: int
    name: str
    role: str
    user: str | None
    created: str
    expires: str | None
    revoked: str | None


@router.post("/sign-in", tags=["open"], responses=refusals(400, 401, 413, 429))
async def sign_in(request: Request, given: SignIn) -> SignedIn:
    """用户名与密码换取半天有效的令牌 · A token for half a day, for user and password."""
    state = request.app.state
    throttle: Throttle = state.throttle
    address = request.client.host if request.client else ""
    keys: dict[Any, int] = {
        ("both", given.user, address): FREE_BY_USER_AND_ADDRESS,
        ("address", address): FREE_BY_ADDRESS,
        ("user", given.user): FREE_BY_USER,
    }
    if wait := throttle.begin(keys):
        raise ApiError(
            429,
            "throttled",
            f"尝试次数过多，请 {wait:.0f} 秒后再试",
            f"too many attempts: wait {wait:.0f} s",
            headers={"Retry-After": str(int(wait) + 1)},
        )
    role = await anyio.to_thread.run_sync(
        check_password, state.database, given.user, given.password, limiter=state.hashing
    )
    if role is None:
        log.warning("登录被拒绝 · a sign-in was refused", address=address)
        raise ApiError(401, "wrong_sign_in", "用户名或密码错误", "the user or the password is wrong")
    throttle.succeeded(list(keys))
    token = await anyio.to_thread.run_sync(create_token, state.database, "sign-in", role, SESSION_DAYS, given.user)
    return SignedIn(token=token, user=given.user, role=role, expires_s=int(SESSION_DAYS * 86_400))


@router.post("/sign-out", status_code=204, responses=refusals(400, 401))
async def sign_out(request: Request, asker: Asker) -> Response:
    """撤销登录所得的令牌 · Revoke the token of this sign-in. A token made by hand is left as it is."""
    if asker.user is None:
        raise ApiError(
            400, "not_signed_in", "此令牌并非登录所得", "this token was not made by a sign-in: an admin may revoke it"
        )
    await _revoke(request, asker.id)
    return Response(status_code=204)


@router.get("/tokens", dependencies=[needs("users.manage")], responses=refusals(401, 403))
async def tokens(request: Request) -> list[TokenRow]:
    """令牌列表，不含令牌本身 · The tokens' facts, never the tokens. For administrators."""
    rows = await anyio.to_thread.run_sync(list_tokens, request.app.state.database)
    return [
        TokenRow(
            id=row.id,
            name=row.name,
            role=row.role,
            user=row.user,
            created=iso(row.created),
            expires=None if row.expires is None else iso(row.expires),
            revoked=None if row.revoked is None else iso(row.revoked),
        )
        for row in rows
    ]


@router.delete(
    "/tokens/{number}", dependencies=[needs("users.manage")], status_code=204, responses=refusals(400, 401, 403, 404)
)
async def revoke(request: Request, number: int = Path(ge=1, le=2**53)) -> Response:
    """撤销令牌 · Revoke a token: from then on it opens nothing. For administrators."""
    if not await _revoke(request, number):
        raise ApiError(404, "unknown_token", f"没有编号 {number} 的令牌", f"there is no token {number}", "number")
    return Response(status_code=204)


async def _revoke(request: Request, number: int) -> bool:
    found = await anyio.to_thread.run_sync(revoke_token, request.app.state.database, number)
    request.app.state.tokens.forget()
    return found
