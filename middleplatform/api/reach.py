"""How far one who manages users and tokens reaches: never beyond the own role and scope."""

from __future__ import annotations

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from middleplatform.access.policies import policy_of
from middleplatform.access.scope import MOST, Scope
from middleplatform.access.tokens import Grant
from middleplatform.api.errors import ApiError, shown

_NAMES = Field(None, min_length=1, max_length=MOST)


class ScopeGiven(BaseModel):
    """What may be seen; a bound that is left out does not bound."""

    model_config = ConfigDict(extra="forbid")

    mines: list[str] | None = _NAMES
    areas: list[str] | None = _NAMES
    subsystems: list[str] | None = _NAMES
    classes: list[str] | None = _NAMES


def scope_of(given: ScopeGiven) -> Scope:
    """Raises AccessError."""
    return Scope.of(given.model_dump(exclude_none=True))


def within_reach(asker: Grant, scope: Scope) -> bool:
    """Whether all that a scope lets be seen the asker sees too."""
    return set(asker.scope.bounds) <= set(scope.bounds)


async def check_role(request: Request, asker: Grant, role: str) -> None:
    """Raises ApiError 403 for a role that may what the asker may not."""
    roles = (await anyio.to_thread.run_sync(policy_of, request.app.state.database)).roles
    if not roles.get(role, frozenset()) <= asker.may:
        raise ApiError(
            403,
            "beyond_your_role",
            f"您的角色 {asker.role} 不能授予或管理角色 {role}",
            f"your role {asker.role} does not reach to the role {shown(role)}",
            "role",
        )
