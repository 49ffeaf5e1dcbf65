"""What a host sends to nodes and devices."""

from __future__ import annotations

import time

from protocols.sparkplug.values import CODES
from protocols.sparkplug.wire import Payload

PREFIX = "spBv1.0"


def rebirth(group: str, node: str) -> tuple[str, bytes]:
    """Topic and payload that ask a node for its births anew."""
    payload = Payload(timestamp=time.time_ns() // 1_000_000)
    payload.metrics.add(
        name=b"Node Control/Rebirth",
        timestamp=payload.timestamp,
        datatype=CODES["Boolean"],
        boolean_value=True,
    )
    return f"{PREFIX}/{group}/NCMD/{node}", payload.SerializeToString()
