"""No signed order is taken twice: not after it was refused, not after a restart, not with the clock set back."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.control import seen, verifier
from gateway.control.seen import Seen
from gateway.control.trace import Refused
from models.control.order import Act, Order
from tests.gateway.control.benches import BELT, FEEDER, SPEED, Bench, failed

HOUR = 3600.0


@pytest.fixture
async def bench(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.is_seen("belt_102/running", 1)
        yield bench


async def again(bench, data):
    """What comes of the same bytes now, and after a restart, and with the clock an hour ahead meanwhile."""
    answers = [await bench.ask(data)]
    await bench.shut()
    await bench.open()
    answers.append(await bench.ask(data))
    bench.clock.set_s += HOUR
    other = await bench.send(bench.person("赵工", "electrician"), Act.TAG, equipment="plain", reason="检修")
    assert other["outcome"] == "done"
    bench.clock.set_s -= HOUR
    answers.append(await bench.ask(data))
    return answers


async def test_a_refused_one_is_not_carried_out_later(bench):
    wang = bench.person("王工", "operator")
    await bench.is_seen("belt_101/mode", 1)
    stop = wang.sign(bench.order(Act.EXECUTE, point=BELT, value=2, deadline=bench.clock.now() + 19_000_000)).encode()
    assert failed(await bench.ask(stop)) == ["mode"]
    await bench.is_seen("belt_101/mode", 2)
    for answer in await again(bench, stop):
        assert failed(answer) == ["order"] and bench.register(BELT) == 0, answer


async def test_a_late_one_is_not_in_time_again_when_the_clock_is_set_back(bench):
    wang = bench.person("王工", "operator")
    stop = wang.sign(bench.order(Act.EXECUTE, point=BELT, value=2)).encode()
    bench.clock.set_s += HOUR
    assert "deadline has passed" in (await bench.ask(stop))["reason"]["en"]
    bench.clock.set_s -= HOUR
    assert failed(await bench.ask(stop)) == ["order"] and bench.register(BELT) == 0


async def test_an_executed_one_is_not_written_again(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=SPEED, value=2.0)
    order = bench.order(
        Act.EXECUTE, point=SPEED, value=2.0, nonce=selected["nonce"], deadline=bench.clock.now() + 19_000_000
    )
    data = wang.sign(order).encode()
    assert (await bench.ask(data))["outcome"] == "done"
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    found = await again(bench, data)
    assert [each["outcome"] for each in found[:2]] == ["done", "done"], "its first answer"
    assert found[2]["outcome"] in ("done", "refused") and not writes


async def test_acts_about_machines_are_taken_once(bench):
    li = bench.person("李工", "maintainer")
    long = {"deadline": bench.clock.now() + 19_000_000}
    tag = li.sign(bench.order(Act.TAG, equipment="belt_101", reason="换托辊", **long)).encode()
    hung = (await bench.ask(tag))["tag"]
    assert (await bench.send(li, Act.UNTAG, equipment="belt_101", nonce=hung))["outcome"] == "done"
    for answer in await again(bench, tag):
        assert failed(answer) == ["order"] and not bench.tags.on("belt_101")


async def test_what_cannot_be_noted_is_refused_but_for_a_stop_and_a_tag(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=BELT, value=1)
    await bench.control._verifier.kept(5.0)
    bench.control._verifier._seen._file = Path("/dev/full")
    start = await bench.send(wang, Act.EXECUTE, point=BELT, value=1, nonce=selected["nonce"])
    assert start["outcome"] == "failed" and "disk" in start["reason"]["en"] and bench.register(BELT) == 0
    assert (await bench.send(wang, Act.TAKE, equipment="belt_101"))["outcome"] == "failed"
    assert (await bench.send(wang, Act.EXECUTE, point=BELT, value=2))["outcome"] == "done"
    assert (await bench.send(wang, Act.TAG, equipment="belt_101", reason="检修"))["outcome"] == "done"


async def test_a_program_with_a_wrong_clock_locks_nobody_out(bench, monkeypatch):
    monkeypatch.setattr(seen, "MOST", 20)
    wrong = bench.person("程序", "sequence")
    wang, li = bench.person("王工", "operator"), bench.person("李工", "maintainer")

    async def flood(ahead_s, most=25):
        deadlines = [bench.clock.now() + int(ahead_s * 1e6) + number for number in range(most)]
        return [await bench.send(wrong, Act.EXECUTE, point=SPEED, value=1.0, deadline=each) for each in deadlines]

    assert all("check the clocks" in each["reason"]["en"] for each in await flood(HOUR))
    assert (await bench.command(wang, BELT, 1))["outcome"] == "done", "nothing of it was noted"
    await flood(60)
    for _ in range(2):
        select = await bench.send(wang, Act.SELECT, point=BELT, value=1)
        assert failed(select) == ["order"] and "within their deadlines" in select["reason"]["en"]
        for place in (BELT, FEEDER):
            assert (await bench.send(wang, Act.SELECT, point=place, value=2))["outcome"] == "selected"
            stopped = await bench.send(wang, Act.EXECUTE, point=place, value=2)
            assert stopped["outcome"] == "done" and not failed(stopped) and bench.register(place) == 2
        assert (await bench.send(li, Act.TAG, equipment="belt_101", reason="检修"))["outcome"] == "done"
        await bench.shut()
        await bench.open()


async def test_on_a_disk_that_hangs_stops_go_on_and_the_rest_ends_at_its_deadline(bench, monkeypatch):
    monkeypatch.setattr(verifier, "MOST_WAITING", 3)
    wang, program = bench.person("王工", "operator"), bench.person("顺控", "sequence")
    held, threads = threading.Event(), []

    def hangs():
        threads.append(threading.current_thread())
        held.wait(60)

    bench.control._verifier._seen._write = hangs
    soon = bench.clock.now() + 4_000_000
    starts = [
        asyncio.create_task(bench.send(program, Act.EXECUTE, point=BELT, value=1, deadline=soon)) for _ in range(5)
    ]
    try:
        for _ in range(5):
            assert (await bench.send(wang, Act.EXECUTE, point=BELT, value=2))["outcome"] == "done"
        answers = await asyncio.gather(*starts)
    finally:
        held.set()
    assert {each["outcome"] for each in answers} == {"failed"} and bench.register(BELT) == 2
    assert sorted("orders wait for it" in each["reason"]["en"] for each in answers) == [False] * 3 + [True] * 2
    assert len(threads) == 1, "one thread hangs, whatever comes"


async def test_a_record_that_cannot_be_read_holds_up_no_stop(bench):
    wang = bench.person("王工", "operator")
    await bench.shut()
    file = bench.home / "gateway" / "control" / "orders.seen"
    file.unlink(missing_ok=True)
    file.mkdir(parents=True)
    await bench.open()
    assert (await bench.send(wang, Act.EXECUTE, point=BELT, value=2))["outcome"] == "done"
    assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["order"]


def order(number, deadline):
    return Order(f"o{number}", Act.TAG, "140581000000", "edge1", "s", deadline, equipment="belt_101", reason="r")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 30), st.sampled_from((0, 5, 20, 40))),
        st.tuples(st.just("now"), st.integers(0, 50), st.just(0)),
        st.sampled_from([("restart", 0, 0), ("torn", 0, 0)]),
    ),
    max_size=40,
)


@settings(max_examples=20, deadline=None)
@given(STEPS)
def test_whatever_comes_in_whatever_order_nothing_is_new_twice(steps):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(seen, "MOST", 10)
        patch.setattr("os.fsync", lambda _: None)
        file, now, taken = Path(folder) / "orders.seen", 0, set()
        found = Seen(file)
        for what, number, deadline in steps:
            if what == "now":
                now = number
            elif what == "restart":
                found = Seen(file)
            elif what == "torn" and file.exists():
                with file.open("a") as open_file:
                    open_file.write("17900000")
                found = Seen(file)
            elif what == "order":
                try:
                    is_new = not found.again(order(number, 10 + deadline), now)
                except Refused:
                    continue
                assert not (is_new and (number, deadline) in taken), "it was taken before"
                if is_new:
                    taken.add((number, deadline))


def test_when_the_record_cannot_be_read_nothing_that_may_have_come_is_taken(tmp_path):
    file = tmp_path / "orders.seen"
    file.mkdir()
    found, now = Seen(file), time.time_ns() // 1000
    with pytest.raises(Refused, match="too old to say"):
        found.again(order(1, now + 10_000_000), now)
    found = Seen(file)
    with pytest.raises(Refused, match="too old to say"):
        found.again(order(1, now + 10_000_000), now)
    assert not found.again(order(1, now + 60_000_000), now) and found.again(order(1, now + 60_000_000), now)
