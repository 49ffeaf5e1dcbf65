"""A simulated mine starts without a word on passwords, and its gateways find the same ones."""

import asyncio
import json
import os
import re
import signal
import stat
import sys

import psutil
import pytest

from bus import credentials
from sevenones.demo import MINES
from sevenones.home import bus_of
from sevenones.stand_in import PASSWORDS, surroundings
from tests.ports import free_port


def test_what_nobody_has_set_is_made_once_and_for_the_owner_only(tmp_path, monkeypatch):
    for name in ("SEVENONES_OPCUA_PASSWORD", "SEVENONES_MQTT_PASSWORD", "SEVENONES_PERSONNEL_URL"):
        monkeypatch.delenv(name, raising=False)
    first, second = surroundings(tmp_path), surroundings(tmp_path)
    assert first == second and first["SEVENONES_OPCUA_PASSWORD"] != first["SEVENONES_MQTT_PASSWORD"]
    assert stat.S_IMODE((tmp_path / PASSWORDS).stat().st_mode) == 0o600
    assert first["SEVENONES_HOME"] == str(tmp_path) and str(tmp_path) in first["SEVENONES_PERSONNEL_URL"]
    made = credentials.make_all(tmp_path, "140525999201", ["edge1"])
    assert surroundings(tmp_path)["SEVENONES_MQTT_PASSWORD"] == made.mqtt_password("gateway")
    monkeypatch.setenv("SEVENONES_OPCUA_PASSWORD", "mine")
    assert surroundings(tmp_path)["SEVENONES_OPCUA_PASSWORD"] == "mine"


def test_the_bus_of_a_home_is_that_of_the_demo_that_runs_there(tmp_path):
    assert bus_of(tmp_path) == "nats://127.0.0.1:14222"
    (tmp_path / "demo.json").write_text(json.dumps({"url": "http://127.0.0.1:9100"}))
    assert bus_of(tmp_path) == "nats://127.0.0.1:9101"


@pytest.mark.timeout(300)
async def test_a_whole_mine_is_simulated_with_nothing_set(tmp_path):
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SEVENONES_")}
    names = re.findall(r"SEVENONES_\w+_PORT", (MINES / "low" / "connections.yaml").read_text())
    taken = {name: str(free_port()) for name in names}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sevenones", "simulate", "--mine", "low", "--home", str(tmp_path)),
        env=bare | taken,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(200):
            while True:
                line = await process.stdout.readline()
                assert line, "it ended by itself"
                if b"simulating" in line:
                    break
        ports = {each.laddr.port for each in psutil.Process(process.pid).net_connections() if each.status == "LISTEN"}
        assert set(map(int, taken.values())) - {int(taken["SEVENONES_MQTT_PORT"])} <= ports
        assert list((tmp_path / "kj").iterdir()), "exchange files lie in the home"
        assert (tmp_path / "personnel.db").exists()
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert b"Traceback" not in said
