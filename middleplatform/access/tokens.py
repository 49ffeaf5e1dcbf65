"""Bearer tokens: 256 random bits, shown once, kept as their SHA-256.

A hash without a salt is right here: a token is random, so there is nothing to guess or to look up.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from middleplatform.access.database import Token, session

PREFIX = "so_"
ROLES = ("reader", "admin")
MAX_LENGTH = 200
_DAY_US = 86_400_000_000


class AccessError(ValueError):
    """A user, role or token that cannot be: what is wrong."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: `name` of the token or the user, and the role."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as a list shows it; `digest` begins its SHA-256. Times are µs UTC."""

    digest: str
    name: str
    role: str
    created: int
    expires: int | None
    revoked: int | None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> int:
    return time.time_ns() // 1000


def create_token(
    home: Path, *, name: str, role: str = "reader", days: float | None = None, user: str | None = None
) -> str:
    """Make a token and return it, this once. Raises AccessError."""
    if role not in ROLES:
        raise AccessError(f"there is no role '{role}': it is one of {', '.join(ROLES)}")
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise AccessError("a token's name has 1 to 80 printable characters")
    if days is not None and not 0 < days <= 36_500:
        raise AccessError("a token lives above 0 and at most 36500 days")
    token = PREFIX + secrets.token_urlsafe(32)
    expires = None if days is None else _now() + int(days * _DAY_US)
    with session(home) as open_session:
        open_session.add(
            Token(digest=_digest(token), name=name, role=role, created=_now(), expires=expires, revoked=None, user=user)
        )
    return token


def verify_token(home: Path, token: str) -> Principal | None:
    """Who holds this token; None when it is unknown, expired or revoked."""
    if not token.startswith(PREFIX) or len(token) > MAX_LENGTH:
        return None
    with session(home) as open_session:
        found = open_session.get(Token, _digest(token))
        if found is None or found.revoked is not None or (found.expires is not None and found.expires <= _now()):
            return None
        return Principal(found.user or found.name, found.role)


def list_tokens(home: Path) -> list[TokenFacts]:
    """All tokens, oldest first."""
    with session(home) as open_session:
        rows = open_session.scalars(select(Token).order_by(Token.created)).all()
        return [TokenFacts(r.digest[:12], r.name, r.role, r.created, r.expires, r.revoked) for r in rows]


def revoke(home: Path, which: str) -> int:
    """Revoke the tokens whose digest begins with `which` (at least 6 characters) or whose name it is.
    Returns how many were."""
    with session(home) as open_session:
        rows = open_session.scalars(select(Token).where(Token.revoked.is_(None))).all()
        chosen = [r for r in rows if r.name == which or (len(which) >= 6 and r.digest.startswith(which))]
        for row in chosen:
            row.revoked = _now()
        return len(chosen)
