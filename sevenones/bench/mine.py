"""The demo of a simulated mine as its user starts it, on ports and in a home of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sevenones.bench.stack import free_port
from sevenones.demo import MINES

READY_S = 300.0
GOOD = 0.95


class NotReady(Exception):
    """The mine did not come up: the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Mine:
    home: Path
    url: str
    token: str
    password: str
    """The administrator's first one."""

    def good_share(self) -> float:
        """The share of points whose value is good and fresh; 0 while the API does not answer."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/api/v1/live", headers={"Authorization": f"Bearer {self.token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                values = json.load(answer)["values"]
        except (OSError, ValueError, KeyError):
            return 0.0
        return sum(1 for value in values if value["quality"] >= 192 and not value["stale"]) / max(1, len(values))


def devices(mine: str) -> dict[str, str]:
    """A free port for each simulated device of a mine, by the variable that says it."""
    text = (MINES / mine / "connections.yaml").read_text(encoding="utf-8")
    names = sorted(set(re.findall(r"SEVENONES_\w+_PORT", text)) - {"SEVENONES_MQTT_PORT"})
    return {name: str(free_port()) for name in names}


@contextmanager
def running(mine: str, home: Path, port: int, more: Mapping[str, str] | None = None) -> Iterator[Mine]:
    """The demo, once nearly all of its values are good; ended when left. `port` is the first of five that are free.
    Raises NotReady."""
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "sevenones", "demo", "--mine", mine, "--home", str(home), "--port", str(port)],
            stdout=told,
            stderr=subprocess.STDOUT,
            env={**os.environ, **devices(mine), **(more or {})},
            start_new_session=True,
        )
        try:
            yield _ready(home, process, log)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _ready(home: Path, process: subprocess.Popen[bytes], log: Path) -> Mine:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if (home / "demo.json").exists():
            known = json.loads((home / "demo.json").read_text())
            mine = Mine(home, known["url"], known["token"], known["admin_password"])
            if mine.good_share() >= GOOD:
                return mine
        time.sleep(0.5)
    raise NotReady(log.read_text(errors="replace")[-4000:])
