"""A person's credential (操作凭证): the statement that the site's command authority has signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.control.canonical import canonical, to_bytes, to_text
from models.control.reading import many, maybe, text, whole

CREDENTIAL = b"sevenones credential 1\n"
WITHDRAWN = b"sevenones withdrawn 1\n"
"""What is signed begins with what it is, so that a signature of one thing can never be shown as one of another."""
KEY_BYTES, SIGNATURE_BYTES = 32, 64
MOST_WITHDRAWN = 10_000


@dataclass(frozen=True, slots=True)
class Credential:
    """`areas` and `equipment`: where the person commands, both None for the whole site; an area holds those within
    it. `key`: Ed25519, raw. `not_before`, `not_after`: µs UTC. `serial`: by which it is withdrawn. `first`: the serial
    of the person's first credential, which tells namesakes apart and outlives a renewal."""

    site: str
    name: str
    roles: tuple[str, ...]
    key: bytes
    not_before: int
    not_after: int
    serial: str
    areas: tuple[str, ...] | None = None
    equipment: tuple[str, ...] | None = None
    first: str = ""

    @property
    def person(self) -> str:
        """Who it is, whatever the name."""
        return self.first or self.serial

    def covers(self, equipment: str, areas: Collection[str]) -> bool:
        """Whether a machine, which stands in `areas` (the innermost and those around it), is in the scope."""
        if self.areas is None and self.equipment is None:
            return True
        return equipment in (self.equipment or ()) or not set(areas).isdisjoint(self.areas or ())

    @property
    def everywhere(self) -> bool:
        return self.areas is None and self.equipment is None

    def as_json(self) -> dict[str, Any]:
        """Of a first credential as it always was."""
        told = {
            "site": self.site,
            "name": self.name,
            "roles": list(self.roles),
            "key": to_text(self.key),
            "not_before": self.not_before,
            "not_after": self.not_after,
            "serial": self.serial,
            "areas": None if self.areas is None else list(self.areas),
            "equipment": None if self.equipment is None else list(self.equipment),
        }
        return {**told, "first": self.first} if self.first else told

    @staticmethod
    def of_json(found: Any) -> Credential:
        """Raises ValueError, and nothing else."""
        if not isinstance(found, Mapping):
            raise ValueError("a credential's statement is not a JSON object")
        return Credential(
            site=text(found, "site", 12),
            name=text(found, "name", 40),
            roles=many(found, "roles", 8) or (),
            key=to_bytes(found.get("key"), KEY_BYTES),
            not_before=whole(found, "not_before"),
            not_after=whole(found, "not_after"),
            serial=text(found, "serial", 32),
            areas=many(found, "areas", 64),
            equipment=many(found, "equipment", 64),
            first=maybe(found, "first", 32),
        )


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The credentials that were withdrawn. `number` rises with every list, so that an older one is known as such."""

    number: int
    serials: frozenset[str]


@dataclass(frozen=True, slots=True)
class Authority:
    """The public half of a site's command authority: what lies in a gateway's home. `key`: Ed25519, raw."""

    site: str
    key: bytes

    def credential(self, signed: Any) -> Credential:
        """The credential in `{"statement": …, "signature": …}`. Raises ValueError when this authority has not signed
        it, or it is of another site."""
        credential = Credential.of_json(opened(signed, self.key, CREDENTIAL))
        if credential.site != self.site:
            raise ValueError(f"the credential is of the site {credential.site}, not {self.site}")
        return credential

    def withdrawn(self, signed: Any) -> Withdrawn:
        """A signed list of withdrawn credentials. Raises ValueError."""
        found = opened(signed, self.key, WITHDRAWN)
        if not isinstance(found, Mapping) or found.get("site") != self.site:
            raise ValueError("the list of withdrawn credentials is not of this site")
        # Lists were first made without a number: every later one is newer.
        number = whole(found, "number") if "number" in found else 0
        return Withdrawn(number, frozenset(many(found, "serials", MOST_WITHDRAWN) or ()))


def closed(statement: Mapping[str, Any], key: Ed25519PrivateKey, what: bytes) -> dict[str, Any]:
    """A statement with its signature, as JSON holds it."""
    return {"statement": dict(statement), "signature": to_text(key.sign(what + canonical(statement)))}


def opened(signed: Any, key: bytes, what: bytes) -> Any:
    """The statement in what `closed` made. Raises ValueError when `key` has not signed it."""
    if not isinstance(signed, Mapping) or "statement" not in signed:
        raise ValueError("not a signed statement")
    verify(key, to_bytes(signed.get("signature"), SIGNATURE_BYTES), what + canonical(signed["statement"]))
    return signed["statement"]


def verify(key: bytes, signature: bytes, data: bytes) -> None:
    """Raises ValueError when the key has not signed the data."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except InvalidSignature:
        raise ValueError("the signature is wrong") from None
