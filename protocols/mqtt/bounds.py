"""What bounds everything that comes from a broker, whatever its payloads say."""

from __future__ import annotations

from models.site.model import Name
from protocols.mqtt.link import MAX_QUEUED_BYTES

MESSAGES_AT_ONCE = 500
BYTES_AT_ONCE = 500_000
"""One delivery is decoded in one go: this bounds how long it keeps the other connections waiting."""


def limits(max_payload_bytes: int) -> tuple[Name, Name]:
    """The bounds in words, for an adapter's sheet."""
    return (
        Name(
            f"报文最大 {max_payload_bytes / 1e6:g} MB，更大的计数后丢弃并确认",
            f"a message of at most {max_payload_bytes / 1e6:g} MB; more is counted, dropped and acknowledged",
        ),
        Name(
            f"未处理的报文最多 {MAX_QUEUED_BYTES / 1e6:g} MB，其余留在代理",
            f"at most {MAX_QUEUED_BYTES / 1e6:g} MB of messages unread here; the rest waits with the broker",
        ),
    )
