"""`bench e2e`: simulated devices → Modbus over the wire → gateway → bus → store → history API.

Every value changes each second; all settings are the defaults. At the end every stored value is
compared with the one that the device held, so `missing` and `doubled` are counted, not estimated.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from middleplatform.store.client import StoreClient
from models.site.model import Site
from sevenones.bench.stack import Meter, Stack
from simulators.load import value_at

PROBES = 2
PROBE_PAUSE_S = 0.03
FIRST_LOOK_S = 0.1
READ_SLACK_US = 600_000
PHASES_MS = tuple(range(50, 800, 50))
"""The devices show a new value at each full second. A poll that straddles it could read one second's
value twice, and the gateway would rightly not report it again: so polls lie apart from it."""
CHUNK = 1_000


class Prober(threading.Thread):
    """Asks the history API for the next sample of random points until it is there, and notes how long
    that took from the sample's own time."""

    def __init__(self, url: str, token: str, site: Site, seed: int) -> None:
        super().__init__(daemon=True)
        self._url, self._token, self._points = url, token, site.points
        self._random = random.Random(seed)  # noqa: S311 - chooses points to look at
        self.latencies_ms: list[float] = []
        self.failures = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.is_set():
            try:
                self._probe(self._random.choice(self._points).path)
            except (urllib.error.URLError, OSError, ValueError):
                self.failures += 1
                time.sleep(0.5)

    def _newest(self, path: str, start_us: int) -> int | None:
        query = urllib.parse.urlencode({"point": path, "start": start_us, "end": time.time_ns() // 1000 + 1_000_000})
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self._url}/api/v1/history?{query}", headers={"Authorization": f"Bearer {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            rows = json.load(answer)["series"][0]["samples"]["ts"]
        return int(rows[-1]) if rows else None

    def _probe(self, path: str) -> None:
        known = self._newest(path, time.time_ns() // 1000 - 3_000_000)
        if known is None:
            time.sleep(0.2)
            return
        due_s = known / 1e6 + 1.0
        while due_s + FIRST_LOOK_S < time.time():
            due_s += 1.0
        time.sleep(max(0.0, due_s + FIRST_LOOK_S - time.time()))
        while not self._done.is_set():
            if self._newest(path, int((due_s - 0.2) * 1e6)) is not None:
                self.latencies_ms.append((time.time() - due_s) * 1e3)
                return
            time.sleep(PROBE_PAUSE_S)

    def stop(self) -> None:
        self._done.set()
        self.join()


def run(points: int = 100_000, seconds: int = 60, seed: int = 1) -> dict[str, Any]:
    """Run it once. Needs two cores; takes about `seconds` and a minute more."""
    with tempfile.TemporaryDirectory(prefix="sevenones-e2e-") as folder:
        home, site_folder = Path(folder) / "home", Path(folder) / "site"
        home.mkdir(mode=0o700)
        with Stack(home, site_folder) as stack:
            devices = max(1, points // 1_000)
            argv = [sys.executable, "-m", "simulators.load", "--points", str(points), "--devices", str(devices)]
            phases = ["--phase-ms", *map(str, PHASES_MS)]
            stack.run("simulators", [*argv, "--seed", str(seed), "--site", str(site_folder), *phases])
            _await(site_folder / "site.yaml", 60)
            site, url, token = stack.start()
            client = StoreClient(stack.endpoint(30 + points / 2_000), timeout_s=120)
            _flowing(client, points, 60 + points / 10_000)
            return _measure(stack, client, site, url, token, seconds, seed)


def _measure(
    stack: Stack, client: StoreClient, site: Site, url: str, token: str, seconds: int, seed: int
) -> dict[str, Any]:
    time.sleep(5)
    meter = Meter(stack)
    probers = [Prober(url, token, site, number) for number in range(PROBES)]
    for thread in (meter, *probers):
        thread.start()
    first = int(time.time()) + 1
    time.sleep(seconds + 1)
    for prober in probers:
        prober.stop()
    use = meter.stop()
    time.sleep(8)
    counted = _compare(client, site, first, seconds, seed)
    latencies = [latency for prober in probers for latency in prober.latencies_ms]
    percentiles = [float("nan")] * 3
    if latencies:
        percentiles = [*np.percentile(latencies, [50, 99]).tolist(), max(latencies)]
    ours = {name: value for name, value in use.items() if name != "simulators"}
    simulators_mb = use["simulators"].rss_mb
    return {
        "bench": "e2e",
        "points": len(site.points),
        "seconds": seconds,
        "samples_per_s": round(counted["rows"] / seconds),
        "p50_ms": round(percentiles[0], 1),
        "p99_ms": round(percentiles[1], 1),
        "max_ms": round(percentiles[2], 1),
        "probes": len(latencies),
        "probe_failures": sum(prober.failures for prober in probers),
        "missing": counted["missing"],
        "doubled": counted["doubled"],
        "wrong": counted["wrong"],
        "cpu_s": round(sum(value.cpu_s for value in ours.values()), 2),
        "cores": round(sum(value.cpu_s for value in ours.values()) / (seconds + 1), 3),
        "rss_mb": round(meter.peak_total_mb - simulators_mb),
        "by_process": {
            name: {"cores": round(value.cpu_s / (seconds + 1), 3), "rss_mb": round(value.rss_mb)}
            for name, value in use.items()
        },
    }


def _compare(client: StoreClient, site: Site, first: int, seconds: int, seed: int) -> dict[str, int]:
    """Every stored row of the measured seconds against what the device held when it was read."""
    index_of = {point.id: index for index, point in enumerate(site.points)}  # both are in order of path
    ids = list(index_of)
    found = {"rows": 0, "missing": 0, "doubled": 0, "wrong": 0}
    start, end = first * 1_000_000, (first + seconds) * 1_000_000
    for at in range(0, len(ids), CHUNK):
        part = ids[at : at + CHUNK]
        table = client.raw(part, start, end, len(part) * seconds * 3)
        point, ts = table.column("point").to_numpy(), table.column("ts").to_numpy()
        value = table.column("value").to_numpy()
        pairs = len(np.unique(np.stack([point, ts.view(np.uint64)], axis=1), axis=0))
        _, rows = np.unique(point, return_counts=True)
        index = np.fromiter((index_of[one] for one in point.tolist()), np.int64, len(point))
        second = ts // 1_000_000
        late = (ts + READ_SLACK_US) // 1_000_000
        true = (value == value_at(index, second, seed)) | (value == value_at(index, late, seed))
        found["rows"] += len(ts)
        found["doubled"] += len(ts) - pairs
        found["missing"] += len(part) * seconds - int(np.minimum(rows, seconds).sum())
        found["wrong"] += int((~true).sum())
    return found


def _await(path: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path.name} was not written within {within_s:.0f} s")
        time.sleep(0.1)
    time.sleep(1.0)


def _flowing(client: StoreClient, points: int, within_s: float) -> None:
    """Wait until every point has a value in the store."""
    deadline = time.monotonic() + within_s
    while (have := client.latest().num_rows) < points:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {have} of {points} points have a value after {within_s:.0f} s")
        time.sleep(1.0)
