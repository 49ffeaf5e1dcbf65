"""Sequences, rotations and shifts over the API, without a bus: what is asked for is in the store for whoever drives."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from middleplatform.control import book
from middleplatform.control.progress import Phase
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
    own = await ask("operator", "POST", f"{path}/take", {})
    assert own.status_code == 409 and own.json()["error"]["code"] == "own_handover"
    taken = (await ask("administrator", "POST", f"{path}/take", {"words": "收到"})).json()
    assert taken["state"] == "taken" and taken["comes"] != taken["goes"]


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
        code, said = await sevenones("shift", "hand-over", *where, mine)
        assert code == 0 and "open runs: 1" in said and "shift take 1" in said, said
        code, said = await sevenones("shift", "take", "1", *where, mine)
        assert code == 1 and "nobody takes over from themselves" in said, said
    finally:
        serving.should_exit = True
        await task
