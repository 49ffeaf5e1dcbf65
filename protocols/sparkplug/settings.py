"""What a connection of the adapter `sparkplug` may set: the broker's as in `mqtt`, and the host's own."""

from __future__ import annotations

from pydantic import Field

from protocols.mqtt.settings import BrokerSettings


class SparkplugSettings(BrokerSettings):
    """One broker, one host application."""

    host_id: str = Field(
        "",
        max_length=128,
        pattern=r"^[^+#/\x00]*$",
        description="the host's name in spBv1.0/STATE/<host_id>; empty: it does not say whether it is up",
    )
    browse_s: float = Field(3.0, gt=0, le=60, description="how long browsing listens for nodes and their births, s")
    rebirth_wait_s: float = Field(
        10.0, ge=0.1, le=3600, description="a node is asked for a new birth at most this often, s"
    )
