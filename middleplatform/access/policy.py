"""Roles and what they may do: the program's own policy (`models/access/policy.yaml`), and what a mine changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from middleplatform.access.errors import AccessError
from models.access import document

ROLES = ("operator", "engineer", "analyst", "bureau", "administrator")
DEFAULT_ROLE = "analyst"
MANAGE = "users.manage"
"""The permission without whose holder nobody could be let in any more."""
MOST_TEXT = 16_384
"""Bytes of a mine's own changes."""


@dataclass(frozen=True, slots=True)
class SignInRule:
    """How many failures in a row lock a name, for how long, and after how long a failure is forgotten (µs)."""

    failures: int
    lock_us: int
    forget_us: int


@dataclass(frozen=True, slots=True)
class Policy:
    """`permissions`: every permission's words by language; `roles`: the permissions of each role."""

    permissions: dict[str, dict[str, str]]
    roles: dict[str, frozenset[str]]
    sign_in: SignInRule

    def allows(self, role: str, permission: str) -> bool:
        """Whether a role has a permission. Raises KeyError for a permission that is not one: a slip in code."""
        if permission not in self.permissions:
            raise KeyError(permission)
        return permission in self.roles.get(role, frozenset())

    def managing(self) -> list[str]:
        """The roles that may manage users."""
        return sorted(role for role, may in self.roles.items() if MANAGE in may)

    def changed(self, text: str) -> Policy:
        """The policy with a mine's own changes, which are YAML: `roles: {operator: {add: [export.run], remove: []}}`.
        Raises AccessError that names every mistake."""
        if len(text.encode()) > MOST_TEXT:
            raise AccessError(f"权限文件过大，最多 {MOST_TEXT} 字节 · a policy has at most {MOST_TEXT} bytes")
        try:
            found = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise AccessError(f"权限文件不是 YAML · a policy is YAML, and this is not: {error!s:.200}") from None
        if not isinstance(found, Mapping) or set(found) != {"roles"} or not isinstance(found["roles"], Mapping):
            raise AccessError(
                "权限文件须为 roles: {…} · a policy holds roles: {role: {add: […], remove: […]}} and no more"
            )
        roles, mistakes = dict(self.roles), []
        for role, change in found["roles"].items():
            wrong = self._mistake(role, change)
            mistakes += wrong
            if not wrong:
                roles[role] = roles[role] - set(change.get("remove", ())) | set(change.get("add", ()))
        if mistakes:
            raise AccessError(f"权限文件有误 · the policy has mistakes: {'; '.join(mistakes)[:2000]}")
        if not any(MANAGE in may for may in roles.values()):
            raise AccessError(
                f"没有任何角色可管理用户（{MANAGE}），所有管理员将被锁在门外 · "
                f"no role would have {MANAGE}: this locks every administrator out"
            )
        return replace(self, roles=roles)

    def _mistake(self, role: Any, change: Any) -> list[str]:
        if role not in self.roles:
            return [f"there is no role '{role!s:.40}', only {', '.join(self.roles)}"]
        if not isinstance(change, Mapping) or set(change) - {"add", "remove"}:
            return [f"{role}: takes add and remove"]
        found = []
        for act, has in (("add", False), ("remove", True)):
            names = change.get(act, [])
            if not isinstance(names, list):
                return [f"{role}: {act} is a list"]
            for name in names:
                if not isinstance(name, str) or name not in self.permissions:
                    found.append(f"{role}: there is no permission '{name!s:.40}'")
                elif (name in self.roles[role]) is not has:
                    found.append(f"{role}: {'has no' if has else 'already has'} {name}")
        return found


@cache
def policy() -> Policy:
    """The policy that the program came with."""
    found = document()
    roles = {name: frozenset(role["may"]) for name, role in found["roles"].items()}
    rule = found["sign_in"]
    minute = 60_000_000
    timing = SignInRule(rule["failures"], rule["lock_minutes"] * minute, rule["forget_minutes"] * minute)
    words = {
        name: {language: each[language] for language in ("zh", "en")} for name, each in found["permissions"].items()
    }
    return Policy(words, roles, timing)
