"""What the connections of a simulated mine ask of the environment, where nobody has set it.

A real site's passwords are given by whoever runs it. Those of simulated devices protect nothing that is real, so they
are made once and kept in the home: its simulators and its gateways then agree without a word of the user's.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from bus.credentials import folder as credentials_of
from bus.secret import write_secret

PASSWORDS = "demo-devices.json"
"""In the home: the simulated devices' passwords, by protocol."""


def surroundings(home: Path) -> dict[str, str]:
    """The environment with what is missing there, by name: passwords, the home, the personnel database's url."""
    home = home.resolve()
    passwords = _passwords(home)
    return {
        "SEVENONES_OPCUA_PASSWORD": passwords["opcua"],
        "SEVENONES_MQTT_PASSWORD": _broker_password(home) or passwords["mqtt"],
        "SEVENONES_PERSONNEL_URL": f"sqlite:///{home / 'personnel.db'}",
        **os.environ,
        "SEVENONES_HOME": str(home),  # as the gateway takes it: exchange files lie where both look
    }


def _passwords(home: Path) -> dict[str, str]:
    path = home / PASSWORDS
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: secrets.token_urlsafe(16) for name in ("opcua", "mqtt") if name not in found}
    if missing:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, json.dumps({**found, **missing}))
    return found | missing


def _broker_password(home: Path) -> str:
    """The one that this home's bus has made for its gateways, which is a broker too; "" where it has none."""
    path = credentials_of(home) / "mqtt-gateway.json"
    return str(json.loads(path.read_text())["password"]) if path.exists() else ""
