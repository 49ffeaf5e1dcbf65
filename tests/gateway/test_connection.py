"""One connection through everything that a device can do to it."""

import asyncio
import contextlib
import math
import time

import numpy as np
import pytest

from gateway.clock import WallClock
from gateway.connection import DeviceConnection, State
from gateway.diagnostics import Diagnostics
from gateway.schedule import phases
from models.quality import Quality
from tests.gateway.scripted import DEVICES, Device, adapters, delivery
from tests.gateway.sites import Remembered, connection, point


@pytest.fixture
def device():
    DEVICES["d"] = Device()
    yield DEVICES["d"]
    del DEVICES["d"]


@contextlib.asynccontextmanager
async def ticks(period_s):
    """How often a period came about here, where other processes may take the time: what a poll can be held to."""
    came = [0]

    async def tick():
        while True:
            await asyncio.sleep(period_s)
            came[0] += 1

    task = asyncio.create_task(tick())
    try:
        yield came
    finally:
        task.cancel()


class Rig:
    """A DeviceConnection that runs."""

    def __init__(self, spec, points, sink=None):
        self.sink = sink or Remembered()
        self.clock = WallClock()
        self.connection = DeviceConnection(spec, tuple(points), phases([spec]), self.clock, self.sink, adapters)
        self.task = None

    async def __aenter__(self):
        self.task = asyncio.create_task(self.connection.run())
        return self

    async def __aexit__(self, *_):
        assert not self.task.done() or self.task.cancelled() or self.task.exception() is None
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    async def until(self, condition, within=20.0):
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within, "it did not happen"
            await asyncio.sleep(0.005)
        return time.monotonic() - began

    def last(self, key):
        rows = self.sink.of(key)
        return rows[-1] if rows else None

    def quality(self, key):
        row = self.last(key)
        return None if row is None else row[2]

    def reason(self, key):
        paths = Diagnostics([self.connection], dict)
        return paths.of(f"140581000000/e/{key}")["reason"]


def plc(groups=None, adapter="scripted", **more):
    return connection(adapter=adapter, groups=groups, device="d", **more)


async def test_values_come_at_their_instants_and_only_changes_are_sent(device):
    device.value = lambda address, read: float(read) if address == "moves" else 7.0
    async with Rig(plc({"fast": 0.1}), [point("moves"), point("stays")]) as rig:
        # Polls that ended in time carry their scheduled instant: a busy machine ends one now and then late.
        await rig.until(lambda: sum(ts % 100_000 == 0 for ts, _, _ in rig.sink.of("moves")) >= 6)
        assert np.diff([ts for ts, _, _ in rig.sink.of("moves")]).min() > 0
        assert len(rig.sink.of("stays")) == 1
        await rig.until(lambda: rig.connection.acquisition.samples == 2 * device.reads)


async def test_a_100_ms_group_makes_its_rate(device):
    device.slow_s = 0.005
    async with Rig(plc({"fast": 0.1, "slow": 0.5}), [point("a"), point("b", group="slow")]) as rig:
        await rig.until(lambda: device.reads > 0)
        start = rig.connection.groups["fast"].answered
        async with ticks(0.1) as came:
            await asyncio.sleep(2.0)
        made = rig.connection.groups["fast"].answered - start
        assert came[0] > 3 and made >= 0.85 * came[0], f"{made} polls in {came[0]} periods"
        assert device.most_at_once == 1


async def test_a_device_that_hangs_is_bad_within_two_periods_with_the_reason_and_others_keep_their_rate(device):
    DEVICES["other"] = Device()
    other_spec = connection("other", groups={"fast": 0.1}, device="other")
    async with (
        Rig(plc({"fast": 1.0}), [point("a")]) as rig,
        Rig(other_spec, [point("o", connection="other")]) as other,
    ):
        await rig.until(lambda: rig.quality("a") == 192 and other.quality("o") == 192)
        before = DEVICES["other"].reads
        device.mode = "hang"
        async with ticks(0.1) as came:
            took = await rig.until(lambda: rig.quality("a") == Quality.BAD_COMMUNICATION)
        made = DEVICES["other"].reads - before
        assert took <= 3 * 2.0
        assert math.isnan(rig.last("a")[1])
        assert "no answer" in rig.reason("a")
        assert made >= 0.85 * came[0], f"{made} polls in {came[0]} periods"
        assert {quality for _, _, quality in other.sink.of("o")} == {192}


async def test_a_slow_device_does_not_flicker(device):
    device.slow_s = 0.7
    async with Rig(plc({"fast": 0.2}), [point("a")]) as rig:
        await rig.until(lambda: rig.quality("a") == 192)
        skip = len(rig.sink.of("a"))
        group = rig.connection.groups["fast"]
        await rig.until(lambda: group.overruns >= 4 and group.skipped >= 6)
        assert {quality for _, _, quality in rig.sink.of("a")[skip:]} == {192}


@pytest.mark.parametrize(
    ("mode", "words"),
    [("lost", "closed the connection"), ("crash", "a mistake in the adapter"), ("garbage", "index outside")],
)
async def test_whatever_goes_wrong_is_told_and_it_recovers_by_itself(device, mode, words):
    async with Rig(plc({"fast": 0.1}), [point("a")]) as rig:
        await rig.until(lambda: rig.quality("a") == 192)
        device.mode = mode
        await rig.until(lambda: rig.quality("a") == Quality.BAD_COMMUNICATION)
        assert words in rig.reason("a")
        await rig.until(lambda: device.connects >= 2)
        assert device.closed >= device.connects - 1, "an adapter is used once and closed"
        device.mode = "answer"
        await rig.until(lambda: rig.quality("a") == 192)
        times = [ts for ts, _, _ in rig.sink.of("a")]
        assert np.diff(times).min() > 0


@pytest.mark.parametrize(("mode", "state"), [("refused", State.DOWN), ("sign-in", State.REFUSED)])
async def test_never_connected_is_another_bad_than_lost(device, mode, state):
    device.mode = mode
    async with Rig(plc(), [point("a")]) as rig:
        await rig.until(lambda: rig.quality("a") == Quality.BAD_NOT_CONNECTED)
        assert "refused" in rig.reason("a")
        await rig.until(lambda: rig.connection.state == state)
        if mode == "refused":
            await rig.until(lambda: device.connects >= 3)
        else:
            await asyncio.sleep(1.0)
            assert device.connects == 1, "a refused user is not tried again and again"


async def test_bad_is_said_again_at_the_longest_silence(device):
    device.mode = "refused"
    async with Rig(plc(), [point("often", silence_s=2.0), point("seldom", silence_s=30.0)]) as rig:
        await rig.until(lambda: len(rig.sink.of("often")) >= 3)
        times = [ts for ts, _, _ in rig.sink.of("often")]
        assert np.diff(times).max() <= 3 * 2_000_000
        assert len(rig.sink.of("seldom")) == 1


async def test_wrong_settings_and_wrong_points_are_told_and_the_rest_works(device):
    async with Rig(connection(groups=None, device="d", password="secret"), [point("a")]) as rig:
        await rig.until(lambda: rig.quality("a") == Quality.BAD_CONFIGURATION)
        assert "password" in rig.reason("a") and "secret" not in rig.reason("a")
    async with Rig(connection(adapter="nonesuch", device="d"), [point("a")]) as rig:
        await rig.until(lambda: rig.quality("a") == Quality.BAD_CONFIGURATION)
    async with Rig(plc({"fast": 0.1}), [point("a"), point("wrong"), point("lost", group="none")]) as rig:
        await rig.until(lambda: rig.quality("a") == 192)
        assert rig.quality("wrong") == rig.quality("lost") == Quality.BAD_CONFIGURATION
        assert "no address" in rig.reason("wrong") and "no poll group" in rig.reason("lost")


async def test_a_polled_source_time_that_stands_still_does_not_silence_the_point(device):
    stamp = time.time_ns() // 1000 - 3600 * 1_000_000
    device.times, device.value = lambda _: stamp, lambda *_: 5.0
    async with Rig(plc({"fast": 0.1}), [point("a", silence_s=1.0)]) as rig:
        await rig.until(lambda: len(rig.sink.of("a")) >= 3)
        rows = rig.sink.of("a")
        assert rows[0][0] == stamp
        assert rows[1][0] > stamp + 3000 * 1_000_000
        assert np.diff([ts for ts, _, _ in rows[1:]]).max() <= 3 * 1_000_000
        assert {quality for _, _, quality in rows} == {192}


def now_us():
    return time.time_ns() // 1000


async def test_deliveries_keep_their_times_late_ones_too_and_redeliveries_bring_nothing(device):
    async with Rig(plc(adapter="told"), [point("a"), point("b")]) as rig:
        acknowledged = []
        base = now_us() - 60_000_000
        script = [
            [(0, 1.0, base), (1, 5.0, base)],
            [(0, 2.0, base + 1000), (0, 3.0, base + 2000)],  # one point twice in a delivery
            [(0, 0.5, base - 5_000_000)],  # late
            [(0, 3.0, base + 2000)],  # redelivered
            [(0, 4.0, base + 2000)],  # the same time, another value
            [(0, 9.0, 0)],  # no time of its own
            [(0, 9.5, 1000)],  # a clock that was lost
        ]
        for number, rows in enumerate(script):
            device.inbox.put_nowait(delivery(rows, lambda number=number: acknowledged.append(number)))
        await rig.until(lambda: len(rig.sink.of("a")) >= 7)
        rows = rig.sink.of("a")
        assert [(ts - base, value, quality) for ts, value, quality in rows[:5]] == [
            (0, 1.0, 192),
            (1000, 2.0, 192),
            (2000, 3.0, 192),
            (-5_000_000, 0.5, 192),
            (2001, 4.0, 64),
        ]
        assert abs(rows[5][0] - now_us()) < 3_000_000 and rows[5][2] == 192
        assert abs(rows[6][0] - now_us()) < 3_000_000 and rows[6][2] == 64
        assert [chunk.late is not None for chunk in rig.sink.chunks].count(True) == 1
        # Nothing is acknowledged by the connection itself while a chunk or an older one may be on its way:
        # this sink holds no receipts, so each was released at once, once, in order.
        assert acknowledged == list(range(len(script)))
        assert len(rig.sink.settled) == len(script)


async def test_what_stops_coming_goes_stale_and_comes_back(device):
    async with Rig(plc(adapter="told"), [point("a", silence_s=0.6)]) as rig:
        device.inbox.put_nowait(delivery([(0, 1.0, now_us())]))
        await rig.until(lambda: rig.quality("a") == 192)
        await rig.until(lambda: rig.quality("a") == Quality.BAD_LAST_KNOWN)
        assert "longest silence" in rig.reason("a")
        device.inbox.put_nowait(delivery([(0, 1.0, now_us())]))
        await rig.until(lambda: rig.quality("a") == 192)


async def test_a_subscribed_value_that_holds_is_said_again_and_survives_a_lost_session(device):
    started = now_us() - 3600 * 1_000_000
    async with Rig(plc(adapter="changes"), [point("a", silence_s=2.0)]) as rig:
        device.inbox.put_nowait(delivery([(0, 1.0, started)]))
        await rig.until(lambda: len(rig.sink.of("a")) >= 3)
        rows = rig.sink.of("a")
        assert rows[0] == (started, 1.0, 192)
        assert {(value, quality) for _, value, quality in rows} == {(1.0, 192)}
        assert all(ts <= now_us() - 1_500_000 for ts, _, _ in rows), "repeated for a time that is surely past"
        device.mode = "lost"
        await rig.until(lambda: rig.quality("a") == Quality.BAD_COMMUNICATION)
        marked = rig.last("a")[0]
        device.mode = "answer"
        # The server tells its present value again, with the time since which it holds.
        device.inbox.put_nowait(delivery([(0, 1.0, started)]))
        await rig.until(lambda: rig.quality("a") == 192)
        assert rig.last("a")[0] > marked


async def test_a_change_during_an_outage_keeps_its_time_and_becomes_the_present(device):
    async with Rig(plc(adapter="changes"), [point("a")]) as rig:
        device.inbox.put_nowait(delivery([(0, 1.0, now_us() - 5_000_000)]))
        await rig.until(lambda: rig.quality("a") == 192)
        changed = now_us()
        await asyncio.sleep(0.05)
        device.mode = "lost"
        await rig.until(lambda: rig.quality("a") == Quality.BAD_COMMUNICATION)
        marked = rig.last("a")[0]
        assert marked > changed
        device.mode = "answer"
        device.inbox.put_nowait(delivery([(0, 2.0, changed)]))
        await rig.until(lambda: rig.quality("a") == 192)
        good = [(ts, value) for ts, value, quality in rig.sink.of("a") if quality == 192]
        assert good[-2] == (changed, 2.0)
        assert good[-1][0] > marked and good[-1][1] == 2.0


async def test_without_a_first_value_a_point_waits_and_says_so(device):
    async with Rig(plc(adapter="told"), [point("a"), point("b")]) as rig:
        device.inbox.put_nowait(delivery([(0, 1.0, now_us())]))
        await rig.until(lambda: rig.quality("b") == Quality.BAD_WAITING)
        assert rig.quality("a") == 192


async def test_diagnostics_tell_the_whole_way_of_a_value(device):
    device.value = lambda address, _: {"hot": 900.0, "nan": math.nan}.get(address, 21.0)
    points = [point("ok", factor=0.1, offset=1.0), point("hot", low=0.0, high=100.0), point("nan")]
    async with Rig(plc({"fast": 0.1}), points) as rig:
        await rig.until(lambda: rig.quality("nan") is not None)
        of = Diagnostics([rig.connection], dict).of
        ok = of("140581000000/e/ok")
        assert (ok["decoded"], ok["scaled"], ok["quality"], ok["reason"]) == (21.0, 3.1, 192, None)
        assert ok["raw_hex"] == "01 02" and ok["latency_ms"] >= 0 and ok["samples_taken"] >= 1
        hot = of("140581000000/e/hot")
        assert hot["quality"] == 84 and hot["reason"] == "900 mm is outside 0 … 100"
        nan = of("140581000000/e/nan")
        assert nan["quality"] == 16 and nan["decoded"] == "nan" and "nan" in nan["reason"]
        assert of("140581000000/e/none") is None
