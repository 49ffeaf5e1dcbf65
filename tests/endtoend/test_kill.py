"""kill -9 of gateway, store, api and bus in turn while samples flow; then the truth against the store."""

from __future__ import annotations

import asyncio
import json
import os
import time
import urllib.request

import numpy as np
import pyarrow as pa
import pytest

from bus import credentials
from bus.connection import Bus
from middleplatform.store.client import StoreClient
from models.site import load
from models.site.model import Site
from simulators.truth import read_truth
from tests.endtoend.demo_run import DemoRun, running_demo
from tests.endtoend.streams import pairs_of
from tests.endtoend.truth_check import Column, missing, missing_polled, untrue_polled, untrue_stamped

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420), pytest.mark.long]

STEADY_S = 6.0
"""Quiet time before the first kill and after each recovery."""
MARGIN_US = 1_500_000
"""What a recorded outage is widened by: the poll that was under way and the first after the return."""


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A demo that lived through the four kills: its folder, the outages, and the store's rows."""
    home = tmp_path_factory.mktemp("kill") / "home"
    with running_demo(home) as run:
        start = now_us()
        time.sleep(STEADY_S)
        outages: dict[str, tuple[int, int]] = {}
        for word in ("gateway", "store", "api", "nats-server"):
            begin = now_us()
            run.kill(word)
            time.sleep(1)
            wait_back(run, within=60)
            outages[word] = (begin, now_us())
            time.sleep(STEADY_S)
        end = now_us()
        time.sleep(3)  # what was sampled before `end` is on its way
        site = load(home / "site", environment={**os.environ, **_environment(run)})
        streamed = asyncio.run(_stream(run))
        client = StoreClient(json.loads((home / "store" / "endpoint.json").read_text()))
        deadline = time.monotonic() + 60
        while True:  # what the streams hold, the store has a moment later
            stored = client.raw([p.id for p in site.points], start - 60_000_000, now_us(), 5_000_000)
            kept = set(zip(stored.column("point").to_pylist(), stored.column("ts").to_pylist(), strict=True))
            if streamed <= kept or time.monotonic() > deadline:
                break
            time.sleep(1)
    # The truth is read when its writers have ended: every stored row's is then on disk.
    return Killed(site, start, end, outages, streamed, stored, read_truth(home))


def wait_back(run: DemoRun, within: float) -> None:
    """Until every process says itself that all it needs is there."""
    deadline = time.monotonic() + within
    while not (all_connected(run) and healthy(run) and run.good_share() > 0.95):
        assert time.monotonic() < deadline, f"not back after {within} s"
        time.sleep(0.2)


def healthy(run: DemoRun) -> bool:
    try:
        return run.get("/api/v1/health", timeout=5)["status"] == "ok"
    except OSError:
        return False


def all_connected(run: DemoRun) -> bool:
    """Whether the gateway says that its devices and the bus are connected."""
    try:
        door = json.loads((run.home / "metrics" / "gateway-edge1.json").read_text())
        request = urllib.request.Request(door["url"].removesuffix("/metrics") + "/state")
        request.add_header("Authorization", f"Bearer {door['token']}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            state = json.load(answer)
    except (OSError, ValueError):
        return False
    return state["bus_connected"] and all(c["state"] == "up" for c in state["connections"].values())


class Killed:
    def __init__(self, site: Site, start: int, end: int, outages, streamed, stored: pa.Table, truth: pa.Table) -> None:
        self.site, self.start, self.end, self.outages, self.streamed = site, start, end, outages, streamed
        self.stored = {name: stored.column(name).to_numpy() for name in ("point", "ts", "value", "quality")}
        self.truth = {name: truth.column(name).to_numpy() for name in ("point", "ts", "value")}

    def column(self, point: int) -> Column:
        rows = self.stored["point"] == point
        order = np.argsort(self.stored["ts"][rows], kind="stable")
        return Column(*(self.stored[name][rows][order] for name in ("ts", "value", "quality")))

    def truth_of(self, point: int) -> Column:
        rows = self.truth["point"] == point
        order = np.argsort(self.truth["ts"][rows], kind="stable")
        return Column(*(self.truth[name][rows][order] for name in ("ts", "value")))

    def points(self, adapter: str):
        chosen = [p for p in self.site.points if self.site.connections[p.connection].adapter == adapter]
        assert chosen, f"the demo has no {adapter} point"
        return [p for p in chosen if p.kind != "text"]

    def outage(self, *words: str) -> list[tuple[int, int]]:
        return [(b - MARGIN_US, e + MARGIN_US) for w, (b, e) in self.outages.items() if w in words]


def _environment(run: DemoRun) -> dict[str, str]:
    """The simulated devices' passwords are not needed to read the site: any text does."""
    return {"SEVENONES_OPCUA_PASSWORD": "-", "SEVENONES_MQTT_PASSWORD": "-"}


async def _stream(run: DemoRun) -> set[tuple[int, int]]:
    """Every (point, ts) that the streams hold."""
    port = int(run.url.rsplit(":", 1)[1]) + 1
    async with await Bus.connect(f"nats://127.0.0.1:{port}", credentials.load(run.home, "watch"), name="test") as bus:
        return set(await pairs_of(bus))


def test_each_kill_was_recovered_from_within_a_minute(killed):
    for word, (begin, end) in killed.outages.items():
        assert end - begin < 60_000_000, f"{word} was away for {(end - begin) / 1e6:.1f} s"


def test_every_pair_in_the_stream_is_in_the_store_once(killed):
    pairs = list(zip(killed.stored["point"].tolist(), killed.stored["ts"].tolist(), strict=True))
    assert len(pairs) == len(set(pairs)), "a (point, ts) is in the store twice"
    lost = killed.streamed - set(pairs)
    assert not lost, f"{len(lost)} of {len(killed.streamed)} pairs of the stream are not in the store"
    assert len(killed.streamed) > 500


def test_every_stored_row_is_true(killed):
    checked = 0
    for point in killed.points("modbus"):
        stored, truth = killed.column(point.id), killed.truth_of(point.id)
        wrong = untrue_polled(stored, truth, step_of(killed.site, point))
        assert not len(wrong), f"{point.path}: {len(wrong)} rows, first {stored.ts[wrong[0]]}={stored.value[wrong[0]]}"
        checked += len(stored.ts)
    for adapter in ("opcua", "mqtt"):
        for point in killed.points(adapter):
            stored, truth = killed.column(point.id), killed.truth_of(point.id)
            wrong = untrue_stamped(stored, truth, point.dead_band)
            assert not len(wrong), (
                f"{point.path}: {len(wrong)} rows, first {stored.ts[wrong[0]]}={stored.value[wrong[0]]}"
            )
            checked += len(stored.ts)
    # How many rows there are hangs on how fast the processes came back: each point has at least one a silence.
    begin, end = killed.outages["gateway"]
    alive = (killed.end - killed.start - (end - begin)) / 1e6
    polled = [p for adapter in ("modbus", "opcua", "mqtt") for p in killed.points(adapter)]
    assert checked > sum(alive / (p.silence_s + 2) for p in polled) > len(polled), f"only {checked} rows were judged"


def step_of(site: Site, point) -> int:
    """The period of a polled point's group, µs."""
    return int(site.connections[point.connection].groups[point.group].period_s * 1e6)


def good_only(column: Column) -> Column:
    rows = column.quality >= 64
    return Column(column.ts[rows], column.value[rows], column.quality[rows])


def test_polled_truth_is_missing_only_while_the_gateway_was_dead(killed):
    """At each poll instant outside the outage the store knows the truth within the dead-band."""
    for point in killed.points("modbus"):
        step = step_of(killed.site, point)
        stored = good_only(killed.column(point.id))
        phases, counts = np.unique(stored.ts % step, return_counts=True)
        first = (killed.start + 3_000_000) // step * step + phases[counts.argmax()]
        grid = np.arange(first, killed.end - 2_000_000, step)
        gone = missing_polled(stored, killed.truth_of(point.id), point, grid, killed.outage("gateway"))
        assert not len(gone), f"{point.path}: {len(gone)} polls, first at {gone[0]}"


def test_polls_go_on_outside_the_outage(killed):
    """The store knows each polled point at least every maximum silence, but for the gateway's own death."""
    for point in killed.points("modbus"):
        stored = killed.column(point.id)
        inside = stored.ts[(stored.ts >= killed.start) & (stored.ts < killed.end)]
        edges = np.concatenate([[killed.start], inside, [killed.end]])
        longest = np.diff(edges).max() / 1e6
        begin, end = killed.outages["gateway"]
        assert longest <= point.silence_s + 3 * 2 + (end - begin) / 1e6, f"{point.path}: silent for {longest:.1f} s"


def test_acknowledged_messages_have_no_gap_at_all(killed):
    """MQTT at QoS 1: what the device sent while the gateway, the store or the bus was dead arrives too."""
    for point in killed.points("mqtt"):
        gone = missing(
            good_only(killed.column(point.id)), killed.truth_of(point.id), point, killed.start, killed.end, []
        )
        assert not len(gone), f"{point.path}: {len(gone)} values, first at {gone[0]}"


def test_subscribed_changes_are_missing_only_while_the_gateway_was_dead(killed):
    """OPC UA reports each change while connected: store, api and bus may die without a gap."""
    for point in killed.points("opcua"):
        gone = missing(
            good_only(killed.column(point.id)),
            killed.truth_of(point.id),
            point,
            killed.start,
            killed.end,
            killed.outage("gateway"),
        )
        assert not len(gone), f"{point.path}: {len(gone)} values, first at {gone[0]}"
