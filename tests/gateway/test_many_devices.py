"""Many devices at one gateway: real processes, a simulated controller each, on ports of their own."""

from __future__ import annotations

import sys
import time

import pytest

from sevenones.bench.stack import Stack
from simulators.load import GATEWAY, MINE_CODE

DEVICES, TAGS = 100, 200
SECONDS, TIMES = 10, 6


def groups(stack):
    """Polls that were answered and polls left out, of each device so far."""
    connections = stack.state(GATEWAY).get("connections", {}).values()
    found = [group for connection in connections for group in connection["groups"].values()]
    return [group["answered"] for group in found], [group["skipped"] for group in found]


def until(met, within):
    deadline = time.monotonic() + within
    while not met():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.2)


@pytest.mark.timeout(240)
def test_p24_a_hundred_controllers_of_two_hundred_tags_are_all_read_in_their_time(tmp_path):
    home, site = tmp_path / "home", tmp_path / "site"
    home.mkdir(mode=0o700)
    with Stack(home, site) as stack:
        load = [sys.executable, "-m", "simulators.load", "--site", str(site)]
        stack.run("simulators", [*load, "--points", str(DEVICES * TAGS), "--devices", str(DEVICES)])
        until((site / "points" / "load.csv").exists, 60)
        time.sleep(1.0)
        stack.start_gateways(stack.start_bus(MINE_CODE, [GATEWAY]), [GATEWAY])
        until(lambda: len(answered := groups(stack)[0]) == DEVICES and min(answered) >= 2, 90)
        # A period of 1 s: on an idle machine ten polls each and none left out. What else runs here may take the time
        # from some seconds, and from none for ever: a gateway that cannot keep up leaves polls out in all of them.
        looks = []
        for _ in range(TIMES):
            answered, skipped = groups(stack)
            time.sleep(SECONDS)
            answered_then, skipped_then = groups(stack)
            polls = [after - before for before, after in zip(answered, answered_then, strict=True)]
            left_out = [after - before for before, after in zip(skipped, skipped_then, strict=True)]
            looks.append((min(polls), sum(left_out)))
            if min(polls) >= 0.7 * SECONDS and sum(left_out) <= 0.03 * DEVICES * SECONDS:
                return
        pytest.fail(f"fewest polls of a device and polls left out, of all in {SECONDS} s: {looks}")
