"""Signed orders over the API to a real gateway: passed on unchanged, kept within scope, audited; tags listed."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import httpx
import pytest

from bus import subjects
from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.live import LiveTable
from middleplatform.audit.log import entries
from middleplatform.database.connect import connect
from models.control.order import Act, Envelope
from tests.gateway.control.benches import FEEDER, SPEED, Bench, failed, made_site
from tests.gateway.sites import CODE
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)


class Stage:
    """A gateway on the bus and the API beside it, with callers of two roles and one scope."""

    def __init__(self, bench, home, client):
        self.bench, self.home, self.client = bench, home, client
        self.tokens = {role: tokens.create_token(home, role, role) for role in ("operator", "engineer")}
        self.tokens["face"] = tokens.create_token(home, "f", "operator", scope=Scope.of({"areas": ["face"]}))

    async def post(self, signed: Envelope | bytes, act: str, who: str = "operator"):
        data = signed if isinstance(signed, bytes) else signed.encode()
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/json"}
        return await self.client.post(f"/api/v1/control/{act}", content=data, headers=headers)

    async def hand_over(self):
        """A shift handed over by an operator."""
        head = {"Authorization": f"Bearer {self.tokens['operator']}"}
        answer = await self.client.post("/api/v1/shifts/handovers", headers=head, json={"words": ""})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def tags(self, who: str = "engineer"):
        answer = await self.client.get("/api/v1/control/tags", headers={"Authorization": f"Bearer {self.tokens[who]}"})
        assert answer.status_code == 200
        return answer.json()


@asynccontextmanager
async def stage(tmp_path):
    async with (
        mine_bus(tmp_path, CODE) as server,
        Bench(tmp_path / "edge") as bench,
        await server.connect("gateway-edge1") as edge,
        await server.connect("api") as bus,
    ):
        await edge.answer(subjects.command(CODE, "edge1"), bench.orders.answer)
        made = made_site(bench.device.port)
        connect(tmp_path)
        app = build(Catalogue(made), LiveTable(made), bus, tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            yield Stage(bench, tmp_path, client)


async def test_orders_pass_the_api_and_it_cannot_change_or_make_one(tmp_path):
    async with stage(tmp_path) as on:
        bench, wang = on.bench, on.bench.person("王工", "operator")
        point = {"point": SPEED, "value": 2.5}
        selected = (await on.post(wang.sign(bench.order(Act.SELECT, **point)), "select")).json()
        assert selected["outcome"] == "selected", selected
        execute = wang.sign(bench.order(Act.EXECUTE, **point, nonce=selected["nonce"]))
        forged = json.loads(execute.encode())
        forged["order"]["value"] = 8
        answer = (await on.post(json.dumps(forged, indent=2).encode(), "execute")).json()
        assert answer["outcome"] == "refused" and failed(answer) == ["signature"] and bench.register(SPEED) == 0
        # Written otherwise, it is the same order: what is signed is its meaning, not its spaces.
        done = (await on.post(json.dumps(json.loads(execute.encode()), indent=2).encode(), "execute")).json()
        assert (done["outcome"], done["value"], bench.register(SPEED)) == ("done", 2.5, 25)
        told = [each for each in entries(on.home) if each.what.startswith("command.")]
        assert [each.what for each in reversed(told)] == ["command.ask", "command.end"] * 3
        assert json.loads(told[0].after)["outcome"] == "done"
        assert json.loads(told[1].after)["order"]["nonce"] == selected["nonce"]
        assert told[0].about == f"{CODE}/{SPEED}" and "operator" in told[0].who

        li = bench.person("李工", "maintainer")
        tag = li.sign(bench.order(Act.TAG, equipment="belt_102", reason="换托辊"))
        assert (await on.post(tag, "tag")).json()["outcome"] == "done"
        (listed,) = (await on.tags())["tags"]
        assert (listed["equipment"], listed["who"], listed["gateway"]) == ("belt_102", "李工", "edge1")
        assert (await on.tags("face"))["tags"] == [], "belt_102 stands in the roadway"
        assert tag.order["id"] == listed["id"]
        offered = await on.hand_over()
        (hangs,) = offered["open"]["tags"]
        assert (hangs["who"], hangs["reason"], hangs["subjects"]) == ("李工", "换托辊", [f"{CODE}/belt_102"])
        assert offered["unanswered"] == []


async def test_what_the_api_refuses_by_itself(tmp_path):
    async with stage(tmp_path) as on:
        bench, wang = on.bench, on.bench.person("王工", "operator")

        async def code(signed, act, who="operator"):
            answer = await on.post(signed, act, who)
            return answer.status_code, answer.json()["error"]["code"] if answer.status_code != 200 else ""

        def order(**more):
            return wang.sign(bench.order(Act.SELECT, **{"point": FEEDER, "value": 2, **more}))

        assert await code(order(), "select", "engineer") == (403, "forbidden")
        assert await code(order(), "execute") == (400, "another_act")
        assert (await code(order(), "dance"))[0] == 400
        assert await code(b"{", "select") == (400, "no_order")
        assert await code(b"[]", "select") == (400, "no_order")
        assert (await on.post(b" " * 9000, "select")).status_code == 400
        assert (await code(order(gateway="edge9"), "select"))[0] == 404
        assert (await code(order(point="belt_102/command"), "select", "face"))[0] == 404
        assert (await code(order(point="nothing/here"), "select"))[0] == 404
        assert await code(order(), "select", "face") == (200, "")
        restore = wang.sign(bench.order(Act.RESTORE, equipment="no_linkage", reason="r"))
        assert (await code(restore, "restore"))[0] == 404
        both = wang.sign(bench.order(Act.RESTORE, equipment="a_linkage", point=FEEDER, reason="r"))
        assert await code(both, "restore") == (400, "no_order"), "an edge would take the point for the linkage"
        assert not [each for each in entries(on.home) if each.about == "no_linkage"]
        assert len([each for each in entries(on.home) if each.what == "command.ask"]) == 1


async def test_a_gateway_that_is_away_makes_an_outcome_unknown_and_its_tags_not_known(tmp_path):
    async with mine_bus(tmp_path, CODE) as server, await server.connect("api") as bus:
        made = made_site(1)
        connect(tmp_path)
        app = build(Catalogue(made), LiveTable(made), bus, tmp_path)
        async with (
            Bench(tmp_path / "edge") as bench,
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client,
        ):
            on = Stage(bench, tmp_path, client)
            signed = bench.person("王工", "operator").sign(bench.order(Act.EXECUTE, point=FEEDER, value=2))
            answer = await on.post(signed, "execute")
            assert answer.status_code == 503 and answer.json()["error"]["code"] == "gateway_silent"
            assert await on.tags() == {"tags": [], "unanswered": ["edge1"]}
            offered = await on.hand_over()
            assert offered["open"]["tags"] == [] and offered["unanswered"] == ["edge1"], "not known is not none"


async def test_what_a_machine_can_be_told_and_what_stands_in_the_way_is_asked_of_its_gateway(tmp_path):
    async with stage(tmp_path) as on:

        async def look(machine, who="engineer"):
            head = {"Authorization": f"Bearer {on.tokens[who]}"}
            return await on.client.get(f"/api/v1/control/machines/{machine}", headers=head)

        await on.bench.is_seen("belt_101/mode", 2)
        found = (await look("belt_101")).json()
        (gateway,) = found["gateways"]
        assert (gateway["name"], gateway["answers"], gateway["mode"], gateway["signed_only"]) == (
            "edge1",
            True,
            "remote",
            True,
        )
        points = {each["point"].rpartition("/")[2]: each for each in found["points"]}
        told = [
            (each["name"]["zh"], each["effect"], each["safe"], each["persons"]) for each in points["command"]["tells"]
        ]
        assert told == [("启动", "start", False, 1), ("停止", "stop", True, 1), ("复位", "reset", False, 1)]
        (lock,) = points["command"]["interlocks"]
        (needs,) = lock["unless"]
        assert (lock["holds"], needs["wanted"], needs["now"], needs["name"]["zh"]) == (False, "= 1", 0.0, "running")
        assert lock["refuses"] == ["start"] and points["speed_set"]["tells"] == [] and points["speed_set"]["high"] == 8
        await on.bench.is_seen("belt_102/running", 1)
        (lock,) = next(each for each in (await look("belt_101")).json()["points"] if each["tells"])["interlocks"]
        assert lock["holds"] and lock["unless"][0]["now"] == 1
        (of_face,) = next(each for each in (await look("belt_101", "face")).json()["points"] if each["tells"])[
            "interlocks"
        ]
        (hidden,) = of_face["unless"]
        assert hidden["holds"] and (hidden["point"], hidden["now"], hidden["wanted"]) == ("", None, "")
        assert (await look("belt_102", "face")).status_code == 404 and (await look("nothing")).status_code == 404
        feeder = (await look("feeder_1")).json()["points"][0]
        assert {each["effect"]: each["persons"] for each in feeder["tells"]}["power_on"] == 2


async def test_of_a_machine_whose_gateway_is_away_nothing_is_known(tmp_path):
    async with mine_bus(tmp_path, CODE) as server, await server.connect("api") as bus:
        made = made_site(1)
        connect(tmp_path)
        app = build(Catalogue(made), LiveTable(made), bus, tmp_path)
        head = {"Authorization": f"Bearer {tokens.create_token(tmp_path, 'o', 'operator')}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            found = (await client.get("/api/v1/control/machines/feeder_1", headers=head)).json()
        (gateway,), (point,) = found["gateways"], found["points"]
        assert not gateway["answers"] and gateway["tags"] is None and gateway["signed_only"] is None
        assert not point["answers"] and point["interlocks"] is None and point["value"] is None and point["tells"]
