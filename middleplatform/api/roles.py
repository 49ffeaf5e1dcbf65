"""`/api/v1/roles`: what each role may do now, for those who give roles."""

from __future__ import annotations

from typing import Any

import anyio
from fastapi import APIRouter, Request
from pydantic import BaseModel

from middleplatform.access.policies import policy_of, versions
from middleplatform.access.policy import policy
from middleplatform.api.auth import needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.schemas import Words
from middleplatform.api.times import iso
from models.access import document

router = APIRouter()


class Permission(BaseModel):
    id: str
    name: Words


class Role(BaseModel):
    """`may`: its permissions as they hold. `added`, `removed`: what this mine changed of the program's own."""

    id: str
    name: Words
    may: list[str]
    added: list[str]
    removed: list[str]


class PolicyNow(BaseModel):
    """`changed`: when and by whom this mine last changed it; null where the program's own holds."""

    permissions: list[Permission]
    roles: list[Role]
    changed: dict[str, str] | None


@router.get("/roles", dependencies=[needs("users.manage")], response_class=Json, responses=answers(PolicyNow, 401, 403))
async def roles(request: Request) -> Json:
    """各角色的权限 · The policy as a matrix: every permission in words, and which roles have it."""
    where = request.app.state.database

    def look() -> dict[str, Any]:
        now, own, told = policy_of(where), policy(), document()["roles"]
        last = next(reversed(versions(where)), None)
        return {
            "permissions": [{"id": name, "name": words} for name, words in now.permissions.items()],
            "roles": [
                {
                    "id": name,
                    "name": told[name]["name"],
                    "may": sorted(may),
                    "added": sorted(may - own.roles[name]),
                    "removed": sorted(own.roles[name] - may),
                }
                for name, may in now.roles.items()
            ],
            "changed": None if last is None or now == own else {"who": last.author, "time": iso(last.created)},
        }

    return Json(await anyio.to_thread.run_sync(look))
