"""Roles and what they may do, from `policy.yaml` beside this module, and what a site changes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROLES = ("operator", "engineer", "analyst", "bureau", "administrator")
DEFAULT_ROLE = "analyst"


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

    def covers(self, role: str, other: str) -> bool:
        """Whether a role may all that another one may."""
        return self.roles.get(other, frozenset()) <= self.roles.get(role, frozenset())


@cache
def policy() -> Policy:
    """The policy that the program came with."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "policy.yaml").read_text("utf-8"))
    roles = {name: frozenset(role["may"]) for name, role in found["roles"].items()}
    rule = found["sign_in"]
    minute = 60_000_000
    timing = SignInRule(rule["failures"], rule["lock_minutes"] * minute, rule["forget_minutes"] * minute)
    return Policy(found["permissions"], roles, timing)
