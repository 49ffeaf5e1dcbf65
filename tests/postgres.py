"""A real PostgreSQL for tests, on a free port of loopback, gone when the session ends."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.needs import program
from tests.ports import free_port

PASSWORD = "only-in-tests"


def _account() -> dict[str, int]:
    """PostgreSQL refuses to run as root: then it runs as another user."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid}
    pytest.skip("missing: an unprivileged user under whom PostgreSQL could run")


class Postgres:
    """One server. The superuser is `postgres`; passwords are asked of everybody."""

    def __init__(self) -> None:
        self.port = free_port()
        self.home = Path(tempfile.mkdtemp(prefix="sevenones-postgres-"))
        self._account = _account()
        self._process: subprocess.Popen[bytes] | None = None
        if self._account:
            os.chown(self.home, self._account["user"], self._account["group"])
        secret = self.home / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            program("initdb"), "-D", str(self.home / "data"), "-U", "postgres", "-A", "scram-sha-256",
            "-E", "UTF8", "--locale=C", "--no-sync", f"--pwfile={secret}",
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, check=False, cwd=self.home, **self._account)
        assert done.returncode == 0, done.stderr.decode()

    def url(self, user: str = "postgres", password: str = PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres"):
        """A connection of the superuser that commits each statement (psycopg)."""
        import psycopg

        return psycopg.connect(self.url(database=database), autocommit=True, connect_timeout=10)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement)

    def start(self) -> None:
        """Start, and wait until it answers. No harm when it runs."""
        self.resume()
        if self._process is not None and self._process.poll() is None:
            return
        command = [program("postgres"), "-D", str(self.home / "data"), "-p", str(self.port), "-h", "127.0.0.1"]
        command += ["-k", str(self.home), "-c", "fsync=off", "-c", "timezone=UTC", "-c", "max_connections=50"]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home, **self._account)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
                return
            except Exception:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError((self.home / "log").read_text()[-2000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once: connections are closed. No harm when it is down."""
        self.resume()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)

    def _processes(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        parent = psutil.Process(self._process.pid)
        return [*parent.children(), parent]

    def hang(self) -> None:
        """From now on it answers nothing, and all connections stay open."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in reversed(self._processes()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole session; a test makes a database or tables of its own in it."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()
