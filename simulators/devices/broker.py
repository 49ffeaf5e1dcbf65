"""How a device that is an MQTT client signs in to its broker."""

from __future__ import annotations

import json
from pathlib import Path

from models.site.model import Connection
from simulators.devices.device import DeviceError, secret


def user_of(connection: Connection, home: Path | None) -> tuple[str, str]:
    """User and password: the device's own where the bus has made one, else the connection's. Raises DeviceError."""
    own = None if home is None else home / "bus" / "credentials" / "mqtt-simulator.json"
    if own is not None and own.exists():
        try:
            found = json.loads(own.read_text())
            return str(found["user"]), str(found["password"])
        except (OSError, ValueError, KeyError) as error:
            raise DeviceError(f"the credential {own} cannot be read: {error}") from error
    return str(connection.settings.get("user") or ""), secret(connection)
