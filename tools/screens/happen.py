"""What has happened in the mine before its pictures are taken: pages that show nothing show little of themselves."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from sevenones.bench.mine import Mine

HAPPENINGS = yaml.safe_load((Path(__file__).parent / "happenings.yaml").read_text(encoding="utf-8"))
NOTED_S = 180.0


class NothingHappened(Exception):
    """What was made to happen was not noted in time, or the platform refused it: its words."""


def happen(mine: Mine) -> None:
    """Faults in the machines, words in the shift's log, time that is asked to be left out, yesterday's report. Raises
    NothingHappened."""
    for fault in HAPPENINGS["faults"]:
        command = (sys.executable, "-m", "sevenones", "simulate", "fault", fault["name"], fault["target"])
        subprocess.run([*command, "--home", str(mine.home)], check=True)
    with httpx.Client(base_url=f"{mine.url}/api/v1/", headers={"Authorization": f"Bearer {mine.token}"}) as client:
        for path, given in _told().items():
            _until(lambda path=path, given=given: client.post(path, json=given))
        _until(lambda: client.get("alarms"), lambda said: len(said["alarms"]) >= HAPPENINGS["alarms"])


def _until(ask: Callable[[], httpx.Response], enough: Callable[[Any], bool] = lambda _: True) -> None:
    """Yesterday's figures and the alarms come a while after the mine is up."""
    end = time.monotonic() + NOTED_S
    while True:
        answer = ask()
        if answer.is_success and enough(answer.json()):
            return
        if time.monotonic() > end:
            raise NothingHappened(f"{answer.url}: {answer.text[:400]}")
        time.sleep(2.0)


def _told() -> dict[str, dict[str, Any]]:
    """What people tell: path under /api/v1/ → body."""
    now = datetime.now(UTC)
    hours = {"start": (now + timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=3)).isoformat()}
    return {
        "shifts/log": {"words": HAPPENINGS["log"], "equipment": None, "corrects": None},
        "tickets": {**HAPPENINGS["excluded"], "kind": "excluded_time", **hours},
        "reports": {"kind": "daily", "first": (now - timedelta(days=1)).date().isoformat()},
    }
