"""The users, for those who manage them: each within the own role and scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import structlog
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from middleplatform.access import lockout, users
from middleplatform.access.errors import AccessError
from middleplatform.access.policy import DEFAULT_ROLE
from middleplatform.access.tokens import Grant
from middleplatform.access.users import User
from middleplatform.api.auth import Asker, needs
from middleplatform.api.errors import ApiError, shown
from middleplatform.api.reach import ScopeGiven, check_role, scope_of, within_reach
from middleplatform.api.responses import refusals
from middleplatform.api.signin import access_refused
from middleplatform.api.times import iso
from middleplatform.database import Place

T = TypeVar("T")
log = structlog.get_logger("api")
router = APIRouter(prefix="/users", dependencies=[needs("users.manage")])


class UserRow(BaseModel):
    """`scope`: bounds that all hold; `locked_s`: for how long sign-ins are refused after failures."""

    name: str
    role: str
    scope: list[dict[str, list[str]]]
    must_change: bool
    created: str
    locked_s: float


class NewUser(BaseModel):
    name: str = Field(min_length=1, max_length=40)
    role: str = Field(DEFAULT_ROLE, max_length=20)
    scope: ScopeGiven = ScopeGiven()


class Changes(BaseModel):
    """What is left out stays."""

    role: str | None = Field(None, max_length=20)
    scope: ScopeGiven | None = None


class Initial(BaseModel):
    """A password to hand over: it opens nothing but its own change."""

    user: str
    password: str


Name = Path(min_length=1, max_length=40, pattern=r"^[a-z0-9._-]{1,40}$")


@router.get("")
async def every(request: Request, asker: Asker) -> list[UserRow]:
    """用户列表 · The users, within the asker's own scope."""
    where: Place = request.app.state.database

    def rows() -> list[UserRow]:
        return [
            _row(user, lockout.locked_s(where, user.name)) for user in users.list_users(where) if _reached(asker, user)
        ]

    return await anyio.to_thread.run_sync(rows)


@router.post("", status_code=201, responses=refusals(400, 413))
async def add(request: Request, asker: Asker, given: NewUser) -> Initial:
    """添加用户，返回初始密码 · Add a user; the password in the answer is told this once, and has to be changed."""
    await check_role(request, asker, given.role)
    where: Place = request.app.state.database
    password = users.initial_password()

    def make() -> None:
        scope = asker.scope.narrowed(scope_of(given.scope))
        users.create_user(where, given.name, password, given.role, scope, must_change=True)

    await _done(request, make, hashing=True)
    log.info("用户已添加 · a user was added", user=given.name, role=given.role, by=asker.user or asker.name)
    return Initial(user=given.name, password=password)


@router.patch("/{name}", responses=refusals(400, 404, 409, 413))
async def change(request: Request, asker: Asker, given: Changes, name: str = Name) -> UserRow:
    """更改角色或数据范围，立即生效 · Change role or scope, at once also where the user is signed in."""
    where: Place = request.app.state.database
    await _find(request, asker, name)
    if given.role is not None:
        await check_role(request, asker, given.role)

    def make() -> UserRow:
        scope = None if given.scope is None else asker.scope.narrowed(scope_of(given.scope))
        users.change(where, name, role=given.role, scope=scope)
        return _row(users.find_user(where, name), lockout.locked_s(where, name))

    row = await _done(request, make)
    log.info("用户已更改 · a user was changed", user=name, role=given.role, by=asker.user or asker.name)
    return row


@router.post("/{name}/password", responses=refusals(400, 404))
async def reset(request: Request, asker: Asker, name: str = Name) -> Initial:
    """重设密码，返回新的初始密码 · A new initial password; ends the user's sessions and a lock."""
    where: Place = request.app.state.database
    await _find(request, asker, name)
    password = users.initial_password()
    await _done(request, lambda: users.set_password(where, name, password, must_change=True), hashing=True)
    log.info("密码已重设 · a password was reset", user=name, by=asker.user or asker.name)
    return Initial(user=name, password=password)


@router.delete("/{name}/lock", status_code=204, responses=refusals(400, 404))
async def unlock(request: Request, asker: Asker, name: str = Name) -> Response:
    """解除锁定 · Let a name sign in again that failures have locked."""
    where: Place = request.app.state.database
    await _find(request, asker, name)
    await anyio.to_thread.run_sync(lockout.unlock, where, name)
    log.info("已解锁 · a name was unlocked", user=name, by=asker.user or asker.name)
    return Response(status_code=204)


@router.delete("/{name}", status_code=204, responses=refusals(400, 404, 409))
async def remove(request: Request, asker: Asker, name: str = Name) -> Response:
    """删除用户，其会话结束、所发令牌撤销 · Remove a user, the sessions, and revoke the tokens that the user made."""
    where: Place = request.app.state.database
    await _find(request, asker, name)
    await _done(request, lambda: users.remove_user(where, name))
    log.info("用户已删除 · a user was removed", user=name, by=asker.user or asker.name)
    return Response(status_code=204)


async def _done(request: Request, make: Callable[[], T], *, hashing: bool = False) -> T:
    """A change, after which no token is believed from memory. Raises ApiError 400, 409."""
    limiter = request.app.state.hashing if hashing else None
    try:
        return await anyio.to_thread.run_sync(make, limiter=limiter)
    except users.LastAdministrator as error:
        raise access_refused(error, status=409) from None
    except AccessError as error:
        raise access_refused(error) from None
    finally:
        request.app.state.tokens.forget()


async def _find(request: Request, asker: Grant, name: str) -> None:
    """Raises ApiError 404 for a user who is not there or beyond the asker's scope, 403 for one beyond its role."""
    try:
        found = await anyio.to_thread.run_sync(users.find_user, request.app.state.database, name)
    except AccessError:
        found = None
    if found is None or not _reached(asker, found):
        raise ApiError(404, "unknown_user", f"没有用户 {shown(name)}", f"there is no user '{shown(name)}'", "name")
    await check_role(request, asker, found.role)


def _reached(asker: Grant, user: User) -> bool:
    return within_reach(asker, user.scope)


def _row(user: User, locked_s: float) -> UserRow:
    return UserRow(
        name=user.name,
        role=user.role,
        scope=user.scope.as_json(),
        must_change=user.must_change,
        created=iso(user.created),
        locked_s=locked_s,
    )
