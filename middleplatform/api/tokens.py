"""Tokens for programs: made, listed and revoked by those who manage users, each within what it may itself."""

from __future__ import annotations

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from middleplatform.access.errors import AccessError
from middleplatform.access.policy import DEFAULT_ROLE
from middleplatform.access.tokens import TokenFacts, create_token, list_tokens
from middleplatform.api.auth import Asker, needs
from middleplatform.api.errors import ApiError
from middleplatform.api.reach import ScopeGiven, check_role, scope_of, within_reach
from middleplatform.api.responses import refusals
from middleplatform.api.signin import access_refused, revoke
from middleplatform.api.times import iso

log = structlog.get_logger("api")
router = APIRouter()


class TokenRow(BaseModel):
    """`user`: whose sign-in made it; `maker`: the user who made it for others. `scope`: bounds that all hold."""

    id: int
    name: str
    role: str
    user: str | None
    maker: str | None
    created: str
    expires: str | None
    revoked: str | None
    scope: list[dict[str, list[str]]]


class NewToken(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    role: str = Field(DEFAULT_ROLE, max_length=20)
    days: float | None = Field(None, gt=0, le=36_500, description="有效天数，缺省为长期 · days; none: for ever")
    scope: ScopeGiven = Field(ScopeGiven(), description="数据范围，只能收窄 · what it may see of what its maker sees")


class MadeToken(BaseModel):
    token: str


@router.get("/tokens", dependencies=[needs("users.manage")])
async def tokens(request: Request, asker: Asker) -> list[TokenRow]:
    """令牌列表，不含令牌本身 · The tokens' facts, never the tokens: of those within the asker's own scope."""
    rows = await anyio.to_thread.run_sync(list_tokens, request.app.state.database)
    return [_row(row) for row in rows if within_reach(asker, row.scope)]


@router.post("/tokens", dependencies=[needs("users.manage")], status_code=201, responses=refusals(400, 413))
async def make(request: Request, asker: Asker, given: NewToken) -> MadeToken:
    """生成令牌，仅返回一次 · Make a token, which is told this once. It never may or sees more than its maker."""
    await check_role(request, asker, given.role)
    maker = asker.user or asker.maker
    try:
        scope = scope_of(given.scope)
        if asker.user is None:  # a user's own scope is looked up whenever the token is used
            scope = asker.scope.narrowed(scope)
        token = await anyio.to_thread.run_sync(
            create_token, request.app.state.database, given.name, given.role, given.days, None, scope, maker
        )
    except AccessError as error:
        raise access_refused(error) from None
    log.info("令牌已生成 · a token was made", name=given.name, role=given.role, by=asker.user or asker.name)
    return MadeToken(token=token)


@router.delete("/tokens/{number}", dependencies=[needs("users.manage")], status_code=204, responses=refusals(400, 404))
async def end(request: Request, asker: Asker, number: int = Path(ge=1, le=2**53)) -> Response:
    """撤销令牌 · Revoke a token: from then on it opens nothing."""
    rows = await anyio.to_thread.run_sync(list_tokens, request.app.state.database)
    mine = any(row.id == number and within_reach(asker, row.scope) for row in rows)
    if not mine or not await revoke(request, number):
        raise ApiError(404, "unknown_token", f"没有编号 {number} 的令牌", f"there is no token {number}", "number")
    log.info("令牌已撤销 · a token was revoked", number=number, by=asker.user or asker.name)
    return Response(status_code=204)


def _row(row: TokenFacts) -> TokenRow:
    return TokenRow(
        id=row.id,
        name=row.name,
        role=row.role,
        user=row.user,
        maker=row.maker,
        created=iso(row.created),
        expires=None if row.expires is None else iso(row.expires),
        revoked=None if row.revoked is None else iso(row.revoked),
        scope=row.scope.as_json(),
    )
