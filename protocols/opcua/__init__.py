"""OPC UA: subscriptions with status and source time, over a signed and encrypted channel."""

from protocols.opcua.adapter import OpcUa

__all__ = ["OpcUa"]
