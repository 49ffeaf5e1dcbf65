"""Users: a name, a role, a scope, and a password kept only as its argon2id hash."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Row, Table, delete, false, insert, select, update
from sqlalchemy.exc import IntegrityError

from middleplatform.access.errors import AccessError
from middleplatform.access.lockout import clear
from middleplatform.access.passwords import check
from middleplatform.access.policies import policy_of
from middleplatform.access.policy import DEFAULT_ROLE, ROLES, Policy
from middleplatform.access.scope import EVERYTHING, Scope
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import bus_keys, tokens
from middleplatform.database.tables.access import users as table

NAME = re.compile(r"[a-z0-9._-]{1,40}")

_hasher = PasswordHasher()


class LastAdministrator(AccessError):
    """Nobody would be left who may let others in."""


@dataclass(frozen=True, slots=True)
class User:
    """A user without the password. `created` is µs UTC; `must_change`: the password is one that somebody else set,
    and opens nothing but its own change."""

    name: str
    role: str
    scope: Scope
    must_change: bool
    created: int


def initial_password() -> str:
    """A password to hand over, which the user then has to change: 96 random bits."""
    return secrets.token_urlsafe(12)


def create_user(
    where: Place,
    name: str,
    password: str,
    role: str = DEFAULT_ROLE,
    scope: Scope = EVERYTHING,
    *,
    must_change: bool = False,
) -> None:
    """Make a user. Raises AccessError when the name is taken, or name, password or role cannot be one."""
    if not NAME.fullmatch(name):
        raise AccessError(f"用户名应为 1 至 40 个 a-z 0-9 . _ - · '{name}' is not 1 to 40 of a-z, 0-9, '.', '_', '-'")
    _check_role(role)
    row = {
        "name": name,
        "password": _hash(password, name),
        "role": role,
        "created": _now(),
        "scope": scope.dump(),
        "must_change": must_change,
    }
    try:
        with connect(where).begin() as connection:
            connection.execute(insert(table).values(row))
            told = {"role": role, "scope": scope.as_json(), "must_change": must_change}
            note(connection, "user.add", name, after=told)
    except IntegrityError:
        raise AccessError(f"用户 {name} 已存在 · there is a user '{name}' already") from None


def list_users(where: Place) -> list[User]:
    """All users, by name."""
    with connect(where).connect() as connection:
        return [_user(row) for row in connection.execute(select(table).order_by(table.c.name))]


def find_user(where: Place, name: str) -> User:
    """Raises AccessError when there is none."""
    with connect(where).connect() as connection:
        row = connection.execute(select(table).where(table.c.name == name)).first()
    if row is None:
        raise _nobody_called(name)
    return _user(row)


def set_password(where: Place, name: str, password: str, *, must_change: bool = False) -> None:
    """Change a password, end all that the user was signed in to and any lock. Raises AccessError."""
    hashed = _hash(password, name)
    with connect(where).begin() as connection:
        _change(connection, name, password=hashed, must_change=must_change)
        _revoke(connection, tokens.c.user == name)
        clear(connection, name)
        note(connection, "user.password", name, after={"must_change": must_change})


def set_role(where: Place, name: str, role: str) -> None:
    """`change` the role alone."""
    change(where, name, role=role)


def set_scope(where: Place, name: str, scope: Scope) -> None:
    """`change` alone what is seen."""
    change(where, name, scope=scope)


def change(where: Place, name: str, *, role: str | None = None, scope: Scope | None = None) -> None:
    """Give a user another role, another scope or both at once, from now on also where the user is signed in; tokens
    that the user made for others may no more than it from then on. Raises AccessError, and nothing is changed; the last
    administrator stays one, and the last who sees everything goes on to."""
    if role is not None:
        _check_role(role)
    wanted: dict[str, Any] = {"role": role} if role is not None else {}
    wanted |= {"scope": scope.dump()} if scope is not None else {}
    with _with_administrator(where, name, policy_of(where)) as connection:
        for what, value in wanted.items():
            before = _facts(connection, name)
            _change(connection, name, **{what: value})
            note(connection, f"user.{what}", name, before=before, after=_facts(connection, name))


def remove_user(where: Place, name: str) -> None:
    """Remove a user, all that the user was signed in to, and revoke the user's keys of the bus and the tokens that
    the user made. Raises AccessError;
    the last administrator stays."""
    with _with_administrator(where, name, policy_of(where)) as connection:
        before = _facts(connection, name)
        _revoke(connection, tokens.c.maker == name)
        connection.execute(delete(tokens).where(tokens.c.user == name))
        _revoke(connection, bus_keys.c.user == name, bus_keys)
        if connection.execute(delete(table).where(table.c.name == name)).rowcount == 0:
            raise _nobody_called(name)
        note(connection, "user.remove", name, before=before)


def check_password(where: Place, name: str, password: str) -> User | None:
    """The user when the password is right, else None. Takes as long for a name that is not there."""
    with connect(where).connect() as connection:
        row = connection.execute(select(table).where(table.c.name == name)).first()
    try:
        right = _hasher.verify(row.password if row is not None else _nobody(), password.encode("utf-8", "replace"))
    except (Argon2Error, InvalidHashError):
        return None
    return _user(row) if right and row is not None else None


@contextmanager
def _with_administrator(where: Place, name: str, found: Policy) -> Iterator[Connection]:
    """A transaction that is undone when it leaves nobody who may manage users, or nobody who may manage all of them
    because nothing bounds what is seen, where there was somebody."""
    with connect(where).begin() as connection:
        # A write, if only of nothing: SQLite then lets no other writer in before this one has counted. PostgreSQL
        # locks the administrators' rows, always in the order of their names.
        connection.execute(update(table).where(false()).values(name=name))
        managing = table.c.role.in_(found.managing())
        managers = select(table.c.name, table.c.scope).where(managing).order_by(table.c.name).with_for_update()
        before = connection.execute(managers).all()
        yield connection
        after = connection.execute(managers).all()
        if before and not after:
            raise LastAdministrator(
                f"{name} 是最后一名管理员，不能删除或降级；请先指定另一名管理员 · "
                f"'{name}' is the last administrator and is neither removed nor demoted: make another one first"
            )
        if _unbounded(before) and not _unbounded(after):
            raise LastAdministrator(
                f"{name} 是最后一名范围不受限的管理员：请先指定另一名 · '{name}' is the last administrator who sees "
                "everything and could manage all users: make another one first"
            )


def _unbounded(managers: Sequence[Row]) -> bool:
    return any(row.scope is None for row in managers)


def _change(connection: Connection, name: str, **values: Any) -> None:
    if connection.execute(update(table).where(table.c.name == name).values(values)).rowcount == 0:
        raise _nobody_called(name)


def _facts(connection: Connection, name: str) -> dict[str, Any] | None:
    """What the audit log tells of a user."""
    row = connection.execute(select(table).where(table.c.name == name)).first()
    return None if row is None else {"role": row.role, "scope": Scope.load(row.scope).as_json()}


def _revoke(connection: Connection, which: Any, kept: Table = tokens) -> None:
    connection.execute(update(kept).where(which, kept.c.revoked.is_(None)).values(revoked=_now()))


def _user(row: Row) -> User:
    return User(row.name, row.role, Scope.load(row.scope), row.must_change, row.created)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccessError(f"角色应为 {'、'.join(ROLES)} · the role '{role}' is not one of {', '.join(ROLES)}")


def _nobody_called(name: str) -> AccessError:
    return AccessError(f"没有用户 {name:.40} · there is no user '{name:.40}'")


def _now() -> int:
    return time.time_ns() // 1000


@cache
def _nobody() -> str:
    return _hasher.hash("there is nobody of that name")


def _hash(password: str, name: str) -> str:
    check(password, name)
    return _hasher.hash(password.encode("utf-8", "replace"))
