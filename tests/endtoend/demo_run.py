"""One run of the demo as its user starts it, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.ports import free_block


@dataclass
class DemoRun:
    home: Path
    process: subprocess.Popen[bytes]
    url: str
    token: str

    def get(self, path: str, timeout: float = 10) -> Any:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def child(self, word: str) -> psutil.Process:
        """The one process of the demo whose command names `word`."""
        found = [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if word in " ".join(child.cmdline()[:4]) and child.status() != psutil.STATUS_ZOMBIE
        ]
        assert len(found) == 1, (word, [child.cmdline() for child in psutil.Process(self.process.pid).children()])
        return found[0]

    def kill(self, word: str) -> None:
        os.kill(self.child(word).pid, signal.SIGKILL)

    def good_share(self) -> float:
        """The share of points whose live value is good and fresh; 0 when the API does not answer."""
        try:
            values = self.get("/api/v1/live", timeout=3)["values"]
        except OSError:
            return 0.0
        return sum(1 for v in values if v["quality"] >= 192 and not v["stale"]) / len(values)

    def wait_good(self, share: float = 0.95, within: float = 60) -> float:
        """Seconds until that share is good. Fails after `within`."""
        started = time.monotonic()
        while (now := self.good_share()) < share:
            assert time.monotonic() - started < within, f"only {now:.0%} good after {within} s"
            assert self.process.poll() is None, "the demo ended by itself"
            time.sleep(0.25)
        return time.monotonic() - started


@contextlib.contextmanager
def running_demo(home: Path, within: float = 90) -> Iterator[DemoRun]:
    """A demo, ready. When it ends, no process of it is left: that is asserted."""
    port = free_block()
    log = (home.parent / "demo.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "sevenones", "demo", "--home", str(home), "--port", str(port)],
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    children: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + within
        while not (home / "demo.json").exists():
            assert process.poll() is None, (home.parent / "demo.log").read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, "no demo.json"
            time.sleep(0.2)
        known = json.loads((home / "demo.json").read_text())
        run = DemoRun(home, process, known["url"], known["token"])
        try:
            run.wait_good(within=within)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{(home.parent / 'demo.log').read_text(errors='replace')[-4000:]}") from None
        yield run
        children = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            log.close()
    left = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not left, f"left running: {[child.cmdline() for child in left]}"
