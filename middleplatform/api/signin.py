"""Signing in and out, and what a user may do with the own account."""

from __future__ import annotations

from typing import Any

import anyio
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from middleplatform.access import lockout, users
from middleplatform.access.errors import AccessError
from middleplatform.access.passwords import MAX_PASSWORD, MIN_PASSWORD
from middleplatform.access.throttle import Throttle
from middleplatform.access.tokens import create_token, revoke_token
from middleplatform.access.users import User
from middleplatform.api import session
from middleplatform.api.auth import Known, address_of
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import refusals
from middleplatform.audit.actor import Actor, act_as
from models.words import halves

SESSION_DAYS = 0.5
SESSION_S = int(SESSION_DAYS * 86_400)
FREE_BY_USER_AND_ADDRESS, FREE_BY_ADDRESS, FREE_BY_USER = 5, 20, 50
"""Attempts that need not wait. A name alone waits late, so that nobody is kept out by strangers soon."""

log = structlog.get_logger("api")
router = APIRouter()


class SignIn(BaseModel):
    user: str = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=200)
    cookie: bool = Field(
        False, description="以 HttpOnly Cookie 保存会话，令牌不返回 · keep the session in a cookie, not in the answer"
    )


class NewPassword(BaseModel):
    old: str = Field(min_length=1, max_length=200)
    new: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)


class SignedIn(BaseModel):
    """The token (null where it is in the cookie), and the seconds for which it holds. `csrf` goes into the header
    X-CSRF-Token of what a page changes by cookie. `must_change`: nothing is open before the password is changed."""

    token: str | None
    csrf: str | None
    user: str
    role: str
    expires_s: int
    must_change: bool


class Me(BaseModel):
    """The one who asks. `scope`: bounds that all hold, none for everything."""

    name: str
    user: str | None
    role: str
    permissions: list[str]
    scope: list[dict[str, list[str]]]
    must_change: bool
    csrf: str | None


@router.post("/sign-in", tags=["open"], responses=refusals(400, 401, 413, 429))
async def sign_in(request: Request, response: Response, given: SignIn) -> SignedIn:
    """用户名与密码换取半天有效的会话 · A session for half a day, for user and password."""
    act_as(Actor("", address_of(request)))
    user = await _checked(request, given.user, given.password)
    act_as(Actor(user.name, address_of(request)))
    log.info("已登录 · signed in", user=user.name, address=address_of(request))
    return await _open(request, response, user, given.cookie)


@router.post("/sign-out", status_code=204, responses=refusals(400))
async def sign_out(request: Request, asker: Known) -> Response:
    """撤销登录所得的令牌 · Revoke the token of this sign-in. A token made by hand is left as it is."""
    if asker.user is None:
        raise ApiError(
            400, "not_signed_in", "此令牌并非登录所得", "this token was not made by a sign-in: an admin may revoke it"
        )
    await revoke(request, asker.id)
    response = Response(status_code=204)
    session.take(response)
    return response


@router.get("/me")
async def me(request: Request, asker: Known) -> Me:
    """本人的角色、权限与数据范围 · Who asks, what that role may do, and what is seen."""
    cookie = session.token_of(request) if "authorization" not in request.headers else None
    return Me(
        name=asker.name,
        user=asker.user,
        role=asker.role,
        permissions=sorted(asker.may),
        scope=asker.scope.as_json(),
        must_change=asker.must_change,
        csrf=None if cookie is None else session.csrf_of(cookie),
    )


@router.post("/me/password", responses=refusals(400, 413, 429))
async def change_password(request: Request, response: Response, asker: Known, given: NewPassword) -> SignedIn:
    """更改本人密码，此前的会话全部结束 · Change the own password; all earlier sessions end, a new one begins."""
    if asker.user is None:
        raise ApiError(
            400, "not_signed_in", "此令牌并非登录所得", "this token was not made by a sign-in: it has no password"
        )
    await _checked(request, asker.user, given.old)
    if given.old == given.new:
        raise ApiError(400, "same_password", "新密码须与旧密码不同", "the new password is the old one", "new")
    state = request.app.state

    def change() -> User:
        users.set_password(state.database, str(asker.user), given.new)
        return users.find_user(state.database, str(asker.user))

    try:
        user = await anyio.to_thread.run_sync(change, limiter=state.hashing)
    except AccessError as error:
        raise access_refused(error, "new") from None
    state.tokens.forget()
    log.info("密码已更改 · a password was changed", user=user.name)
    cookie = "authorization" not in request.headers and session.token_of(request) is not None
    return await _open(request, response, user, cookie)


async def revoke(request: Request, number: int) -> bool:
    """Revoke a token here and now; False when there is none."""
    found = await anyio.to_thread.run_sync(revoke_token, request.app.state.database, number)
    request.app.state.tokens.forget()
    return found


def access_refused(error: AccessError, where: str | None = None, status: int = 400) -> ApiError:
    """What is wrong with a user, token or role, in the API's form."""
    said = halves(error)
    return ApiError(status, "not_possible", said.zh, said.en, where)


async def _checked(request: Request, name: str, password: str) -> User:
    """The user of that name and password. Raises ApiError 401 when either is wrong, 429 when it is tried too often."""
    state, address = request.app.state, address_of(request)
    throttle: Throttle = state.throttle
    own: dict[Any, int] = {("both", name, address): FREE_BY_USER_AND_ADDRESS, ("address", address): FREE_BY_ADDRESS}
    if wait := throttle.begin(own):
        raise _throttled(wait)
    slow = throttle.begin({("user", name): FREE_BY_USER})
    # Half of a surrogate pair, which JSON can carry, is no text to any database.
    text = name.encode("utf-8", "replace").decode().replace("\0", "�")
    lock = await anyio.to_thread.run_sync(lockout.locked_s, state.database, text)
    if (slow or lock) and not await anyio.to_thread.run_sync(lockout.familiar, state.database, text, address):
        raise _locked(lock) if lock else _throttled(slow)
    user = await anyio.to_thread.run_sync(users.check_password, state.database, text, password, limiter=state.hashing)
    if user is None:
        locked = await anyio.to_thread.run_sync(lockout.failed, state.database, text)
        log.warning("登录被拒绝 · a sign-in was refused", address=address, locked=locked)
        raise ApiError(401, "wrong_sign_in", "用户名或密码错误", "the user or the password is wrong")
    throttle.succeeded(list(own))
    if not (slow or lock):  # else strangers go on: for them it holds
        throttle.succeeded([("user", name)])
        await anyio.to_thread.run_sync(lockout.succeeded, state.database, text)
    return user


def _throttled(seconds: float) -> ApiError:
    return _wait(
        "throttled", f"尝试次数过多，请 {seconds:.0f} 秒后再试", f"too many attempts: wait {seconds:.0f} s", seconds
    )


def _locked(seconds: float) -> ApiError:
    return _wait(
        "locked",
        f"登录失败次数过多，此用户名已锁定，请 {seconds:.0f} 秒后再试，或请管理员解锁",
        f"this name is locked after too many failures: wait {seconds:.0f} s, or ask an administrator",
        seconds,
    )


def _wait(code: str, zh: str, en: str, seconds: float) -> ApiError:
    wait_s = int(seconds) + 1
    return ApiError(429, code, zh, en, headers={"Retry-After": str(wait_s)}, wait_s=wait_s)


async def _open(request: Request, response: Response, user: User, cookie: bool) -> SignedIn:
    token = await anyio.to_thread.run_sync(
        create_token, request.app.state.database, "sign-in", user.role, SESSION_DAYS, user.name
    )
    if cookie:
        session.give(request, response, token, SESSION_S)
    return SignedIn(
        token=None if cookie else token,
        csrf=session.csrf_of(token) if cookie else None,
        user=user.name,
        role=user.role,
        expires_s=SESSION_S,
        must_change=user.must_change,
    )
