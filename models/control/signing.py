"""The hand that signs: a person's key with the credential it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.control.canonical import canonical
from models.control.credential import CREDENTIAL, Authority, Credential, closed, opened
from models.control.order import ORDER, Envelope, Order, Signature


def public(key: Ed25519PrivateKey) -> bytes:
    """The public half, raw."""
    return key.public_key().public_bytes_raw()


def signed_credential(credential: Credential, authority: Ed25519PrivateKey) -> dict[str, Any]:
    """What a person shows: the statement with the authority's signature."""
    return closed(credential.as_json(), authority, CREDENTIAL)


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """`credential`: as the authority signed it; `key`: of the person. It is never shown in a log."""

    credential: Any
    key: Ed25519PrivateKey

    @property
    def statement(self) -> Credential:
        """What the credential says. Only an edge's authority says whether it is true."""
        return Credential.of_json(self.credential["statement"])

    def sign(self, order: Order) -> Envelope:
        """The order in this person's name."""
        content = replace(order, serial=self.statement.serial).as_json()
        return Envelope(content, (self._signature(content),))

    def join(self, envelope: Envelope) -> Envelope:
        """The same order with this person's signature as the second (双人操作)."""
        return Envelope(envelope.order, (envelope.signatures[0], self._signature(envelope.order)))

    def _signature(self, content: Any) -> Signature:
        return Signature(self.credential, self.key.sign(ORDER + canonical(content)))


def checked(signer: Signer, authority: Authority) -> Credential:
    """The credential, if the authority signed it and the key is its own. Raises ValueError."""
    found = Credential.of_json(opened(signer.credential, authority.key, CREDENTIAL))
    if found.key != public(signer.key):
        raise ValueError("the key is not the credential's")
    return found
