"""`bench connections`: many devices, some of them dead; do the live ones keep their period?

500 devices of 40 values each; 150 of them hang or refuse. The devices note when each request came:
jitter is how far the time from one poll to the next is off the period, as the devices saw it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sevenones.bench.stack import Meter, Stack
from simulators.load import GATEWAY, MINE_CODE

POINTS_EACH = 40
SETTLE_S = 12.0
"""By then the dead ones have been met, and rest."""


def run(devices: int = 500, dead: int = 150, seconds: int = 30) -> dict[str, Any]:
    """Run it once; takes about `seconds` and half a minute more."""
    with tempfile.TemporaryDirectory(prefix="sevenones-connections-") as folder:
        home, site_folder, arrivals = Path(folder) / "home", Path(folder) / "site", Path(folder) / "arrivals.json"
        home.mkdir(mode=0o700)
        with Stack(home, site_folder) as stack:
            argv = [sys.executable, "-m", "simulators.load", "--points", str(devices * POINTS_EACH)]
            argv += ["--devices", str(devices), "--dead", str(dead), "--site", str(site_folder)]
            stack.run("simulators", [*argv, "--arrivals", str(arrivals)])
            deadline = time.monotonic() + 60
            while not (site_folder / "points" / "load.csv").exists():
                if time.monotonic() > deadline:
                    raise TimeoutError("the simulated devices did not start")
                time.sleep(0.1)
            time.sleep(1.0)
            url = stack.start_bus(MINE_CODE, [GATEWAY])
            stack.start_gateways(url, [GATEWAY])
            time.sleep(SETTLE_S)
            meter = Meter(stack)
            meter.start()
            first = time.monotonic()
            time.sleep(seconds)
            last = time.monotonic()
            use = meter.stop()
            states = [one["state"] for one in stack.state(GATEWAY)["connections"].values()]
            stack.end("simulators")
        return _result(devices, dead, seconds, json.loads(arrivals.read_text()), first, last, states, use)


def _result(
    devices: int,
    dead: int,
    seconds: int,
    arrivals: dict[str, list[float]],
    first: float,
    last: float,
    states: list[str],
    use: dict[str, Any],
) -> dict[str, Any]:
    jitter, polls = [], 0
    for number in range(devices - dead):
        instants = np.array(arrivals.get(str(number), []))
        instants = instants[(instants >= first) & (instants < last)]
        polls += len(instants)
        jitter.append(np.abs(np.diff(instants) - 1.0) * 1e3)
    off = np.concatenate(jitter)
    gateway = use[f"gateway-{GATEWAY}"]
    return {
        "bench": "connections",
        "devices": devices,
        "dead": dead,
        "seconds": seconds,
        "up": states.count("up"),
        "polls_per_s_per_device": round(polls / (devices - dead) / (last - first), 3),
        "jitter_p50_ms": round(float(np.percentile(off, 50)), 2),
        "jitter_p99_ms": round(float(np.percentile(off, 99)), 2),
        "jitter_max_ms": round(float(off.max()), 2),
        "period_ms": 1000,
        "gateway_cores": round(gateway.cpu_s / seconds, 3),
        "gateway_rss_mb": round(gateway.rss_mb),
    }
