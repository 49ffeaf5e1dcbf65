"""Sequences, rotations and shifts over the API, without a bus: what is asked for is in the store for whoever drives."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest
from websockets.asyncio.client import connect

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.alarms.acts import acknowledge, suppress
from middleplatform.alarms.book import alarms_of, record
from middleplatform.alarms.condition import Act, Change, Position, Suppression
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from middleplatform.control import book
from middleplatform.control.book import Wish
from middleplatform.control.progress import Deed, Line, Phase
from models.site import load
from tests.gateway.folders import sevenones
from tests.middleplatform.api.stage import Link
from tests.middleplatform.control.line import CODE, write_line
from tests.ports import free_port


def application(home):
    site = load(write_line(home / "site", 15020))
    return build(Catalogue(site), LiveTable(site), Link(), home)


@pytest.fixture
async def ask(tmp_path):
    app = application(tmp_path)
    roles = {role: tokens.create_token(tmp_path, role, role) for role in ("operator", "analyst", "administrator")}
    roles["incline"] = tokens.create_token(tmp_path, "i", "operator", scope=Scope.of({"areas": ["main_incline"]}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

        async def asked(role, method, path, body=None, **query):
            head = {"Authorization": f"Bearer {roles[role]}"}
            return await client.request(method, f"/api/v1/{path}", headers=head, json=body, params=query)

        yield asked


async def test_a_run_is_started_seen_and_aborted_by_those_who_may(ask, tmp_path):
    found = (await ask("analyst", "GET", "sequences")).json()["sequences"]
    assert [each["id"] for each in found] == ["start_belts", "stop_belts"]
    one = (await ask("operator", "GET", "sequences/start_belts")).json()
    assert one["steps"][0]["until"][0] == "belt_101/speed ≥ 95 % of belt_101/speed_set, 7 s"
    assert (await ask("operator", "GET", "sequences/start_belt")).json()["error"]["message"].endswith("'start_belts'?")
    assert (await ask("analyst", "POST", "sequences/start_belts/start", {})).status_code == 403
    started = await ask("operator", "POST", "sequences/start_belts/start", {"note": "早班"})
    assert started.status_code == 201 and started.json()["phase"] == "asked"
    run = started.json()["id"]
    busy = await ask("administrator", "POST", "sequences/stop_belts/start", {})
    assert busy.status_code == 409 and busy.json()["error"]["code"] == "busy"
    whole = (await ask("analyst", "GET", f"sequences/runs/{run}")).json()
    assert whole["journal"][0]["what"] == "ask" and whole["definition"]["id"] == "start_belts"
    last = whole["journal"][-1]["number"]
    assert (await ask("analyst", "GET", f"sequences/runs/{run}", after=last)).json()["journal"] == []
    refused = await ask("operator", "POST", f"sequences/runs/{run}/resume", {})
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "not_held"
    assert (await ask("operator", "POST", f"sequences/runs/{run}/abort")).json()["wish"] == "abort"
    assert book.find(tmp_path, CODE, run).phase is Phase.ASKED


async def test_whoever_sees_only_a_part_of_a_line_has_no_sequence_of_it(ask):
    run = (await ask("operator", "POST", "sequences/start_belts/start", {})).json()["id"]
    assert (await ask("incline", "GET", "sequences")).json() == {"sequences": []}
    assert (await ask("incline", "GET", "sequences/runs")).json()["runs"] == []
    for method, path in (
        ("GET", "sequences/start_belts"),
        ("GET", f"sequences/runs/{run}"),
        ("POST", f"sequences/runs/{run}/abort"),
        ("POST", "sequences/start_belts/start"),
    ):
        assert (await ask("incline", method, path, {} if path.endswith("start") else None)).status_code == 404, path


async def test_the_log_is_written_and_a_shift_handed_over(ask):
    written = await ask("operator", "POST", "shifts/log", {"words": "更换托辊", "equipment": "belt_102"})
    assert written.status_code == 201 and written.json()["subject"] == f"{CODE}/belt_102"
    assert written.json()["time"].endswith("+08:00"), "by the mine's clock, as its day and shift are"
    log = (await ask("administrator", "GET", "shifts/log")).json()
    assert [each["words"] for each in log["entries"]] == ["更换托辊"] and log["now"]["name"]["zh"] in (
        "早班",
        "中班",
        "夜班",
    )
    assert (await ask("incline", "GET", "shifts/log")).json()["entries"] == []
    assert (await ask("analyst", "GET", "shifts/log")).status_code == 403
    await ask("operator", "POST", "sequences/start_belts/start", {})
    offered = (await ask("operator", "POST", "shifts/handovers", {"words": "请注意"})).json()
    assert offered["state"] == "offered" and len(offered["open"]["runs"]) == 1
    path = f"shifts/handovers/{offered['id']}"
    assert (await ask("incline", "GET", path)).json()["open"]["runs"] == []
    part = await ask("incline", "POST", f"{path}/take", {})
    assert part.status_code == 409 and part.json()["error"]["code"] == "not_all_seen"
    assert part.json()["error"]["message"].endswith("has to sign") and "2 of the open things" in part.text, part.text
    own = await ask("operator", "POST", f"{path}/take", {})
    assert own.status_code == 409 and own.json()["error"]["code"] == "own_handover"
    taken = (await ask("administrator", "POST", f"{path}/take", {"words": "收到"})).json()
    assert taken["state"] == "taken" and taken["comes"] != taken["goes"]
    offer = await ask("incline", "POST", "shifts/handovers", {})
    assert offer.status_code == 409 and offer.json()["error"]["code"] == "not_all_seen"


@pytest.mark.parametrize("sign", ["\0", "\x1b[2J", "\r", "\u202e"])
async def test_what_people_write_holds_nothing_that_cannot_be_seen(ask, sign):
    for path, field in (
        ("sequences/start_belts/start", "note"),
        ("shifts/log", "words"),
        ("shifts/handovers", "words"),
        ("shifts/handovers/1/take", "words"),
    ):
        told = await ask("operator", "POST", path, {field: f"更换{sign}托辊"})
        assert told.status_code == 400 and "cannot be seen" in told.text, (path, told.text)


async def test_steps_come_over_a_socket_as_they_are_written(tmp_path):
    port = free_port()
    serving = server(application(tmp_path), "127.0.0.1", port)
    task = asyncio.create_task(serving.serve())
    role = {name: tokens.create_token(tmp_path, name, name) for name in ("operator", "analyst")}
    wing = tokens.create_token(tmp_path, "i", "operator", scope=Scope.of({"areas": ["main_incline"]}))
    site = load(tmp_path / "site")
    sequence = site.sequences["start_belts"]

    def write(number, *lines, **changes):
        held = next(run for run in book.take(tmp_path, CODE, "me", time.time_ns() // 1000, 60_000_000).runs)
        assert held.id == number
        book.keep(tmp_path, held, held.progress.but(**changes), lines, "me", time.time_ns() // 1000)

    async def heard(socket, key):
        async with asyncio.timeout(30):
            while key not in (frame := json.loads(await socket.recv())):
                assert "t" in frame
        return frame

    url = f"ws://127.0.0.1:{port}/api/v1/sequences/stream"
    try:
        async with asyncio.timeout(30):
            while not serving.started:
                await asyncio.sleep(0.02)
        async with connect(url) as everything, connect(url) as nothing, connect(url) as one:
            for socket, token in ((everything, role["analyst"]), (nothing, wing)):
                await socket.send(json.dumps({"token": token}))
                await socket.send(json.dumps({"subscribe": {}}))
                assert (await heard(socket, "snapshot"))["runs"] == []
            run = book.ask(tmp_path, CODE, sequence, "王工")
            frame = await heard(everything, "lines")
            assert [(each["run"], each["what"]) for each in frame["lines"]] == [(run, "ask")]
            assert frame["runs"][0]["phase"] == "asked" and frame["runs"][0]["time"].endswith("+08:00")
            await one.send(json.dumps({"token": role["operator"], "subscribe": {"run": run}}))
            assert [each["what"] for each in (await heard(one, "snapshot"))["lines"]] == ["ask"]
            write(run, Line(Deed.BEGIN), Line(Deed.STEP, step="belt_101"), phase=Phase.RUNNING)
            for socket in (everything, one):
                frame = await heard(socket, "lines")
                assert [each["what"] for each in frame["lines"]] == ["begin", "step"]
                assert frame["runs"][0]["phase"] == "running" and frame["lines"][1]["step"] == "belt_101"
            book.wish(tmp_path, CODE, run, Wish.ABORT, "李工")
            assert (await heard(one, "runs"))["runs"][0]["wish"] == "abort"
            write(run, Line(Deed.END), phase=Phase.ABORTED)
            for socket in (everything, one):
                while (frame := await heard(socket, "runs"))["runs"][0]["ended"] is None:
                    pass
                assert frame["lines"][0]["what"] == "end"
            seen = [json.loads(await nothing.recv()) for _ in range(3)]
            assert all(frame.keys() == {"t"} for frame in seen), "its part of the mine has no such line"
            await one.send(json.dumps({"subscribe": {"run": 999}}))
            assert (await heard(one, "error"))["error"]["code"] == "unknown_run"
            await nothing.send(json.dumps({"subscribe": {"run": run}}))
            assert (await heard(nothing, "error"))["error"]["code"] == "unknown_run"
    finally:
        serving.should_exit = True
        await task


async def test_the_commands_say_what_there_is_and_what_became_of_it(tmp_path):
    port = free_port()
    serving = server(application(tmp_path), "127.0.0.1", port)
    task = asyncio.create_task(serving.serve())
    where = ("--url", f"http://127.0.0.1:{port}", "--token")
    mine = tokens.create_token(tmp_path, "wang", "operator")
    try:
        async with asyncio.timeout(30):
            while not serving.started:
                await asyncio.sleep(0.02)
        code, said = await sevenones("sequence", "list", *where, mine)
        assert code == 0 and "start_belts" in said and "stop_belts" in said, said
        code, said = await sevenones("sequence", "show", "stop_belts", *where, mine)
        assert code == 0 and "∫ belt_102/speed dt ≥ 1200 m, + 15 s" in said and "否则 · else hold" in said, said
        code, said = await sevenones("sequence", "start", "start_belts", *where, mine, stdin="n\n")
        assert code == 1 and "belt_101/command = 1" in said and "nothing was started" in said, said
        code, said = await sevenones("sequence", "start", "start_belts", "--yes", "--quiet", *where, mine)
        assert code == 0 and "运行 · run 1" in said, said
        code, said = await sevenones("shift", "log", "更换托辊", "--equipment", "belt_102", *where, mine)
        assert code == 0 and "[belt_102]: 更换托辊" in said, said
        now = time.time_ns() // 1000
        many = [Change(f"r{number:02}", f"{CODE}/belt_101", Act.RAISE, now - number, 1, 3) for number in range(21)]
        assert record(tmp_path, CODE, Position("test", "test", 1, 1), many)
        first = alarms_of(tmp_path, CODE)[0]
        suppress(tmp_path, CODE, first.id, Suppression.SHELVED, "wang", "检修", until=now + 3600 * 1_000_000)
        code, said = await sevenones("shift", "hand-over", *where, mine)
        assert code == 0 and "open runs: 1" in said and "shift take 1" in said, said
        assert "open alarms: 21" in said and "and 1 more" in said and "r19" in said and "r20" not in said, said
        assert "r00 belt_101 unacknowledged 抑制 suppressed: shelved" in said, said
        code, said = await sevenones("shift", "take", "1", *where, mine)
        assert code == 1 and "nobody takes over from themselves" in said, said
        later = [Change("late", f"{CODE}/belt_102", Act.RAISE, now, 1, 1)]
        assert record(tmp_path, CODE, Position("test", "test", 1, 2), later)
        # Not the one that is shelved: at rest it stays in sight until somebody ends that.
        second = next(each for each in alarms_of(tmp_path, CODE) if each.rule == "r01")
        acknowledge(tmp_path, CODE, [second.id], "wang")
        gone = [Change("r01", f"{CODE}/belt_101", Act.RETURN, now, 1, 3)]
        assert record(tmp_path, CODE, Position("test", "test", 1, 3), gone)
        other = tokens.create_token(tmp_path, "li", "operator")
        code, said = await sevenones("shift", "take", "1", *where, other)
        assert code == 0 and "appeared since: 报警 alarms: 1\n" in said and "late belt_102" in said, said
        assert "gone since: 报警 alarms: 1\n" in said and "已接班 taken" in said, said
    finally:
        serving.should_exit = True
        await task
