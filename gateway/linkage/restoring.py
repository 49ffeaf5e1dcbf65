"""Orders to restore a tripped linkage: `{"restore": rule, "who": …, …}` on the gateway's command subject.

Who gives one is proved by a verifier, which the gateway is given; without one every order is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from models.command import text
from models.site.model import Name


class NotProved(Exception):
    """Why an order's giver is not believed, in both languages."""

    def __init__(self, reason: Name) -> None:
        super().__init__(reason.en)
        self.reason = reason


class Verifier(Protocol):
    """Proves who gave an order, alone, without the platform or the network."""

    def __call__(self, order: Mapping[str, Any]) -> str:
        """Who gave the order, as its signature proves. Raises NotProved."""


def nobody(order: Mapping[str, Any]) -> str:
    """The verifier where there is none: refuses everybody."""
    raise NotProved(
        Name(
            "网关没有核验凭证的手段，拒绝一切复电",
            "this gateway has nothing to verify a credential by: it restores for nobody",
        )
    )


def read(order: Mapping[str, Any]) -> str:
    """The rule that an order names. Raises CommandError."""
    return text(order, "restore", 40)
