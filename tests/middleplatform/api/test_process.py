"""The API process: it begins with what the store holds, and says plainly when its port is taken."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import simulators
from bus import credentials
from middleplatform.api.process import PortTaken, run
from tests.middleplatform.api.build import batch, now, path_of, site
from tests.middleplatform.api.stage import until
from tests.ports import free_port
from tests.servers import CODE


@pytest.fixture
def another_home(platform, tmp_path):
    """The platform's home for one more API: all that it reads is the platform's, what it announces is its own."""
    for entry in platform.home.iterdir():
        if entry.name != "metrics":
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def test_a_new_start_knows_at_once_what_the_store_holds(platform, another_home):
    ts = now()
    platform.send(batch(platform.next_number(), ("belt1/running", ts, 1.0, 192)), live=False)
    until(
        lambda: platform.get("history", point="belt1/running", start=ts, end=ts + 1).json()["series"][0]["samples"][
            "ts"
        ]
    )
    port, stop = free_port(), asyncio.Event()

    async def start():
        proof = credentials.load(platform.home, "api")
        return asyncio.create_task(run(site(), another_home, platform.bus_url(), proof, "127.0.0.1", port, stop))

    task = platform.within(start())
    try:
        with platform.client() as client:

            def running():
                with suppress(httpx.HTTPError):
                    values = client.get(f"http://127.0.0.1:{port}/api/v1/live", params={"point": "belt1/running"})
                    return values.json()["values"][0]["ts"] == ts

            until(running)
        secret = another_home / "metrics" / "api.json"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    finally:
        platform.call(stop.set)
        platform.within(asyncio.wait_for(task, 45))
    assert not secret.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/api/v1/health")
    assert path_of("belt1/running") in {v["point"] for v in platform.get("live").json()["values"]}


def test_a_taken_port_is_said_in_plain_words(platform):
    port = int(platform.url.rpartition(":")[2])

    async def start():
        proof = credentials.load(platform.home, "api")
        await run(site(), platform.home, platform.bus_url(), proof, "127.0.0.1", port, asyncio.Event())

    with pytest.raises(PortTaken, match=f"{port}.*--port"):
        platform.within(start())


def test_the_log_holds_no_token(platform, another_home, tmp_path_factory):
    """The command as it is run, asked with a token in each place; its output is then searched."""
    folder = tmp_path_factory.mktemp("site") / "demo"
    shutil.copytree(Path(simulators.__file__).parent / "mines" / "demo", folder)
    # The bus lets the api hear its own mine only, and ends one that asks for another's as soon as it notices.
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace("140525000001", CODE), encoding="utf-8")
    port = free_port()
    argv = (
        sys.executable, "-m", "sevenones", "api", "--site", str(folder), "--home", str(another_home),
        "--bus", platform.bus_url(), "--port", str(port),
    )  # fmt: skip
    environment = {**os.environ, "SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x"}
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        with platform.client() as client:

            def up():
                assert child.poll() is None, child.stdout.read()
                with suppress(httpx.HTTPError):
                    return client.get(f"http://127.0.0.1:{port}/api/v1/points").status_code == 200

            until(up)
            for path in (f"points?token={platform.reader}", f"stream?token={platform.reader}", platform.reader):
                client.get(f"http://127.0.0.1:{port}/api/v1/{path}")
            client.post(
                f"http://127.0.0.1:{port}/api/v1/sign-in", json={"user": "secret-user", "password": "secret-word"}
            )
    finally:
        child.send_signal(signal.SIGTERM)
        said, _ = child.communicate(timeout=60)
    assert "api open" in said
    assert platform.reader not in said and "secret-" not in said
    assert child.returncode == 0
