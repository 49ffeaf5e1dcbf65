"""Users: a name, a role, and a password kept only as its argon2id hash."""

from __future__ import annotations

import re
import time
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from middleplatform.access.errors import AccessError
from middleplatform.access.policy import DEFAULT_ROLE, ROLES
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import tokens
from middleplatform.database.tables.access import users as table

NAME = re.compile(r"[a-z0-9._-]{1,40}")
MIN_PASSWORD = 8
MAX_PASSWORD = 200

_hasher = PasswordHasher()


def create_user(where: Place, name: str, password: str, role: str = DEFAULT_ROLE) -> None:
    """Make a user. Raises AccessError when the name is taken, or name, password or role cannot be one."""
    if not NAME.fullmatch(name):
        raise AccessError(f"用户名应为 1 至 40 个 a-z 0-9 . _ - · '{name}' is not 1 to 40 of a-z, 0-9, '.', '_', '-'")
    if role not in ROLES:
        raise AccessError(f"角色应为 {'、'.join(ROLES)} · the role '{role}' is not one of {', '.join(ROLES)}")
    row = {"name": name, "password": _hash(password), "role": role, "created": time.time_ns() // 1000}
    try:
        with connect(where).begin() as connection:
            connection.execute(insert(table).values(row))
    except IntegrityError:
        raise AccessError(f"用户 {name} 已存在 · there is a user '{name}' already") from None


def set_password(where: Place, name: str, password: str) -> None:
    """Change a password and end all that the user was signed in to. Raises AccessError."""
    hashed = _hash(password)
    with connect(where).begin() as connection:
        changed = connection.execute(update(table).where(table.c.name == name).values(password=hashed))
        if changed.rowcount == 0:
            raise AccessError(f"没有用户 {name} · there is no user '{name}'")
        now = time.time_ns() // 1000
        connection.execute(update(tokens).where(tokens.c.user == name, tokens.c.revoked.is_(None)).values(revoked=now))


def check_password(where: Place, name: str, password: str) -> str | None:
    """The user's role when the password is right, else None. Takes as long for a name that is not there."""
    with connect(where).connect() as connection:
        row = connection.execute(select(table.c.password, table.c.role).where(table.c.name == name)).first()
    try:
        right = _hasher.verify(row.password if row is not None else _nobody(), password.encode("utf-8", "replace"))
    except (Argon2Error, InvalidHashError):
        return None
    return row.role if right and row is not None else None


@cache
def _nobody() -> str:
    return _hasher.hash("there is nobody of that name")


def _hash(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise AccessError(
            f"密码应为 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符 · "
            f"a password is {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        )
    return _hasher.hash(password.encode("utf-8", "replace"))
