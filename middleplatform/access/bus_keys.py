"""Users' own credentials of the bus: who holds one hears what role and scope allow, and says nothing there.

Subjects name a mine, a kind and a gateway, nothing finer. A scope by area, subsystem or class of samples can therefore
not be kept there: who has one gets no credential, and one that was given before opens nothing while it holds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Row, insert, select, update

from bus import credentials
from bus.credentials import Credential, Person
from bus.permissions import of_person
from middleplatform.access.errors import AccessError
from middleplatform.access.policies import policy_of
from middleplatform.access.policy import Policy
from middleplatform.access.scope import Scope
from middleplatform.access.users import User, find_user, list_users
from middleplatform.audit.log import note
from middleplatform.database import Place, connect
from middleplatform.database.tables.access import bus_keys as table
from models.site.model import Retention

HEAR = "bus.hear"
"""The permission without which nobody gets a credential of the bus."""
DAYS, MOST_DAYS = 90.0, 3650.0
_DAY_US = 86_400_000_000
_SAMPLES = frozenset(map(str, Retention))


@dataclass(frozen=True, slots=True)
class BusKey:
    """One credential without its secret half. Times µs UTC; `refused`: why it opens nothing now, "" when it does."""

    id: int
    user: str
    public: str
    created: int
    expires: int
    revoked: int | None
    refused: str


def create_key(where: Place, code: str, user: str, days: float = DAYS) -> tuple[int, Credential]:
    """Make a credential for a user of the mine `code`, and its number: this is the only time that its seed can be
    seen. Raises AccessError, with the reason, for one who may not hear the bus."""
    if not 0 < days <= MOST_DAYS:
        raise AccessError(
            f"有效期应大于 0 天且不超过 {MOST_DAYS:.0f} 天 · "
            f"a credential lives more than 0 and at most {MOST_DAYS:.0f} days"
        )
    found = find_user(where, user)
    why = refusal(found, policy_of(where), code)
    if why:
        raise AccessError(why)
    made = credentials.make(f"user-{user}")
    now = _now()
    expires = now + int(days * _DAY_US)
    row = {"user": user, "public": made.public, "created": now, "expires": expires}
    with connect(where).begin() as connection:
        key = connection.execute(insert(table).values(row)).inserted_primary_key
        number = 0 if key is None else int(key[0])
        note(connection, "bus_key.add", user, after={"key": number, "public": made.public, "expires": expires})
    return number, made


def revoke_key(where: Place, number: int) -> bool:
    """Revoke by number; False when there is none. Revoking twice keeps the first time."""
    with connect(where).begin() as connection:
        row = connection.execute(select(table.c.user).where(table.c.id == number)).first()
        if row is None:
            return False
        holding = update(table).where(table.c.id == number, table.c.revoked.is_(None))
        if connection.execute(holding.values(revoked=_now())).rowcount:
            note(connection, "bus_key.revoke", row.user, before={"key": number})
    return True


def list_keys(where: Place, code: str) -> list[BusKey]:
    """All of them, oldest first, and whether they open something at the mine `code` now."""
    with connect(where).connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.id)).all()
    if not rows:
        return []
    found = policy_of(where)
    users = {user.name: user for user in list_users(where)}
    return [BusKey(*row, _refused(row, users.get(row.user), found, code)) for row in rows]


def people(where: Place, code: str) -> list[Person]:
    """Whom the bus server of the mine `code` lets in now, and to what."""
    may = policy_of(where).roles
    roles = {user.name: user.role for user in list_users(where)}
    return [
        Person(key.user, key.public, of_person(code, may[roles[key.user]]))
        for key in list_keys(where, code)
        if not key.refused
    ]


def refusal(user: User, found: Policy, code: str) -> str:
    """Why a user may not hear the bus of the mine `code`; "" for one who may."""
    may = found.roles.get(user.role, frozenset())
    if user.must_change:
        return f"{user.name} 须先更改初始密码 · '{user.name}' has first to change the initial password"
    if HEAR not in may:
        return f"角色 {user.role} 无权收听总线（{HEAR}） · the role {user.role} may not hear the bus ({HEAR})"
    if not of_person(code, may).subscribe:
        return f"角色 {user.role} 在总线上无可收听的内容 · the role {user.role} may see nothing that is on the bus"
    return _beyond(user.scope, code)


def _beyond(scope: Scope, code: str) -> str:
    for bounds in scope.bounds:
        if bounds.mines is not None and code not in bounds.mines:
            return f"数据范围不含矿井 {code} · the scope is without the mine {code}"
        finer = [name for name in ("areas", "subsystems") if getattr(bounds, name) is not None]
        if bounds.classes is not None and not bounds.classes >= _SAMPLES:
            finer.append("classes")
        if finer:
            return (
                f"数据范围按 {'、'.join(finer)} 限定，总线主题无法区分；请用开放接口 · "
                f"the scope is bounded by {', '.join(finer)}, which subjects of the bus do not tell apart: use the API"
            )
    return ""


def _refused(row: Row, user: User | None, found: Policy, code: str) -> str:
    if row.revoked is not None:
        return "已撤销 · revoked"
    if row.expires <= _now():
        return "已过期 · expired"
    if user is None:
        return f"没有用户 {row.user} · there is no user '{row.user}'"
    return refusal(user, found, code)


def _now() -> int:
    return time.time_ns() // 1000
