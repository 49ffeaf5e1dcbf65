"""What real devices do wrong, each through a whole connection: the right value, or the right quality and reason.

Named after the catalogue of messes seen in the field.
"""

import asyncio
import math
import time

import numpy as np
import pytest

from gateway import skew
from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.findings import FindingsPage
from gateway.metrics import GatewayMetrics
from gateway.numbers import BatchNumbers
from gateway.outbox import Outbox
from gateway.pressure import Pressure
from gateway.schedule import phases
from models.quality import Quality
from models.site import model
from models.site.model import ClockPolicy, Formula, Kind, Name
from models.units import UnitError, compile_unit
from protocols import registry
from tests.gateway.scripted import DEVICES, Device
from tests.gateway.sites import CODE, connection, point
from tests.gateway.test_connection import Rig, delivery, now_us, plc
from tests.protocols.modbus.rawdevice import RawDevice

S = 1_000_000


@pytest.fixture
def device():
    DEVICES["d"] = Device()
    yield DEVICES["d"]
    del DEVICES["d"]


class ModbusRig(Rig):
    """A connection to a real Modbus device, whose registers are set by hand."""

    def __init__(self, raw, points, memory=None, **settings):
        spec = connection("plc", "modbus", {"fast": 0.1}, host="127.0.0.1", port=raw.port, **settings)
        super().__init__(spec, points)
        self.connection = DeviceConnection(
            spec, tuple(points), phases([spec]), self.clock, self.sink, registry.adapter, memory
        )

    def value(self, key):
        row = self.last(key)
        return math.nan if row is None else row[1]


def register(key, address, kind=Kind.ANALOG, type_="uint16", guards=None, **more):
    return point(key, address=address, kind=kind, type=type_, guards=guards or model.Guards(), **more)


async def test_mess_04_numbers_that_mean_no_value_are_bad_with_the_number_as_the_reason():
    points = [
        register("gas", "hr:0", guards=model.Guards(no_value=(65535.0, 32767.0)), factor=0.01, low=0.0, high=100.0),
        register("level", "hr:1", type_="int16", guards=model.Guards(no_value=(-9999.0,))),
        register("speed", "hr:2", type_="float32", guards=model.Guards(no_value=(-0.01,))),
    ]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        raw.registers[1, 0], raw.registers[1, 1] = 150, 100
        await rig.until(lambda: rig.value("gas") == 1.5 and rig.quality("gas") == 192)
        raw.registers[1, 0], raw.registers[1, 1] = 65535, 65536 - 9999
        (word,) = np.array([-0.01], ">f4").view(">u4").tolist()
        raw.registers[1, 2], raw.registers[1, 3] = divmod(word, 65536)
        await rig.until(lambda: rig.quality("gas") == rig.quality("level") == rig.quality("speed") == 16)
        assert all(math.isnan(rig.value(key)) for key in ("gas", "level", "speed"))
        assert rig.reason("gas") == "the device says it has no value (65535)"
        assert rig.reason("level") == "the device says it has no value (-9999)"
        assert "no value (-0.0099999" in rig.reason("speed")
        raw.registers[1, 0] = 151
        await rig.until(lambda: rig.value("gas") == 1.51 and rig.quality("gas") == 192)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Devices here say in a fiftieth of a second what others do in one."""
    monkeypatch.setattr(skew, "GAP_S", 0.0)
    monkeypatch.setattr(skew, "SPAN_S", 0.04)


class Clocked:
    """A device that sends its own time with each value."""

    def __init__(self, device, ahead_s):
        self.device, self.ahead_s, self.number = device, ahead_s, 0

    def send(self, value=None, ts=None):
        self.number += 1
        value = float(self.number) if value is None else value
        self.device.inbox.put_nowait(delivery([(0, value, now_us() + round(self.ahead_s * S) if ts is None else ts)]))

    async def send_for(self, count):
        for _ in range(count):
            self.send()
            await asyncio.sleep(0.02)


def told(policy=ClockPolicy.SOURCE, zone="", skew_s=10.0):
    spec = plc(adapter="told")
    return model.Connection(
        spec.name, spec.gateway, spec.adapter, spec.settings, spec.groups, "", policy, zone, skew_s
    )  # fmt: skip


async def test_mess_08_a_clock_that_is_off_is_measured_and_makes_samples_uncertain_where_it_is_checked(device):
    async with Rig(told(ClockPolicy.CHECK), [point("a")]) as rig:
        await Clocked(device, -95.0).send_for(20)
        await rig.until(lambda: rig.quality("a") == Quality.UNCERTAIN)
        assert rig.connection.acquisition.clock.skew.seconds == pytest.approx(-95.0, abs=1.0)
        assert "s behind ours" in rig.reason("a") and "95." in rig.reason("a")
        assert rig.connection.acquisition.clock.skew.readings_off >= 1


async def test_mess_08_a_clock_that_is_off_is_put_right_where_the_source_rules_and_ignored_where_we_do(device):
    async with Rig(told(), [point("a")]) as rig:
        await Clocked(device, -3600.0).send_for(20)
        await rig.until(lambda: len(rig.sink.of("a")) == 20)
        assert rig.connection.acquisition.clock.skew.off
        assert rig.quality("a") == Quality.UNCERTAIN and "s behind ours" in rig.reason("a")
        assert now_us() - 5 * S < rig.last("a")[0] <= now_us(), "it is of now, or nothing is raised by it"
        (found,) = FindingsPage([rig.connection]).show()["findings"]
        assert found["kind"] == "clock off" and "behind ours" in found["reason"] and found["first"] < found["last"]
        # What it kept during an outage is put right, too, and stays past.
        device.inbox.put_nowait(delivery([(0, 99.0, now_us() - 4200 * S)]))
        await rig.until(lambda: len(rig.sink.of("a")) == 21)
        assert rig.last("a")[0] == pytest.approx(now_us() - 600 * S, abs=5 * S)
        await Clocked(device, 0.0).send_for(40)  # it was set
        await rig.until(lambda: rig.quality("a") == 192)
        times = [ts for ts, value, _ in rig.sink.of("a") if value != 99.0]
        assert times == sorted(times) and times[-1] <= now_us()
        assert FindingsPage([rig.connection]).show()["findings"] == []
    async with Rig(told(ClockPolicy.GATEWAY), [point("a")]) as rig:
        await Clocked(device, -95.0).send_for(5)
        await rig.until(lambda: len(rig.sink.of("a")) == 5)
        assert rig.sink.of("a")[0][0] > now_us() - 5 * S
        assert {quality for _, _, quality in rig.sink.of("a")} == {192}


async def test_mess_08_local_time_without_a_zone_is_found_and_put_right_by_time_zone(device):
    async with Rig(told(), [point("a")]) as rig:
        await Clocked(device, 8 * 3600.0).send_for(20)
        await rig.until(lambda: len(rig.sink.of("a")) == 20)
        assert rig.quality("a") == Quality.UNCERTAIN
        assert abs(rig.last("a")[0] - now_us()) < 5 * S, "a time that cannot be is not taken"
        assert "+8 h: does it send local time?" in rig.reason("a")
    async with Rig(told(zone="Asia/Shanghai"), [point("a")]) as rig:
        await Clocked(device, 8 * 3600.0).send_for(20)
        await rig.until(lambda: len(rig.sink.of("a")) == 20)
        assert {quality for _, _, quality in rig.sink.of("a")} == {192}
        assert abs(rig.last("a")[0] - now_us()) < 5 * S


async def test_mess_08_a_clock_reset_to_the_year_2000_and_one_second_told_twice(device):
    async with Rig(told(), [point("a")]) as rig:
        clocked = Clocked(device, 0.0)
        clocked.send(ts=946_684_805 * S)
        await rig.until(lambda: rig.quality("a") == Quality.UNCERTAIN)
        assert abs(rig.last("a")[0] - now_us()) < 5 * S
        assert "the device says that it is 2000-01-01 00:00:05 UTC, which cannot be" in rig.reason("a")
        second = now_us() // S * S
        clocked.send(ts=second, value=10.0)
        clocked.send(ts=second, value=11.0)
        await rig.until(lambda: len(rig.sink.of("a")) == 3)
        rows = rig.sink.of("a")
        assert rows[2][:2] == (rows[1][0] + 1, 11.0) and rows[2][2] == Quality.UNCERTAIN
        assert "two samples came with one time" in rig.reason("a")


async def test_mess_09_a_dead_link_never_looks_like_a_constant_value(device):
    device.value = lambda *_: 5.0
    async with Rig(plc({"fast": 0.1}), [point("a", silence_s=1.5)]) as rig:
        await rig.until(lambda: len(rig.sink.of("a")) >= 3)
        good = [ts for ts, _, quality in rig.sink.of("a") if quality == 192]
        assert np.diff(good).max() <= 3 * 1.5 * S, "a constant is said again within its longest silence"
        device.mode = "hang"
        await rig.until(lambda: rig.quality("a") == Quality.BAD_COMMUNICATION)
        assert math.isnan(rig.last("a")[1]) and "no answer" in rig.reason("a")
        count = len(rig.sink.of("a"))
        await rig.until(lambda: len(rig.sink.of("a")) > count)
        assert rig.quality("a") == Quality.BAD_COMMUNICATION, "and goes on being said"


async def test_mess_10_a_position_that_jumps_to_0_is_kept_and_uncertain_and_believed_when_it_stays():
    points = [register("position", "hr:0", guards=model.Guards(jump=50.0))]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        raw.registers[1, 0] = 400
        await rig.until(lambda: rig.value("position") == 400 and rig.quality("position") == 192)
        seen, polls = [], len(raw.requests)
        raw.registers[1, 0] = 0
        await rig.until(lambda: rig.value("position") == 0)
        seen.append(rig.last("position"))
        words = rig.reason("position")
        assert seen[0][2] == Quality.UNCERTAIN_SENSOR
        assert words is None or "jumped from 400 faster than 50 mm/s" in words
        await rig.until(lambda: rig.last("position")[1:] == (0.0, 192))
        assert len(raw.requests) >= polls + 3, "three samples that agree"
        raw.registers[1, 0] = 2
        await rig.until(lambda: rig.last("position")[1:] == (2.0, 192))


async def test_mess_22_what_comes_late_is_judged_for_itself_and_changes_nothing_of_the_present(device):
    points = [point("a", guards=model.Guards(jump=1.0, no_value=(65535.0,)))]
    async with Rig(told(), points) as rig:
        base = now_us() - 20 * S
        for value, ts in ((10.0, base), (500.0, base + S), (9.0, base - 60 * S), (65535.0, base - 50 * S)):
            device.inbox.put_nowait(delivery([(0, value, ts)]))
        await rig.until(lambda: len(rig.sink.of("a")) == 4)
        rows = {ts - base: (value, quality) for ts, value, quality in rig.sink.of("a")}
        assert rows[0] == (10.0, 192) and rows[S] == (500.0, Quality.UNCERTAIN_SENSOR)
        assert rows[-60 * S] == (9.0, 192), "a value of a minute ago is no jump"
        assert math.isnan(rows[-50 * S][0]) and rows[-50 * S][1] == Quality.BAD_SENSOR_FAILURE
        assert "jumped from 10" in rig.reason("a"), "what is said of the point is said of its present"
        device.inbox.put_nowait(delivery([(0, 10.5, base + 2 * S)]))
        await rig.until(lambda: rig.last("a") == (base + 2 * S, 10.5, 192))


async def test_mess_11_a_counter_rolls_over_survives_a_kill_and_tells_power_up_apart(tmp_path):
    memory = tmp_path / "counters" / "plc.json"
    points = [register("coal", "hr:0", Kind.COUNTER, guards=model.Guards(rollover=65536.0))]
    async with RawDevice() as raw:
        raw.registers[1, 0] = 65_000
        async with ModbusRig(raw, points, memory) as rig:
            for count in (65_000, 65_200, 65_400, 64, 264):  # over the top
                raw.registers[1, 0] = count
                sum_ = count if count > 60_000 else 65_536 + count
                await rig.until(lambda sum_=sum_: rig.value("coal") == sum_)
            assert {quality for _, _, quality in rig.sink.of("coal")} == {192}
            await rig.until(memory.exists)
            await rig.until(lambda: b"65536" in memory.read_bytes())
            kept = memory.read_bytes()
        memory.write_bytes(kept)  # as a kill leaves it: nothing was written at the end
        raw.registers[1, 0] = 300
        async with ModbusRig(raw, points, memory) as rig:
            await rig.until(lambda: rig.value("coal") == 65_536 + 300)
            await asyncio.sleep(0.3)
            raw.registers[1, 0] = 2  # its power failed: it counts from 0
            await rig.until(lambda: rig.value("coal") == 65_536 + 302)
            reset = next(row for row in rig.sink.of("coal") if row[1] == 65_536 + 302)
            assert reset[2] == Quality.UNCERTAIN_SENSOR
            raw.registers[1, 0] = 5
            await rig.until(lambda: rig.last("coal")[1:] == (65_536 + 305, 192))
            assert rig.connection.acquisition.guards.counters.resets == 1
            assert rig.connection.acquisition.guards.counters.rolled == 0


async def test_mess_12_a_cache_that_repeats_what_it_once_read_is_uncertain(device):
    device.value = lambda _, read: 7.25
    async with Rig(plc({"fast": 0.1}), [point("noisy", guards=model.Guards(frozen_s=0.6))]) as rig:
        await rig.until(lambda: rig.quality("noisy") == Quality.UNCERTAIN_LAST_USABLE)
        assert rig.last("noisy")[1] == 7.25, "the value is kept"
        assert "exactly the same for" in rig.reason("noisy")
        device.value = lambda _, read: 7.25 + read * 1e-9
        await rig.until(lambda: rig.quality("noisy") == 192)


async def test_mess_13_a_heartbeat_that_stands_still_makes_values_that_look_live_uncertain():
    beat = f"{CODE}/e/beat"
    points = [
        register("beat", "hr:0", Kind.COUNTER, guards=model.Guards(frozen_s=0.8)),
        register("flow", "hr:1", guards=model.Guards(heartbeat=beat)),
        register("other", "hr:1"),
    ]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        beating = True

        async def live():
            while True:
                raw.registers[1, 0] += beating
                raw.registers[1, 1] = (raw.registers[1, 1] + 1) % 1000
                await asyncio.sleep(0.03)

        raw.registers[1, 0] = raw.registers[1, 1] = 0
        living = asyncio.create_task(live())
        try:
            await rig.until(lambda: rig.quality("flow") == 192)
            beating = False
            await rig.until(lambda: rig.quality("flow") == Quality.UNCERTAIN_LAST_USABLE)
            assert "the heartbeat e/beat has stood still" in rig.reason("flow")
            assert rig.quality("beat") == Quality.UNCERTAIN_LAST_USABLE
            assert rig.quality("other") == 192, "it does not follow the heartbeat"
            beating = True
            await rig.until(lambda: rig.quality("flow") == 192)
        finally:
            living.cancel()


async def test_mess_13_where_only_changes_come_a_stopped_heartbeat_shows_too_and_its_return(device):
    beat = f"{CODE}/e/beat"
    points = [
        point("beat", kind=Kind.COUNTER, guards=model.Guards(frozen_s=1.0)),
        point("calm", guards=model.Guards(heartbeat=beat)),
    ]
    async with Rig(plc(adapter="changes"), points) as rig:
        device.inbox.put_nowait(delivery([(0, 1.0, now_us()), (1, 5.0, now_us())]))
        await rig.until(lambda: rig.quality("calm") == 192)
        await rig.until(lambda: rig.quality("calm") == Quality.UNCERTAIN_LAST_USABLE)
        device.inbox.put_nowait(delivery([(0, 2.0, now_us())]))
        await rig.until(lambda: rig.quality("calm") == 192)
        assert {value for _, value, _ in rig.sink.of("calm")} == {5.0}


async def test_mess_14_one_register_shown_as_two_quantities_is_right_in_both():
    tonnes = compile_unit("kg/s", "t/h")
    points = [
        register("flow_kg", "hr:0", unit="kg/s"),
        register("flow_t", "hr:0", unit="t/h", factor=tonnes.factor, offset=tonnes.offset),
        register("bit", "hr:0.3", Kind.STATE, "bool"),
    ]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        raw.registers[1, 0] = 250
        await rig.until(lambda: rig.value("flow_kg") == 250 and rig.value("flow_t") == pytest.approx(900))
        await rig.until(lambda: rig.value("bit") == 1.0)
        assert all(request.count == 1 for request in raw.requests), "and is read once"


@pytest.mark.parametrize(
    ("raw_value", "source", "target", "wanted"),
    [
        (31.5, "MPa", "bar", 315.0),
        (315, "bar", "MPa", 31.5),
        (20, "%LEL", "%CH4", 1.0),
        (10_000, "ppm", "%CH4", 1.0),
        (24, "ppm", "ppm", 24.0),
        (2.4, "kPa", "Pa", 2400.0),
        (150, "cm", "mm", 1500.0),
        (1, "%LEL", "%CH4", 0.05),
    ],
)
async def test_mess_15_a_value_comes_out_in_the_points_unit_whatever_the_device_speaks(
    device, raw_value, source, target, wanted
):
    unit = compile_unit(source, target)
    device.value = lambda *_: float(raw_value)
    async with Rig(plc({"fast": 0.1}), [point("a", unit=target, factor=unit.factor, offset=unit.offset)]) as rig:
        await rig.until(lambda: rig.quality("a") == 192)
        assert rig.last("a")[1] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("source", "target"), [("kN", "MPa"), ("%", "%CH4"), ("r/min", "Hz"), ("kPa", "kN")])
def test_mess_15_units_of_different_things_are_refused(source, target):
    with pytest.raises(UnitError, match="measure different things"):
        compile_unit(source, target)


async def test_mess_21_a_state_outside_the_table_is_kept_and_uncertain():
    states = {
        0: Name("正常", "normal"),
        1: Name("报警", "alarm"),
        2: Name("断电", "cut-off"),
        4: Name("标校", "calibration"),
    }
    points = [
        register("word", "hr:0", Kind.STATE, role="sensor.state", states=states),
        register("switch", "hr:1", Kind.STATE, states={0: Name("停", "stopped"), 1: Name("运行", "running")}),
    ]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        raw.registers[1, 0], raw.registers[1, 1] = 5, 1
        await rig.until(lambda: rig.quality("word") == rig.quality("switch") == 192)
        assert rig.value("word") == 5.0, "calibration and alarm at once"
        raw.registers[1, 0], raw.registers[1, 1] = 11, 3
        await rig.until(lambda: rig.quality("word") == rig.quality("switch") == Quality.UNCERTAIN_RANGE)
        assert (rig.value("word"), rig.value("switch")) == (11.0, 3.0)
        assert rig.reason("switch") == "3 is none of the point's states: 0 stopped, 1 running"


async def test_a_bouncing_contact_is_reported_once(device):
    shown = [0.0]
    device.value = lambda *_: shown[0]
    async with Rig(plc({"fast": 0.05}), [point("door", kind=Kind.STATE, guards=model.Guards(debounce_s=0.4))]) as rig:
        await rig.until(lambda: rig.quality("door") == 192)
        began = time.monotonic()
        while time.monotonic() - began < 1.0:
            shown[0] = 1.0 - shown[0]
            await asyncio.sleep(0.1)
        shown[0] = 1.0
        await rig.until(lambda: rig.last("door")[1] == 1.0)
        assert [value for _, value, _ in rig.sink.of("door")] == [0.0, 1.0]


async def test_where_only_changes_come_a_state_settles_without_another_word(device):
    points = [point("door", kind=Kind.STATE, guards=model.Guards(debounce_s=0.3))]
    async with Rig(plc(adapter="changes"), points) as rig:
        device.inbox.put_nowait(delivery([(0, 0.0, now_us())]))
        await rig.until(lambda: rig.quality("door") == 192)
        device.inbox.put_nowait(delivery([(0, 1.0, now_us())]))
        await rig.until(lambda: rig.last("door")[1] == 1.0)


async def test_a_derived_point_of_a_real_device_and_why_it_is_bad():
    formula = Formula("a / b", "(x0/x1)", (f"{CODE}/e/a", f"{CODE}/e/b"))
    points = [
        register("a", "hr:0"),
        register("b", "hr:1", guards=model.Guards(no_value=(65535.0,))),
        point("ratio", address="", formula=formula),
    ]
    async with RawDevice() as raw, ModbusRig(raw, points) as rig:
        raw.registers[1, 0], raw.registers[1, 1] = 10, 4
        await rig.until(lambda: rig.last("ratio") is not None and rig.last("ratio")[1:] == (2.5, 192))
        raw.registers[1, 1] = 65535
        await rig.until(lambda: rig.quality("ratio") == Quality.BAD_SENSOR_FAILURE)
        assert rig.reason("ratio") == "e/b: the device says it has no value (65535)"
        raw.registers[1, 1] = 5
        await rig.until(lambda: rig.last("ratio")[1:] == (2.0, 192))
        assert isinstance(rig.clock, WallClock)


async def test_what_guards_find_and_how_far_a_clock_is_off_is_counted_on_the_metrics_page(device, tmp_path):
    numbers = BatchNumbers(tmp_path)
    try:
        async with Rig(told(), [point("a", guards=model.Guards(no_value=(65535.0,)))]) as rig:
            outbox = Outbox(CODE, "edge1", numbers, rig.clock.now, Pressure(lambda _: None))
            metrics = GatewayMetrics("edge1", [rig.connection], outbox, rig.clock, lambda: True)
            clocked = Clocked(device, -95.0)
            await clocked.send_for(20)
            clocked.send(value=65535.0)
            await rig.until(lambda: rig.quality("a") == Quality.BAD_SENSOR_FAILURE)
            page = metrics.page().decode()
            assert 'guarded_samples_total{connection="plc",guard="no_value"} 1.0' in page
            assert 'guarded_samples_total{connection="plc",guard="jumped"} 0.0' in page
            (line,) = [line for line in page.splitlines() if "clock_skew_seconds{" in line]
            assert float(line.split()[-1]) == pytest.approx(-95.0, abs=1.0)
            state = metrics.heartbeat()["connections"]["plc"]
            assert state["clock_skew_s"] == pytest.approx(-95.0, abs=1.0)
            assert state["clock_doubted"] is True
    finally:
        numbers.close()
