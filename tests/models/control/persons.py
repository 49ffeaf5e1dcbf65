"""Persons with credentials of one authority, made in memory."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.control.credential import Authority, Credential
from models.control.signing import Signer, public, signed_credential

SITE = "140581000000"
YEAR = 365 * 86_400_000_000


class Issuer:
    """An authority that is only in this process."""

    def __init__(self, site: str = SITE) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.authority = Authority(site, public(self.key))
        self.count = 0

    def person(self, name: str, *roles: str, start: int = 1, end: int = 1 << 60, **scope: tuple[str, ...]) -> Signer:
        self.count += 1
        own = Ed25519PrivateKey.generate()
        statement = Credential(self.authority.site, name, roles, public(own), start, end, f"s{self.count}", **scope)
        return Signer(signed_credential(statement, self.key), own)
