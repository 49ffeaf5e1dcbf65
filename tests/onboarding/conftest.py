"""The devices that several tests ask."""

from tests.protocols.opcua.conftest import machine

__all__ = ["machine"]
