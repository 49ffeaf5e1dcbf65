"""Roles and what they may do, from `policy.yaml` beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROLES = ("operator", "engineer", "analyst", "bureau", "administrator")
DEFAULT_ROLE = "analyst"


@dataclass(frozen=True, slots=True)
class Policy:
    """`permissions`: every permission's words by language; `roles`: the permissions of each role."""

    permissions: dict[str, dict[str, str]]
    roles: dict[str, frozenset[str]]

    def allows(self, role: str, permission: str) -> bool:
        """Whether a role has a permission. Raises KeyError for a permission that is not one: a slip in code."""
        if permission not in self.permissions:
            raise KeyError(permission)
        return permission in self.roles.get(role, frozenset())


@cache
def policy() -> Policy:
    """The policy that the program came with."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "policy.yaml").read_text("utf-8"))
    return Policy(found["permissions"], {name: frozenset(role["may"]) for name, role in found["roles"].items()})
