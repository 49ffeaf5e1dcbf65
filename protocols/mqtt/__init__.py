"""MQTT: topics and JSON paths to points, acknowledged only after the bus has the data."""

from protocols.mqtt.adapter import Mqtt

__all__ = ["Mqtt"]
