"""Commands carried out on a real Modbus device, and what the gateway refuses, remembers and blocks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import WallClock
from gateway.devices import Devices
from gateway.ledger import MOST_ANSWERS, Ledger
from gateway.orders import Orders
from gateway.telling import Telling
from gateway.writer import Writer
from models.command import MAX_BYTES, Answer, Command, CommandError, Outcome
from models.site.model import Kind, Name
from simulators.devices.modbus import Area, ModbusDevice, Unit
from tests.gateway.sites import CODE, Remembered, connection, point, site

STATES = {0: Name("停止", "Stop"), 1: Name("启动", "Start")}


def made_site(port):
    register = {"type": "uint16", "unit": "m/s"}
    points = [
        point("speed", address="hr:0", factor=0.1, low=0.0, high=50.0, writable=True, **register),
        point("mode", address="hr:1", kind=Kind.STATE, states=STATES, writable=True, type="uint16", unit=""),
        point("measured", address="hr:2", **register),
        point("level", address="hr:4", type="float32", order="cdab", writable=True, unit="m"),
        point("missing", address="hr:90", writable=True, **register),
    ]
    return site([connection("plc", "modbus", {"fast": 0.1}, host="127.0.0.1", port=port, timeout_s=1.0)], points)


class Bench:
    """A device, its connection and a writer."""

    def __init__(self, folder, every_s=0.0):
        self.folder, self.every_s = folder, every_s
        self.area = Area(2, 10)
        self.device = ModbusDevice({1: Unit({"hr": self.area})})
        self.events, self.sink, self.clock = [], Remembered(), WallClock()
        self.number = 0

    async def __aenter__(self):
        await self.device.start()
        await self.open()
        return self

    async def open(self):
        self.devices = Devices("edge1", self.clock, self.sink)
        await self.devices.apply(made_site(self.device.port))
        self.ledger = Ledger(self.folder / "writes.json", self.clock.now)
        telling = Telling(CODE, "edge1", self.events.extend)
        self.writer = Writer(self.devices, self.ledger, self.clock, telling, self.every_s)
        self.orders = Orders(self.devices, self.writer, self.clock)
        self.task = asyncio.create_task(self.writer.run())

    async def __aexit__(self, *_):
        await self.shut()
        await self.device.close()

    async def shut(self):
        self.task.cancel()
        for under_way in list(self.writer._under_way.values()):
            under_way.cancel()
        await self.devices.stop(5.0)

    async def up(self):
        answered = next(iter(self.devices)).acquisition.answered
        await self.until(lambda: int(answered.sum()) >= 4)

    async def until(self, condition, within=15.0):
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.01)

    def command(self, key, value, *, id_=None, within_s=10.0, **more):
        self.number += 1
        deadline = self.clock.now() + int(within_s * 1e6)
        return Command(id_ or f"c{self.number}", f"{CODE}/e/{key}", value, "王工", deadline, **more)

    async def write(self, key, value, **more):
        return await self.writer.carry_out(self.command(key, value, **more))

    def register(self, address):
        return int.from_bytes(self.area.image[2 * address : 2 * address + 2], "big")


@pytest.fixture
async def bench(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.up()
        yield bench


async def test_a_value_is_scaled_back_written_read_back_and_told_as_an_event(bench):
    answer = await bench.write("speed", 12.3)
    assert (answer.outcome, answer.value, answer.unit) == (Outcome.DONE, 12.3, "m/s")
    assert bench.register(0) == 123
    answer = await bench.write("speed", 120, unit="m/min")
    assert (answer.outcome, answer.value) == (Outcome.DONE, 2.0) and bench.register(0) == 20
    answer = await bench.write("mode", "启动")
    assert answer.outcome is Outcome.DONE and bench.register(1) == 1
    answer = await bench.write("level", 1.1)
    assert answer.outcome is Outcome.DONE and answer.value == 1.1
    first = bench.events[0]
    assert (first.kind, first.equipment, first.attributes["who"]) == ("command", f"{CODE}/e", "王工")
    assert first.attributes["from"] == 0.0 and first.attributes["to"] == 12.3
    assert first.attributes["outcome"] == "done" and first.end >= first.start
    assert len({event.id for event in bench.events}) == 4


@pytest.mark.parametrize(
    ("key", "value", "more", "words"),
    [
        ("measured", 1, {}, "not declared writable"),
        ("nothing", 1, {}, "has no point"),
        ("speed", 50.1, {}, "outside 0 … 50 m/s"),
        ("speed", 1.23, {}, "steps of 0.1"),
        ("speed", 1, {"unit": "kW"}, "measure different things"),
        ("mode", 2, {}, "no state"),
        ("speed", 1, {"within_s": -0.1}, "deadline has passed"),
        ("speed", 1, {"within_s": 3600}, "check the clocks"),
        ("speed", 1, {"expected": 7}, "not 7 any more but 0"),
        ("missing", 1, {}, "illegal data address|no such|address"),
    ],
)
async def test_what_is_not_allowed_is_refused_with_the_reason_and_nothing_is_written(bench, key, value, more, words):
    written = []
    bench.device.written = lambda *what: written.append(what)
    answer = await bench.write(key, value, **more)
    assert answer.outcome is Outcome.REFUSED
    assert pytest.approx(0) == bench.register(0) and not written
    assert answer.reason.zh and __import__("re").search(words, answer.reason.en), answer.reason.en
    assert bench.events[-1].attributes["outcome"] == "refused", "a refusal leaves its event too"


async def test_a_command_is_carried_out_once_however_often_it_comes(bench):
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    bench.device.delay_s = 0.05
    command = bench.command("speed", 5)
    answers = await asyncio.gather(*(bench.writer.carry_out(command) for _ in range(5)))
    answers.append(await bench.writer.carry_out(command))
    assert len(writes) == 1 and len({answer.encode() for answer in answers}) == 1
    other = bench.command("speed", 6, id_=command.id)
    assert "was another command's" in (await bench.writer.carry_out(other)).reason.en
    await bench.shut()
    await bench.open()
    await bench.up()
    again = await bench.writer.carry_out(command)
    assert again == answers[0] and len(writes) == 1, "also by a gateway that was started anew"


async def test_an_id_stands_for_one_command_also_while_that_is_under_way(bench):
    bench.device.delay_s = 0.2
    first = asyncio.create_task(bench.write("speed", 5, id_="same"))
    await bench.until(lambda: bench.writer._under_way)
    other = await bench.write("speed", 6, id_="same")
    assert other.outcome is Outcome.REFUSED and "another command's" in other.reason.en
    assert (await first).outcome is Outcome.DONE and bench.register(0) == 50


async def test_a_flood_of_refused_commands_does_not_have_a_write_done_again(bench):
    command = bench.command("speed", 5)
    assert (await bench.writer.carry_out(command)).outcome is Outcome.DONE
    refused = Answer("x", command.point, Outcome.REFUSED)
    for number in range(2 * MOST_ANSWERS):
        bench.ledger.remember(bench.command("speed", 6, id_=f"flood{number}"), refused)
    assert len(bench.ledger._answers) == MOST_ANSWERS
    bench.device.written = lambda *_: pytest.fail("it was written again")
    assert (await bench.writer.carry_out(command)).outcome is Outcome.DONE


async def test_a_command_that_a_kill_cut_short_is_not_carried_out_when_it_comes_again(bench):
    """At most once, also when whoever asked tries again with the same id after the restart."""
    path = f"{CODE}/e/speed"
    command = bench.command("speed", 5)
    await bench.shut()
    under_way = {"id": command.id, "point": path, "who": "王工", "began": bench.clock.now(), "raw": 50.0, "wanted": 5.0}
    kept = {"unsettled": [{**under_way, "tolerance": 0.25, "was": 0.0}], "answers": []}
    (bench.folder / "writes.json").write_text(json.dumps(kept))
    await bench.open()
    await bench.up()
    await bench.until(lambda: bench.writer.blocked(path) is None)
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    answer = await bench.writer.carry_out(command)
    assert answer.outcome is Outcome.UNKNOWN and not writes
    assert (await bench.write("speed", 5)).outcome is Outcome.DONE, "a new command is"


async def test_one_write_at_a_time_a_connection_and_late_ones_are_refused(bench):
    bench.device.delay_s = 0.25
    at_once, most = 0, 0
    write = type(next(iter(bench.devices)).adapter).write
    connection_of = next(iter(bench.devices))

    async def counted(tag, value):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await write(connection_of.adapter, tag, value)
        finally:
            at_once -= 1

    connection_of.adapter.write = counted
    commands = [bench.command("speed", n, within_s=10.0 if n == 1 else 0.6) for n in range(1, 7)]
    answers = await asyncio.gather(*map(bench.writer.carry_out, commands))
    outcomes = [answer.outcome for answer in answers]
    assert most == 1 and outcomes[0] is Outcome.DONE and outcomes[-1] is Outcome.REFUSED
    assert "deadline" in answers[-1].reason.en
    await asyncio.sleep(0.3)
    last = max(n for n, outcome in enumerate(outcomes, 1) if outcome is Outcome.DONE)
    assert bench.register(0) == last * 10, "what was refused as late is never executed late"


async def test_a_write_that_waits_for_a_slow_poll_is_not_sent_after_its_deadline(bench):
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    reads = bench.device.requests
    bench.device.delay_s = 0.35  # within the device's time-out: every poll takes that long
    await bench.until(lambda: bench.device.requests > reads + 1)
    answer = await bench.write("speed", 5, within_s=0.05)
    assert answer.outcome in (Outcome.UNKNOWN, Outcome.REFUSED) and not writes
    bench.device.delay_s = 0.0
    await bench.until(lambda: bench.writer.blocked(f"{CODE}/e/speed") is None)
    assert not writes and bench.register(0) == 0, "nor did it come later"
    assert (await bench.write("speed", 5)).outcome is Outcome.DONE


async def test_a_point_takes_one_write_a_second(tmp_path):
    async with Bench(tmp_path, every_s=60.0) as bench:
        await bench.up()
        assert (await bench.write("speed", 1)).outcome is Outcome.DONE
        answer = await bench.write("speed", 2)
        assert answer.outcome is Outcome.REFUSED and "too soon" in answer.reason.en
        assert (await bench.write("level", 2)).outcome is Outcome.DONE, "another point's pause is its own"
        bench.writer._every_s = 0.3
        await asyncio.sleep(0.35)
        assert (await bench.write("speed", 2)).outcome is Outcome.DONE


async def test_a_device_that_takes_the_write_and_holds_something_else_is_said_to(bench):
    bench.device.written = lambda unit, function, address: bench.area.write(0, (77).to_bytes(2, "big"))
    answer = await bench.write("speed", 5)
    assert answer.outcome is Outcome.FAILED and answer.value == pytest.approx(7.7)
    assert "holds 7.7 m/s" in answer.reason.en
    assert bench.writer.blocked(f"{CODE}/e/speed") is None


async def test_a_device_that_shows_the_value_only_after_a_while_is_waited_for(bench):
    def late(unit, function, address):
        wanted = bytes(bench.area.image[:2])
        bench.area.write(0, b"\0\0")
        asyncio.get_running_loop().call_later(0.6, bench.area.write, 0, wanted)

    bench.device.written = late
    assert (await bench.write("speed", 5)).outcome is Outcome.DONE


async def test_a_link_lost_after_sending_is_unknown_and_blocks_until_read_back_also_over_a_restart(bench):
    path = f"{CODE}/e/speed"
    bench.device.written = lambda *_: setattr(bench.device, "fault", "hang")
    bench.device.delay_s = 2.5  # the write arrives, its answer comes too late
    answer = await bench.write("speed", 9)
    assert answer.outcome is Outcome.UNKNOWN and bench.register(0) == 90
    assert bench.events[-1].attributes["outcome"] == "unknown" and bench.events[-1].end is None
    assert bench.writer.blocked(path).wanted == 9
    await bench.shut()
    kept = json.loads((bench.folder / "writes.json").read_text())
    assert [entry["point"] for entry in kept["unsettled"]] == [path]

    await bench.open()
    assert bench.orders.look(path)["unsettled"]["to"] == 9
    bench.device.written, bench.device.delay_s = None, 0.0
    # The device is there again, but until it was read back there is no other write.
    read_back = bench.writer._settle
    bench.writer._settle = lambda entry: asyncio.sleep(0)
    bench.device.fault = None
    await bench.until(lambda: next(iter(bench.devices)).adapter is not None)
    refused = await bench.write("speed", 4)
    assert refused.outcome is Outcome.REFUSED and "outcome is unknown" in refused.reason.en
    assert bench.register(0) == 90
    bench.writer._settle = read_back
    await bench.until(lambda: bench.writer.blocked(path) is None)
    told = [event for event in bench.events if event.attributes["command"] == answer.id]
    assert told[-1].attributes["outcome"] == "done" and told[-1].end and len({event.id for event in told}) == 1
    assert (await bench.write("speed", 4)).outcome is Outcome.DONE
    assert not json.loads((bench.folder / "writes.json").read_text())["unsettled"]


async def test_what_cannot_be_noted_on_disk_is_not_written(bench):
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    bench.ledger._file = bench.folder / "gone" / "writes.json"
    answer = await bench.write("speed", 5)
    assert answer.outcome is Outcome.REFUSED and "noted" in answer.reason.en and not writes
    assert bench.writer.blocked(f"{CODE}/e/speed") is None


@pytest.mark.parametrize("content", [None, "[]", '{"unsettled": [{}], "answers": []}'])
def test_a_note_of_writes_that_cannot_be_read_is_kept_and_ends_no_gateway(tmp_path, content):
    file = tmp_path / "writes.json"
    file.mkdir() if content is None else file.write_text(content)
    assert not Ledger(file, WallClock().now).unsettled
    (kept,) = tmp_path.glob("writes.json.unreadable-*")
    assert kept.is_dir() if content is None else kept.read_text() == content


async def test_a_device_that_is_away_is_not_written_to(bench):
    bench.device.fault = "refuse"
    await bench.until(lambda: next(iter(bench.devices)).adapter is None)
    answer = await bench.write("speed", 5)
    assert answer.outcome is Outcome.REFUSED and "not connected" in answer.reason.en


async def test_looking_at_a_point_says_what_may_be_written(bench):
    await bench.write("speed", 5)
    await bench.until(lambda: bench.orders.look(f"{CODE}/e/speed")["value"] == 5)
    seen = bench.orders.look(f"{CODE}/e/speed")
    assert (seen["unit"], seen["low"], seen["high"], seen["writable"]) == ("m/s", 0, 50, True)
    assert seen["quality"] == 192 and seen["age_s"] < 5
    assert bench.orders.look(f"{CODE}/e/none")["unknown_point"]


async def test_rubbish_on_the_command_subject_is_answered_and_counted(bench):
    good = bench.command("speed", 1).encode()
    rubbish = [b"", b"{", b"[]", b"null", b"\xff\xfe", good[:-1], b"[" * 5000, b"{" + b" " * MAX_BYTES + b"}"]
    rubbish += [good.replace(b'"who"', b'"why"'), good.replace(b": 1,", b": NaN,"), good.replace(b": 1,", b": [1],")]
    for data in rubbish:
        assert json.loads(await bench.orders.answer("x", data))["error"], data
    assert bench.orders.counts["malformed_total"] == len(rubbish)
    assert not bench.events and bench.register(0) == 0


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.dictionaries(
        st.sampled_from(["id", "point", "value", "who", "deadline", "unit", "expected", "x"]), inner, max_size=8),
    max_leaves=12).map(lambda found: json.dumps(found).encode()))  # fmt: skip
def test_whatever_comes_a_command_is_read_or_refused(data):
    with contextlib.suppress(CommandError):
        command = Command.decode(data)
        assert Command.decode(command.encode()) == command


def test_an_answer_survives_its_json():
    answer = Answer("a", "p", Outcome.FAILED, Name("坏", "bad"), 1.5, "m", time.time_ns() // 1000)
    assert Answer.of_json(json.loads(answer.encode())) == answer
    with pytest.raises(CommandError):
        Answer.of_json({"id": 1})
    assert SimpleNamespace(**json.loads(answer.encode())).outcome == "failed"
