"""Bearer tokens: `so_` and 32 random bytes, shown once, kept as their sha256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from sqlalchemy import Row, delete, func, insert, select, update

from middleplatform.access.errors import AccessError
from middleplatform.access.policies import policy_of
from middleplatform.access.policy import DEFAULT_ROLE, ROLES
from middleplatform.access.scope import EVERYTHING, Scope
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import tokens as table
from middleplatform.database.tables.access import users

CACHE_S = 5.0
"""How long a verified token is believed without asking again: a revocation holds after this at the latest."""
_CACHED = 10_000
_FORM = re.compile(r"so_[A-Za-z0-9_-]{43}")
_DAY_US = 86_400_000_000

_owner = func.coalesce(table.c.user, table.c.maker)
_WITH_USER = select(
    table,
    _owner.label("owner"),
    users.c.role.label("owner_role"),
    users.c.scope.label("owner_scope"),
    users.c.must_change,
).select_from(table.outerjoin(users, users.c.name == _owner))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows. Times are µs UTC; `expires` None for never; `user` None unless a sign-in made it, whose
    role and scope are then the user's as they are now; `maker`: the user who made it for others. `must_change`: it
    opens nothing but the change of the user's password."""

    id: int
    name: str
    role: str
    user: str | None
    expires: int | None
    scope: Scope = EVERYTHING
    maker: str | None = None
    must_change: bool = False
    may: frozenset[str] = frozenset()
    """The permissions of the role, and of its maker's, by the policy that held when this was asked."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token without its secret, for lists. `scope` as it holds now, with its user's or maker's."""

    id: int
    name: str
    role: str
    user: str | None
    created: int
    expires: int | None
    revoked: int | None
    scope: Scope
    maker: str | None


def create_token(
    where: Place,
    name: str,
    role: str = DEFAULT_ROLE,
    days: float | None = None,
    user: str | None = None,
    scope: Scope = EVERYTHING,
    maker: str | None = None,
) -> str:
    """Make a token and return it: this is the only time that it can be seen. What its maker may do and see bounds it
    too, now and later. Raises AccessError."""
    if role not in ROLES:
        raise AccessError(f"角色应为 {'、'.join(ROLES)} · the role '{role}' is not one of {', '.join(ROLES)}")
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise AccessError("令牌名称应为 1 至 80 个可见字符 · a token's name is 1 to 80 printable characters")
    if days is not None and not 0 < days <= 36_500:
        raise AccessError("有效期应大于 0 天且不超过 36500 天 · a token lives more than 0 and at most 36500 days")
    token = "so_" + secrets.token_urlsafe(32)
    engine = connect(where)
    now = time.time_ns() // 1000
    row = {
        "digest": _digest(token),
        "name": name,
        "role": role,
        "user": user,
        "created": now,
        "expires": None if days is None else now + int(days * _DAY_US),
        "revoked": None,
        "scope": scope.dump(),
        "maker": maker,
    }
    with engine.begin() as connection:
        made = connection.execute(insert(table).values(row)).inserted_primary_key
        number = 0 if made is None else made[0]
        # What a sign-in made is of no interest once it is over; tokens that were created by hand stay listed.
        connection.execute(delete(table).where(table.c.user.is_not(None), table.c.expires < now - 7 * _DAY_US))
        told = {"name": name, "role": role, "expires": row["expires"], "scope": scope.as_json(), "maker": maker}
        if user is None:
            note(connection, "token.add", str(number), after=told)
        else:
            note(connection, "session.begin", user, after={"token": number, "role": role, "expires": row["expires"]})
    return token


def verify_token(where: Place, token: str) -> Grant | None:
    """What the token allows now, or None when it is unknown, expired or revoked. Asks the database."""
    if not _FORM.fullmatch(token):
        return None
    digest = _digest(token)
    with connect(where).connect() as connection:
        row = connection.execute(_WITH_USER.where(table.c.digest == digest)).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    grant = _grant(row) if _holds(row.expires, row.revoked) else None
    if grant is None:
        return None
    roles = policy_of(where).roles
    may = roles.get(grant.role, frozenset())
    return replace(grant, may=may & roles.get(row.owner_role, frozenset()) if row.maker else may)


def revoke_token(where: Place, number: int) -> bool:
    """Revoke by id; False when there is no such token. Revoking twice keeps the first time."""
    now = time.time_ns() // 1000
    with connect(where).begin() as connection:
        row = connection.execute(select(table.c.name, table.c.role, table.c.user).where(table.c.id == number)).first()
        if row is None:
            return False
        holding = update(table).where(table.c.id == number, table.c.revoked.is_(None))
        if connection.execute(holding.values(revoked=now)).rowcount == 0:
            return True
        if row.user is None:
            note(connection, "token.revoke", str(number), before={"name": row.name, "role": row.role})
        else:
            note(connection, "session.end", row.user, before={"token": number})
    return True


def list_tokens(where: Place) -> list[TokenFacts]:
    """All tokens without their secrets, oldest first."""
    with connect(where).connect() as connection:
        rows = connection.execute(_WITH_USER.order_by(table.c.id)).all()
    return [
        TokenFacts(row.id, row.name, row.role, row.user, row.created, row.expires, row.revoked, _scope(row), row.maker)
        for row in rows
    ]


class Verifier:
    """`verify_token` with a memory of some seconds, for many requests a second. Thread-safe.

    Keys of the memory are digests, so a token is not kept in it; what was refused is not remembered.
    """

    def __init__(self, where: Place, cache_s: float = CACHE_S) -> None:
        self._where = where
        self._cache_s = cache_s
        self._known: OrderedDict[bytes, tuple[Grant, float]] = OrderedDict()
        self._lock = Lock()

    def recall(self, token: str) -> Grant | None:
        """The grant if it was verified a moment ago, without asking the database."""
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        with self._lock:
            found = self._known.get(key)
        if found is None or found[1] < time.monotonic() or not _holds(found[0].expires, None):
            return None
        return found[0]

    def verify(self, token: str) -> Grant | None:
        """The grant, from memory or from the database."""
        grant = self.recall(token)
        if grant is not None:
            return grant
        grant = verify_token(self._where, token)
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        with self._lock:
            self._known.pop(key, None)
            if grant is not None:
                self._known[key] = (grant, time.monotonic() + self._cache_s)
                if len(self._known) > _CACHED:
                    self._known.popitem(last=False)
        return grant

    def forget(self) -> None:
        """Ask the database again for every token: after a revocation here."""
        with self._lock:
            self._known.clear()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _holds(expires: int | None, revoked: int | None) -> bool:
    return revoked is None and (expires is None or expires > time.time_ns() // 1000)


def _grant(row: Row) -> Grant | None:
    """None when the user whose token it is, or who made it, is no more, or its scope cannot be read."""
    if row.owner is not None and row.owner_role is None:
        return None
    try:
        scope = _scope(row)
    except AccessError:
        return None
    if row.user is None:
        return Grant(row.id, row.name, row.role, None, row.expires, scope, row.maker)
    return Grant(row.id, row.name, row.owner_role, row.user, row.expires, scope, None, row.must_change)


def _scope(row: Row) -> Scope:
    """What the token and its user or maker may see now. Raises AccessError."""
    return Scope.load(row.owner_scope).narrowed(Scope.load(row.scope))
