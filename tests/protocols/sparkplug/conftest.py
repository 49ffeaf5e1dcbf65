"""A broker for each test that asks."""

from tests.protocols.mqtt.conftest import broker, publisher

__all__ = ["broker", "publisher"]
