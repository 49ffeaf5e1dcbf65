"""A real victoria-metrics for tests: it takes InfluxDB's v2 write API, and gives back what was written."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tests.needs import program
from tests.ports import free_port

START_S = 60


class Victoria:
    """One server on loopback. Its times are ms, its values have 12 digits."""

    def __init__(self) -> None:
        self._program = program("victoria-metrics")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = Path(tempfile.mkdtemp(prefix="sevenones-victoria-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [self._program, f"-storageDataPath={self.home / 'data'}", f"-httpListenAddr=127.0.0.1:{self.port}"]
        command += ["-retentionPeriod=100y", "-memory.allowedBytes=64MB"]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._get("/health")
                return
            except OSError:
                dead = self._process.poll() is not None
                if dead or time.monotonic() > deadline:
                    raise AssertionError((self.home / "log").read_text(errors="replace")[-2000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """In order: what it took is then on its disk. No harm when it is down."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)

    def series(self, match: str) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        """(ms, value) by labels, of all that a selector names."""
        self._get("/internal/force_flush")
        query = urllib.parse.urlencode({"match[]": match})
        lines = [json.loads(line) for line in self._get(f"/api/v1/export?{query}").splitlines()]
        return {
            tuple(sorted(line["metric"].items())): dict(zip(line["timestamps"], line["values"], strict=True))
            for line in lines
        }

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()
