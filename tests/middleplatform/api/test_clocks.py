"""Clocks of devices that are off, as health tells of them."""

import json
import time

import pytest

from middleplatform.api.clocks import OLD_US, Clocks

NOW = 1_800_000_000_000_000


def beat(**doubted):
    return json.dumps({"connections": {name: {"clock_doubted": one} for name, one in doubted.items()}}).encode()


def test_a_clock_that_is_off_is_told_until_it_is_right_or_its_gateway_silent():
    clocks = Clocks()
    clocks.take("edge1", beat(chamber=True, plc=False), NOW)
    clocks.take("edge2", beat(plc=False), NOW)
    (told,) = clocks.trouble(NOW)
    assert told.startswith("gateway edge1: the clocks of 1 of its devices are off") and "chamber" not in told
    assert clocks.trouble(NOW + OLD_US) == []
    clocks.take("edge1", beat(chamber=False, plc=False), NOW)
    assert clocks.trouble(NOW) == []


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"7", b"{}", b'{"connections": 7}', b'{"connections": {"a": 7}}', b"\xff"]
)
def test_what_is_no_heartbeat_says_nothing(data):
    clocks = Clocks()
    clocks.take("edge1", beat(chamber=True), NOW)
    clocks.take("edge1", data, NOW)
    assert len(clocks.trouble(NOW)) == 1


def test_health_is_degraded_by_a_clock_that_is_off(standing):
    standing.app.state.clocks.take("edge1", beat(chamber=True), time.time_ns() // 1000)
    with standing.client(None) as client:
        found = client.get("/api/v1/health").json()
    assert found["status"] == "degraded"
    assert [words for words in found["degraded"] if "the clocks of 1 of its devices" in words]
