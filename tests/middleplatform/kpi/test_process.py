"""The figures process as a program: without a store it says so and waits, killed it goes on, told to stop it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

import simulators
from bus.process import die_with_parent
from middleplatform.kpi import book
from middleplatform.kpi.sections import sections
from middleplatform.kpi.state import told
from middleplatform.kpi.utilisation_day import make
from models.kpi.calendar import bounds, day_of, days
from models.kpi.day import digest
from sevenones.backfill.mine import site_of
from tests.middleplatform.kpi.stored import Stored, worked

pytestmark = pytest.mark.timeout(300)
FOLDER = Path(simulators.__file__).parent / "mines" / "demo"


def until(condition):
    deadline = time.monotonic() + 100
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
    return found


def begun(home: Path) -> subprocess.Popen:
    given = {f"SEVENONES_{name}_PORT": "1883" for name in ("MQTT", "MODBUS", "OPCUA")}
    given |= {"SEVENONES_HOME": str(home), "SEVENONES_MQTT_PASSWORD": "?", "SEVENONES_OPCUA_PASSWORD": "?"}
    argv = (sys.executable, "-m", "sevenones", "figures", "--site", str(FOLDER), "--home", str(home))
    return subprocess.Popen(argv, env={**os.environ, **given}, preexec_fn=die_with_parent)  # noqa: PLW1509


@pytest.fixture
def home(tmp_path):
    """Of a mine whose store does not run yet."""
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home"


def test_it_waits_for_the_store_goes_on_after_a_kill_and_stops_when_told(home, tmp_path):
    site = site_of(FOLDER, {})
    now = time.time_ns() // 1000
    last = day_of(site, now - 3_700_000_000) - timedelta(days=1)
    first = last - timedelta(days=2)
    child = begun(home)
    try:
        state = until(lambda: told(home, site.code))
        assert "the store is not running" in state[1]["failing"] and state[1]["made"] == 0
        page = json.loads((home / "metrics" / "figures.json").read_text())
        asked = urllib.request.Request(page["url"], headers={"Authorization": f"Bearer {page['token']}"})
        said = urllib.request.urlopen(asked, timeout=10).read().decode()
        assert "sevenones_figures_failing 1.0" in said and "sevenones_figures_due 0.0" in said
        stored = Stored(tmp_path / "store")
        try:
            stored.now = now
            stored.add(worked(site, bounds(site, first)[0], now))
            stored.roll_up()
            stored.announce(home)

            def kept():
                return {each.name: book.read(home, site.code, each.name, first, last) for each in sections()}

            until(lambda: any(kept().values()))
            child.kill()
            child.wait(20)
            child = begun(home)
            closed = list(days(first, last))
            until(lambda: all(set(closed) <= set(own) for own in kept().values()))
            until(lambda: told(home, site.code)[1]["failing"] == "" and told(home, site.code)[1]["due"] == 0)
            for day, each in kept()["utilisation"].items():
                assert each.digest == digest(make(site, stored.reader, None, day).document())
            assert {each.revision for own in kept().values() for each in own.values()} == {1}
            assert told(home, site.code)[1]["broken"] == []
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0
        finally:
            stored.close()
    finally:
        child.kill()
        child.wait(20)
