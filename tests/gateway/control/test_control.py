"""Signed orders over a real device: what is carried out, what is refused, and what the answer says of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from bus import authority
from gateway.leave import Leave
from gateway.writer import EVERY_S
from models.command import Answer, Command, Outcome
from models.control.order import Act
from tests.gateway.control.benches import BELT, FEEDER, SPEED, Bench, failed
from tests.gateway.sites import CODE


@pytest.fixture
async def bench(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.is_seen("belt_102/running", 1)
        yield bench


async def test_a_command_is_selected_confirmed_and_executed_once(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=BELT, value="启动")
    assert selected["outcome"] == "selected" and selected["expires_s"] == 30 and selected["effect"] == "start"
    assert bench.register(BELT) == 0, "a select writes nothing"
    done = await bench.send(wang, Act.EXECUTE, point=BELT, value="启动", nonce=selected["nonce"], mode="remote")
    assert (done["outcome"], done["value"], bench.register(BELT)) == ("done", 1, 1) and not failed(done)
    again = await bench.send(wang, Act.EXECUTE, point=BELT, value="启动", nonce=selected["nonce"])
    assert again["outcome"] == "refused" and failed(again) == ["selected"] and "used" in again["reason"]["en"]
    kinds = [(event.kind, event.attributes["outcome"]) for event in bench.events]
    assert kinds == [("control", "selected"), ("command", "done"), ("control", "done"), ("control", "refused")]
    told = bench.events[2].attributes
    assert told["who"] == "王工" and "mode:ok" in told["trace"] and bench.events[2].equipment == f"{CODE}/belt_101"


async def test_the_very_same_execute_again_gets_its_first_answer(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=BELT, value=1)
    data = wang.sign(bench.order(Act.EXECUTE, point=BELT, value=1, nonce=selected["nonce"])).encode()
    writes = []
    bench.device.written = lambda *what: writes.append(what)
    answers = [await bench.ask(data) for _ in range(3)]
    assert [each["outcome"] for each in answers] == ["done"] * 3 and len(writes) == 1


async def test_a_selection_holds_for_its_person_value_and_time(bench):
    wang, li = bench.person("王工", "operator"), bench.person("李工", "operator")

    async def select():
        return (await bench.send(wang, Act.SELECT, point=SPEED, value=2.0))["nonce"]

    nonce = await select()
    theirs = await bench.send(li, Act.EXECUTE, point=SPEED, value=2.0, nonce=nonce)
    assert failed(theirs) == ["controller", "selected"]
    other = await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.5, nonce=nonce)
    assert failed(other) == ["selected"] and "not the point or the value" in other["reason"]["en"]
    gone = await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0, nonce=nonce)
    assert failed(gone) == ["selected"], "the nonce was used up by the wrong value"
    nonce = await select()
    bench.clock.ahead_s += 31
    late = await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0, nonce=nonce)
    assert failed(late) == ["selected"] and "over 30 s old" in late["reason"]["en"]
    none = await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0)
    assert failed(none) == ["selected"] and "select first" in none["reason"]["en"]
    older, newer = await select(), await select()
    assert failed(await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0, nonce=older)) == ["selected"]
    assert (await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0, nonce=newer))["outcome"] == "done"


async def test_nothing_is_executed_late_even_when_the_write_had_to_wait(bench):
    wang = bench.person("王工", "operator")
    late = await bench.send(wang, Act.EXECUTE, point=BELT, value=2, deadline=bench.clock.now() - 1)
    assert failed(late) == ["order"] and bench.register(BELT) == 0
    bench.device.delay_s = 0.3
    program, places = bench.person("顺控", "sequence"), (BELT, "belt_102/command", SPEED, "plain/set")
    orders = [
        bench.send(program, Act.EXECUTE, point=place, value=1, deadline=bench.clock.now() + 100_000) for place in places
    ]
    answers = dict(zip(places, await asyncio.gather(*orders), strict=True))
    late = [place for place, each in answers.items() if "deadline has passed" in each["reason"]["en"]]
    bench.device.delay_s = 0.0
    assert late and all(answers[place]["outcome"] == "refused" and bench.register(place) == 0 for place in late)


async def test_a_stop_needs_no_select_and_stands_above_tags_interlocks_and_who_has_the_control(bench):
    wang, li = bench.person("王工", "operator"), bench.person("李工", "operator")
    assert (await bench.command(wang, BELT, 1))["outcome"] == "done"
    await bench.send(li, Act.TAG, equipment="belt_101", reason="换托辊")
    await bench.is_seen("belt_102/running", 0)
    stop = await bench.send(li, Act.EXECUTE, point=BELT, value="停止")
    assert stop["outcome"] == "done" and bench.register(BELT) == 2
    start = await bench.send(li, Act.SELECT, point=BELT, value=1)
    assert failed(start) == ["tag", "interlock", "controller"], "the trace names all that is in the way"


async def test_two_persons_switch_on_and_neither_can_be_both(bench):
    zhao = bench.person("赵工", "electrician")
    alone = await bench.command(zhao, FEEDER, "合闸")
    assert failed(alone) == ["second"] and bench.register(FEEDER) == 0
    for name, roles, scope, check in (
        ("钱工", ["safety"], {}, "second"),
        ("孙工", ["electrician"], {"equipment": ["belt_101"]}, "second"),
    ):
        answer = await bench.command(zhao, FEEDER, "合闸", second=bench.person(name, *roles, **scope))
        assert failed(answer) == [check], name
    assert failed(await bench.command(zhao, FEEDER, "合闸", second=zhao)) == ["second"]
    both = await bench.command(zhao, FEEDER, "合闸", second=bench.person("周工", "dispatcher"))
    assert both["outcome"] == "done" and bench.register(FEEDER) == 1
    assert bench.events[-1].attributes["who"] == "赵工 + 周工"


async def test_the_mode_decides_and_a_person_who_saw_another_mode_is_told(bench):
    wang = bench.person("王工", "operator")
    await bench.is_seen("belt_101/mode", 1)
    local = await bench.send(wang, Act.SELECT, point=BELT, value=1)
    assert failed(local) == ["mode"] and "local" in local["reason"]["en"] and "就地" in local["reason"]["zh"]
    await bench.is_seen("belt_101/mode", 9)
    assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["mode"], "no such mode: unknown"
    await bench.is_seen("belt_101/mode", 2)
    seen = await bench.send(wang, Act.EXECUTE, point=BELT, value=3, mode="auto")
    assert failed(seen) == ["mode", "selected"] and "not auto as the order says" in seen["reason"]["en"]


async def test_a_dry_run_says_what_would_happen_and_does_nothing(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=SPEED, value=2.0)
    dry = {"point": SPEED, "value": 2.0, "nonce": selected["nonce"], "dry": True}
    would = await bench.send(wang, Act.EXECUTE, **dry)
    assert would["outcome"] == "would" and not failed(would) and bench.register(SPEED) == 0
    wrong = await bench.send(wang, Act.EXECUTE, point=SPEED, value=9.0, dry=True)
    assert failed(wrong) == ["selected", "writer"] and "outside 0 … 8" in wrong["trace"][-1]["en"]
    assert (await bench.send(wang, Act.EXECUTE, **{**dry, "dry": False}))["outcome"] == "done", "the nonce still lived"
    assert (await bench.send(wang, Act.TAG, equipment="plain", reason="试", dry=True))["outcome"] == "would"
    assert not len(bench.tags)


async def test_an_empty_value_is_not_nought(bench):
    answer = await bench.send(bench.person("王工", "operator"), Act.EXECUTE, point=SPEED, value="")
    assert failed(answer)[-1] == "writer" and bench.register(SPEED) == 0


async def test_one_person_at_a_time_until_it_is_handed_over_or_lies_idle(bench):
    wang, li = bench.person("王工", "operator"), bench.person("李工", "operator")
    assert (await bench.command(wang, SPEED, 1.0))["outcome"] == "done"
    assert failed(await bench.command(li, SPEED, 2.0)) == ["controller"]
    assert failed(await bench.send(li, Act.TAKE, equipment="belt_101")) == ["role"]
    assert failed(await bench.send(li, Act.HAND, equipment="belt_101", to="李工")) == ["controller"]
    assert (await bench.send(wang, Act.HAND, equipment="belt_101", to="李工"))["outcome"] == "done"
    assert failed(await bench.command(wang, SPEED, 1.0)) == ["controller"]
    assert (await bench.command(li, SPEED, 2.0))["outcome"] == "done"
    assert bench.control.state()["controllers"] == {"belt_101": "李工"}
    chief = bench.person("吴长", "dispatcher")
    assert failed(await bench.send(chief, Act.TAKE, equipment="belt_101")) == ["second"]
    taken = await bench.send(chief, Act.TAKE, equipment="belt_101", second=wang)
    assert taken["outcome"] == "done" and failed(await bench.command(li, SPEED, 2.0)) == ["controller"]
    bench.clock.ahead_s += 601
    assert (await bench.command(li, SPEED, 3.0))["outcome"] == "done"


async def test_a_command_of_unknown_outcome_blocks_a_repeat_until_it_was_read_back(bench):
    wang = bench.person("王工", "operator")
    selected = await bench.send(wang, Act.SELECT, point=SPEED, value=2.0)
    bench.device.delay_s = 2.5  # the gateway waits 1 s
    lost = await bench.send(wang, Act.EXECUTE, point=SPEED, value=2.0, nonce=selected["nonce"])
    assert lost["outcome"] == "unknown"
    again = await bench.send(wang, Act.SELECT, point=SPEED, value=2.0)
    assert "writer" in failed(again)
    bench.device.delay_s = 0.0
    await bench.until(lambda: bench.writer.blocked(f"{CODE}/{SPEED}") is None)
    await asyncio.sleep(EVERY_S)  # which lie between two writes of a point
    assert (await bench.command(wang, SPEED, 2.0))["outcome"] == "done"


async def test_commands_without_a_signature_are_refused_once_there_is_an_authority(tmp_path):
    async with Bench(tmp_path, signed=False) as bench:

        def plain():
            bench.count += 1
            return Command(f"p{bench.count}", f"{CODE}/plain/set", 1.0, "老王", bench.clock.now() + 5_000_000).encode()

        assert (await bench.ask(plain()))["outcome"] == "done"
        assert bench.control.state()["signed_only"] is False and bench.control.counts["unsigned_total"] == 1
        authority.init(tmp_path, CODE)
        answer = await bench.ask(plain())
        assert answer["outcome"] == "refused" and "signed commands alone" in answer["reason"]["en"]
        assert bench.events[-1].attributes["outcome"] == "refused" and bench.control.state()["signed_only"] is True
        assert (await bench.command(bench.person("王工", "operator"), "plain/set", 2.0))["outcome"] == "done"


async def test_what_is_not_authentic_is_refused_told_and_counted(bench):
    wang = bench.person("王工", "operator")
    found = json.loads(wang.sign(bench.order(Act.EXECUTE, point=BELT, value=2)).encode())
    found["order"]["value"] = 1
    answer = await bench.ask(json.dumps(found).encode())
    assert answer["outcome"] == "refused" and failed(answer) == ["signature"] and bench.register(BELT) == 0
    assert bench.events[-1].attributes["outcome"] == "refused" and bench.events[-1].equipment == f"{CODE}/edge1"
    authority.revoke(bench.home, "王工")
    gone = await bench.send(wang, Act.EXECUTE, point=BELT, value=2)
    assert failed(gone) == ["credential"] and "withdrawn" in gone["reason"]["en"]
    assert bench.control.counts["unbelieved_refused_total"] == 2


async def test_a_program_signs_its_commands_and_reads_their_answers_as_any(bench):
    async def give(value):
        bench.count += 1
        command = Command(f"seq-{bench.count}", f"{CODE}/{BELT}", value, "sequence", bench.clock.now() + 5_000_000)
        return Answer.of_json(await bench.ask(authority.sealed(bench.home, "coal-flow", command, "edge1")))

    unsigned = await give(1)
    assert unsigned.outcome is Outcome.REFUSED and "signed commands alone" in unsigned.reason.en
    now = bench.clock.now()
    authority.issue(bench.home, "coal-flow", ["sequence"], authority.person(bench.home, "coal-flow"), now)
    started = await give(1)
    assert (started.outcome, started.value, bench.register(BELT)) == (Outcome.DONE, 1, 1), "without a select"
    refused = await give(7)
    assert refused.outcome is Outcome.REFUSED and refused.point == f"{CODE}/{BELT}" and "no state" in refused.reason.en
    assert failed(await bench.command(bench.person("王工", "operator"), BELT, 1)) == ["controller"]
    authority.revoke(bench.home, "coal-flow")
    gone = await give(2)
    assert gone.outcome is Outcome.REFUSED and gone.point == f"{CODE}/{BELT}" and "withdrawn" in gone.reason.en


async def test_a_linkage_is_held_up_by_no_interlock_and_by_a_tag_in_all_that_does_not_stop(bench):
    li = bench.person("李工", "maintainer")
    await bench.is_seen("belt_102/running", 0)
    for machine in ("plain", "feeder_1", "belt_102"):
        await bench.send(li, Act.TAG, equipment=machine, reason="检修")

    async def write(place, value, urgent):
        bench.count += 1
        deadline = bench.clock.now() + 5_000_000
        command = Command(f"l{bench.count}", f"{CODE}/{place}", value, "linkage gas", deadline)
        return await bench.writer.carry_out(command, Leave(urgent=urgent))

    refused = await write("plain/set", 3.0, urgent=False)
    assert refused.outcome is Outcome.REFUSED and "tagged by 李工 (检修)" in refused.reason.en
    for place, value in (("plain/set", 3.0), ("belt_102/command", 1), ("belt_102/command", 3), (FEEDER, 1)):
        before = bench.register(place)
        refused = await write(place, value, urgent=True)
        assert refused.outcome is Outcome.REFUSED and "tagged by 李工" in refused.reason.en, place
        assert bench.register(place) == before
    assert (await write("belt_102/command", 2, urgent=True)).outcome is Outcome.DONE
    assert (await write(BELT, 1, urgent=False)).outcome is Outcome.REFUSED
    assert (await write(BELT, 1, urgent=True)).outcome is Outcome.DONE
    assert (await write(FEEDER, 2, urgent=False)).outcome is Outcome.DONE


async def test_rubbish_at_the_door_is_answered_and_never_raised(bench):
    wang = bench.person("王工", "operator")
    good = json.loads(wang.sign(bench.order(Act.SELECT, point=BELT, value=1)).encode())
    deep = json.loads("[" * 400 + "]" * 400)
    for spoilt in (
        {"order": 1},
        {"order": {}, "signatures": []},
        {"order": {}, "signatures": [1, 2, 3]},
        {"order": [], "signatures": good["signatures"]},
        {**good, "signatures": [{"credential": deep, "signature": good["signatures"][0]["signature"]}]},
        {**good, "order": {**good["order"], "value": deep}},
        {**good, "order": {**good["order"], "id": {"a": 1}, "point": 7}},
        {**good, "signatures": [{**good["signatures"][0], "signature": "A" * 4000}]},
        {**good, "more": 1},
    ):
        answer = await bench.ask(json.dumps(spoilt).encode())
        assert answer["outcome"] == "refused" and failed(answer) == ["signature"] and answer["reason"]["zh"], spoilt
    for spoilt in (b'{"machine": 5}', b'{"machine": ""}', b"{}", b"[]", b"\xff", b'{"order":' + b" " * 9000 + b"1}"):
        assert "error" in await bench.ask(spoilt)
    assert "reads no point" in (await bench.ask(b'{"machine": "nobody"}'))["error"]
    assert bench.register(BELT) == 0
