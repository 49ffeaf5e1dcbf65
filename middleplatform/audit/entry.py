"""One entry of the audit log, and the digest that binds it to the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

GENESIS = "0" * 64
"""What the first entry has for the one before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`number` counts from 1 without a gap; `at` is µs UTC; `what`: the act, such as `user.role`; `about`: whom or
    what it touched; `before` and `after`: JSON, None where there is nothing to say; `previous` and `digest`:
    hexadecimal SHA-256."""

    number: int
    at: int
    who: str
    origin: str
    what: str
    about: str
    before: str | None
    after: str | None
    previous: str
    digest: str

    def true_digest(self) -> str:
        """What `digest` has to be."""
        return digest_of(
            self.number,
            self.at,
            self.who,
            self.origin,
            self.what,
            self.about,
            self.before,
            self.after,
            self.previous,
        )


def digest_of(*facts: int | str | None) -> str:
    """SHA-256 of an entry's fields in their order, the digest of the one before the last of them. As JSON, so that
    no two different entries are the same bytes."""
    # Whoever changes an entry may leave in it what is none of these: that has some other digest, and is no failure.
    return hashlib.sha256(json.dumps(facts, separators=(",", ":"), default=repr).encode()).hexdigest()
