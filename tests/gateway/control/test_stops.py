"""A stop and a switching off are never refused for what other commands wait for, and nothing starts behind them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.writer import MOST_WAITING
from models.command import Command
from models.control.order import Act
from models.site.model import Name
from tests.gateway.control.benches import BELT, FEEDER, SPEED, Bench, failed
from tests.gateway.sites import CODE


@pytest.fixture
async def bench(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.is_seen("belt_102/running", 1)
        yield bench


async def stop(bench, place=BELT, value=2, who="王工"):
    return await bench.send(bench.person(who, "operator"), Act.EXECUTE, point=place, value=value)


async def test_nothing_that_is_tripped_refuses_it(bench):
    bench.writer.interlocks.append(lambda path, value: None if value == 1 else Name("联动已动作", "a linkage holds it"))
    wang = bench.person("王工", "operator")
    assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=3)) == ["writer"]
    for place in (BELT, FEEDER):
        answer = await stop(bench, place)
        assert answer["outcome"] == "done" and bench.register(place) == 2, answer


async def test_it_waits_for_no_pause_and_no_disk(bench):
    bench.writer._every_s = 60.0
    wang = bench.person("王工", "operator")
    assert (await bench.command(wang, BELT, 1))["outcome"] == "done"
    bench.writer._ledger._file = bench.home / "full" / "writes.json"
    assert (await stop(bench))["outcome"] == "done" and bench.register(BELT) == 2
    assert (await stop(bench, FEEDER))["outcome"] == "done"
    assert "writer" in failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)), "a start waits for the pause"
    refused = await bench.command(wang, "belt_102/command", 1)
    assert refused["outcome"] == "refused" and "noted" in refused["reason"]["en"], "and for the disk"


async def test_it_is_not_refused_for_a_selection_that_is_too_old(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=BELT, value="停止")
    assert selected["outcome"] == "selected"
    bench.clock.ahead_s += 60
    answer = await bench.send(wang, Act.EXECUTE, point=BELT, value="停止", nonce=selected["nonce"])
    assert answer["outcome"] == "done" and bench.register(BELT) == 2, answer


async def test_it_is_sent_while_the_outcome_of_an_earlier_write_is_not_known(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=BELT, value=1)
    bench.writer._settle = lambda entry: asyncio.sleep(0)
    bench.device.delay_s = 2.5  # the gateway waits 1 s
    lost = await bench.send(wang, Act.EXECUTE, point=BELT, value=1, nonce=selected["nonce"])
    assert lost["outcome"] == "unknown"
    bench.device.delay_s = 0.0
    assert "writer" in failed(await bench.send(wang, Act.SELECT, point=BELT, value=1))
    async with asyncio.timeout(15):
        # The link is made anew meanwhile: whoever presses again gets through as soon as it is there.
        while (answer := await stop(bench))["outcome"] != "done":
            assert "no other write" not in answer["reason"]["en"] or answer["outcome"] == "unknown", answer
            await asyncio.sleep(0.05)
    assert bench.register(BELT) == 2
    told = [event for event in bench.events if event.attributes.get("command") == lost["id"]]
    assert [event.end is None for event in told] == [True, False], "the event of the first does not last for ever"
    assert told[-1].attributes["outcome"] == "unknown" and "written since" in told[-1].attributes["reason"]


async def test_it_is_no_one_of_too_many_and_what_waited_to_start_does_not_start_after_it(bench):
    wang = bench.person("王工", "operator")
    start = await bench.send(wang, Act.SELECT, point=BELT, value=1)
    held = asyncio.Event()
    saved = bench.writer._ledger.save

    async def slow():
        await held.wait()
        await saved()

    bench.writer._ledger.save = slow  # the disk: all that is not urgent waits for it, in turn

    def other(number):
        deadline = bench.clock.now() + 10_000_000
        return bench.writer.carry_out(Command(f"other{number}", f"{CODE}/plain/set", 0.1 * number, "顺控", deadline))

    others = [asyncio.create_task(other(number)) for number in range(1, MOST_WAITING)]
    await bench.until(lambda: len(bench.writer._under_way) == MOST_WAITING - 1)
    patient = bench.clock.now() + 19_000_000
    late = asyncio.create_task(
        bench.send(wang, Act.EXECUTE, point=BELT, value=1, nonce=start["nonce"], deadline=patient)
    )
    await bench.until(lambda: len(bench.writer._under_way) == MOST_WAITING)
    assert "under way already" in (await other(MOST_WAITING)).reason.en
    answer = await stop(bench, who="李工")
    assert answer["outcome"] == "done" and bench.register(BELT) == 2, answer
    held.set()
    refused = await late
    assert refused["outcome"] == "refused" and "ordered to stop since" in refused["reason"]["en"], refused
    await asyncio.gather(*others)
    assert bench.register(BELT) == 2, "what was stopped stays so"
    again = await bench.command(wang, BELT, 1)
    assert failed(again) == [] and again["outcome"] == "done", "and starts when it is asked for anew"


async def test_it_too_is_refused_late_beyond_what_its_point_takes_and_in_local_mode(bench):
    late = await bench.send(
        bench.person("王工", "operator"), Act.EXECUTE, point=BELT, value=2, deadline=bench.clock.now() - 1
    )
    assert failed(late) == ["order"]
    await bench.is_seen("belt_101/mode", 1)
    assert failed(await stop(bench)) == ["mode"]
    assert (await stop(bench, FEEDER))["outcome"] == "done" and bench.register(BELT) == 0
    bench.device.fault = "refuse"
    await bench.until(lambda: next(iter(bench.devices)).adapter is None)
    away = await stop(bench, SPEED, 0)
    assert "writer" in failed(away) and CODE not in away["reason"]["en"]


async def test_it_is_carried_out_under_an_id_that_was_another_orders(bench):
    wang = bench.person("王工", "operator")
    first = wang.sign(bench.order(Act.EXECUTE, point=BELT, value=2, id="stop1")).encode()
    assert (await bench.ask(first))["outcome"] == "done" and bench.register(BELT) == 2
    for person in ("王工", "李工"):
        assert (await bench.command(wang, BELT, 1))["outcome"] == "done" and bench.register(BELT) == 1
        signer = bench.person(person, "operator")
        answer = await bench.send(signer, Act.EXECUTE, point=BELT, value=2, id="stop1")
        assert answer["outcome"] == "done" and bench.register(BELT) == 2, person
    bench.device.written = lambda *_: pytest.fail("the same bytes are the same order")
    assert (await bench.ask(first))["outcome"] == "refused", "its answer gave way to the later ones'"


async def test_another_order_under_the_id_of_one_that_was_done_gets_no_answer_of_that_one(bench):
    program = bench.person("顺控", "sequence")
    assert (await bench.send(program, Act.EXECUTE, point=BELT, value=1, id="one"))["outcome"] == "done"
    assert (await stop(bench))["outcome"] == "done"
    for signer in (program, bench.person("另一程序", "sequence")):
        answer = await bench.send(signer, Act.EXECUTE, point=BELT, value=1, id="one")
        assert answer["outcome"] == "refused" and bench.register(BELT) == 2, answer


@pytest.mark.parametrize("mode", (3, 9))
async def test_it_is_not_refused_for_a_mode_that_changed_since_it_was_looked_at(bench, mode):
    for machine, place in (("belt_101", BELT), ("feeder_1", FEEDER)):
        await bench.is_seen(f"{machine}/mode", mode)
        wang = bench.person("王工", "operator")
        answer = await bench.send(wang, Act.EXECUTE, point=place, value=2, mode="remote")
        assert answer["outcome"] == "done" and bench.register(place) == 2, answer
    assert failed(await bench.send(wang, Act.EXECUTE, point=BELT, value=1, mode="remote"))[0] == "mode"


async def test_its_select_finds_room_where_others_do_not(bench, monkeypatch):
    monkeypatch.setattr("gateway.control.selects.MOST", 0)
    wang = bench.person("王工", "operator")
    assert "selections live" in (await bench.send(wang, Act.SELECT, point=BELT, value=1))["reason"]["en"]
    selected = await bench.send(wang, Act.SELECT, point=BELT, value=2)
    assert selected["outcome"] == "selected" and selected["effect"] == "stop"
    answer = await bench.send(wang, Act.EXECUTE, point=BELT, value=2, nonce=selected["nonce"])
    assert answer["outcome"] == "done" and bench.register(BELT) == 2
