"""`sevenones pki` and a home that has an authority, as a user meets them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bus import certificates
from bus.process import die_with_parent
from sevenones.client import Client, ClientError
from sevenones.commands.pki import app
from sevenones.demo import MINES
from tests.ports import free_block

READY_S = 120.0


def pki(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--home", str(home)], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_an_authority_is_made_once_listed_and_renewed(tmp_path, monkeypatch):
    home = tmp_path / "home"
    code, said = pki(home, "list")
    assert code == 1 and "pki init" in said
    code, said = pki(home, "init", "--name", "mine.example", "--name", "10.1.2.3")
    assert code == 0 and str(home / "pki" / "ca.pem") in said and "restart" in said
    assert (home / "pki" / "ca.key").stat().st_mode & 0o077 == 0
    code, said = pki(home, "init")
    assert code == 1 and "there is an authority" in said
    code, said = pki(home, "list")
    assert code == 0 and re.search(r"api .*mine\.example.*10\.1\.2\.3", said)
    code, said = pki(home, "renew")
    assert code == 0 and "nothing ends so soon" in said
    before = (home / "pki" / "api.pem").read_text()
    code, said = pki(home, "renew", "--days", "400")
    assert code == 0 and "api" in said and (home / "pki" / "api.pem").read_text() != before
    monkeypatch.setattr(certificates, "DAYS", -0.02)
    certificates.issue(home, "api")
    code, said = pki(home, "list")
    assert code == 1 and "has expired" in said and "renew" in said


def test_a_certificate_for_another_machine(tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    words = ("issue", "edge1", "--name", "edge1.mine", "--to", str(away))
    assert pki(home, *words)[0] == 1
    assert pki(home, "init")[0] == 0
    assert pki(home, *words)[0] == 0
    assert sorted(path.name for path in away.iterdir()) == ["edge1.key", "edge1.pem"]
    code, said = pki(home, "issue", "../edge1", "--name", "edge1.mine", "--to", str(away))
    assert code == 1 and "a-z" in said
    (home / "pki" / "ca.key").unlink()
    code, said = pki(home, *words)
    assert code == 1 and "on the machine that keeps it" in said


def test_a_simulated_mine_is_refused_in_a_home_with_an_authority(tmp_path):
    assert pki(tmp_path / "home", "init")[0] == 0
    argv = [sys.executable, "-m", "sevenones", "demo", "--home", tmp_path / "home", "--port", str(free_block())]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
    assert found.returncode == 1 and "another --home" in found.stdout


def test_a_mirror_that_is_set_up_wrongly_starts_nothing(tmp_path):
    shutil.copytree(MINES / "newcomer", tmp_path / "site")
    (tmp_path / "site" / "mirror.yaml").write_text("{url: 'http://127.0.0.1:9', org: mine, points: ['*']}")
    words = ("--site", tmp_path / "site", "--home", tmp_path / "home", "--port", str(free_block()))
    found = subprocess.run(
        [sys.executable, "-m", "sevenones", "run", *words], capture_output=True, text=True, timeout=90, check=False
    )
    assert found.returncode == 1 and "mirror.yaml: 'bucket' must be text" in found.stdout, found.stdout


@contextlib.contextmanager
def running(home: Path, site: Path, port: int):
    """`sevenones run`, until it is stopped in order."""
    argv = [sys.executable, "-m", "sevenones", "run", "--site", site, "--home", home, "--port", str(port)]
    environment = {**os.environ, "SEVENONES_MODBUS_PORT": str(port + 3)}
    with (home / "said").open("wb") as said:
        child = subprocess.Popen(
            argv,
            stdout=said,
            stderr=said,
            env=environment,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - only sets a signal
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0, (home / "said").read_text()


@pytest.mark.timeout(300)
def test_a_site_of_ones_own_runs_by_tls_alone(tmp_path):
    home, site, port = tmp_path / "home", tmp_path / "site", free_block()
    shutil.copytree(MINES / "newcomer", site)
    (site / "mirror.yaml").write_text("{url: 'http://127.0.0.1:9', org: mine, bucket: mine, points: ['*']}")
    code, said = pki(home, "init")
    assert code == 0, said
    certificates.DAYS, kept = 12.5, certificates.DAYS
    try:
        certificates.issue(home, "api")
    finally:
        certificates.DAYS = kept
    with running(home, site, port) as child:
        deadline = time.monotonic() + READY_S
        health: dict = {}
        # Its gateway shows the bus a certificate of its own, or nothing would be heard of it.
        while not (health.get("store") and health.get("bus") and _heard(home)):
            assert child.poll() is None and time.monotonic() < deadline, f"{health} {(home / 'said').read_text()}"
            time.sleep(0.3)
            with contextlib.suppress(ClientError):
                health = Client.of_home(home).get("health")
        url = json.loads((home / "demo.json").read_text())["url"]
        assert url == f"https://127.0.0.1:{port}"
        assert not any(words.startswith("gateway") for words in health["degraded"]), health
        assert any(re.match(r"certificate api: it ends in 1[12] days", words) for words in health["degraded"]), health
        # Each has its place on the bus, the mirror that the site's folder asks for as well.
        while not (home / "metrics" / "mirror.json").exists():
            assert child.poll() is None and time.monotonic() < deadline, (home / "said").read_text()
            time.sleep(0.3)
        with pytest.raises(ClientError, match="CERTIFICATE_VERIFY_FAILED"):
            Client(url, "-").get("health")  # who does not believe this authority
        with pytest.raises(ClientError):
            Client(url.replace("https", "http"), "-").get("health")  # in clear
        trusted = ssl.create_default_context(cafile=home / "pki" / "ca.pem")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{url}/api/v1/points", context=trusted, timeout=15)
        # The bus asks for a certificate: the authority's word alone opens nothing.
        with socket.create_connection(("127.0.0.1", port + 1), timeout=15) as plain:
            assert plain.recv(4096).startswith(b"INFO ")
            with pytest.raises(ssl.SSLError, match="ALERT"):
                _talk(trusted, plain)


def _talk(trusted: ssl.SSLContext, plain: socket.socket) -> None:
    """Say hello by TLS, without a certificate of one's own, and hear all that is answered."""
    with trusted.wrap_socket(plain, server_hostname="127.0.0.1") as asked:
        asked.sendall(b"CONNECT {}\r\nPING\r\n")
        while asked.recv(4096):
            pass


def _heard(home: Path) -> bool:
    """Whether the gateway has told anything of its points."""
    with contextlib.suppress(ClientError, OSError, ValueError):
        return any(value["ts"] is not None for value in Client.of_home(home).live())
    return False
