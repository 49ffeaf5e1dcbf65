"""The versions of a mine's own changes to the policy, in the relational store: the last one holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import insert, select

from middleplatform.access.errors import AccessError
from middleplatform.access.policy import Policy, policy
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import policies as table
from middleplatform.database.tables.access import users

NO_CHANGE = "roles: {}"


@dataclass(frozen=True, slots=True)
class Version:
    """What was changed of the policy, by whom and when (µs UTC)."""

    number: int
    text: str
    author: str
    created: int


def policy_of(where: Place) -> Policy:
    """The policy that holds now: the program's with the mine's last changes. Raises AccessError."""
    with connect(where).connect() as connection:
        text = connection.execute(select(table.c.text).order_by(table.c.number.desc()).limit(1)).scalar()
    return policy() if text is None else _changed(text)


def apply_policy(where: Place, text: str, author: str) -> Policy:
    """Let changes hold from now on, in place of those before. Raises AccessError, and changes nothing, when they have
    mistakes or would leave no user who may manage users."""
    found = policy().changed(text)
    with connect(where).begin() as connection:
        before = connection.execute(select(table.c.text).order_by(table.c.number.desc()).limit(1)).scalar()
        connection.execute(insert(table).values(text=text, author=author[:80], created=time.time_ns() // 1000))
        # Held until the end, so that the last of those who would be left is not removed meanwhile.
        roles = connection.execute(select(users.c.role).order_by(users.c.name).with_for_update()).scalars().all()
        if roles and not set(roles) & set(found.managing()):
            names = ", ".join(found.managing())
            raise AccessError(
                f"届时只有 {names} 可管理用户，而没有用户是此角色：所有管理员将被锁在门外 · "
                f"no user has a role that could manage users then ({names}): this locks every administrator out"
            )
        note(connection, "policy.change", "roles", before=before, after=text)
    return found


def versions(where: Place) -> list[Version]:
    """All of them, the oldest first."""
    with connect(where).connect() as connection:
        return [Version(*row) for row in connection.execute(select(table).order_by(table.c.number))]


@lru_cache(maxsize=8)
def _changed(text: str) -> Policy:
    return policy().changed(text)
