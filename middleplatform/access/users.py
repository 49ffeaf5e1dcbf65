"""People who sign in with a password. Passwords are kept as argon2 hashes."""

from __future__ import annotations

import time
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from middleplatform.access.database import User, session
from middleplatform.access.tokens import ROLES, AccessError, Principal

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")
MAX_LENGTH = 200


def create_user(home: Path, name: str, password: str, *, role: str) -> None:
    """Make a user, or give the one there is a new password and role. Raises AccessError."""
    if role not in ROLES:
        raise AccessError(f"there is no role '{role}': it is one of {', '.join(ROLES)}")
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise AccessError("a user's name has 1 to 80 printable characters")
    if not 10 <= len(password) <= MAX_LENGTH:
        raise AccessError("a password has 10 to 200 characters")
    hashed = _hasher.hash(password)
    with session(home) as open_session:
        found = open_session.get(User, name)
        if found is None:
            open_session.add(User(name=name, password=hashed, role=role, created=time.time_ns() // 1000))
        else:
            found.password, found.role = hashed, role


def check_password(home: Path, name: str, password: str) -> Principal | None:
    """Who this is; None when the user or the password is wrong, in the same time."""
    if len(name) > 80 or len(password) > MAX_LENGTH:
        return None
    with session(home) as open_session:
        found = open_session.get(User, name)
        hashed, role = (found.password, found.role) if found else (_NOBODY, "")
    try:
        _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return None
    return Principal(name, role) if role else None
