"""How much a server takes in one request, as it says itself (OPC 10000-5, OperationLimitsType)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asyncua import ua

MOST = 500
"""Even if the server takes more: an answer is decoded in one go, while the other connections wait."""
_NODES = {"read": 11705, "translate": 11712, "watch": 11714, "history": 12165}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most nodes or items in one request of each kind."""

    read: int = MOST
    translate: int = MOST
    watch: int = MOST
    history: int = MOST


async def limits_of(services: Any) -> Limits:
    """The server's own limits; MOST where it says nothing, or 0, which is none."""
    found = {}
    for name, number in _NODES.items():
        # One by one: a server may take only one.
        data = (await services.read_attributes([ua.NodeId(number)], ua.AttributeIds.Value))[0]
        held = data.Value.Value if data.Value is not None else None
        if isinstance(held, int) and not isinstance(held, bool) and held > 0:
            found[name] = min(held, MOST)
    return Limits(**found)
