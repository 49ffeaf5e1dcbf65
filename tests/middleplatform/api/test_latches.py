"""Which linkages are latched, asked of a real gateway over the API, and a restore on its way there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from bus import subjects
from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.live import LiveTable
from middleplatform.audit.log import entries, tell
from middleplatform.database.connect import connect
from models.control.order import Act, Order
from models.site.model import Conditions, Equipment, Name, Retention
from tests.gateway.linkage.ranges import CUT, at_least, path
from tests.gateway.linkage.test_restoring import CLOSES, Guarded
from tests.gateway.sites import CODE
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)
NEVER = replace(CUT, id="never", when=Conditions((at_least("ch4", 90),), every=False))
LIST = "/api/v1/control/linkages"


class Split(Guarded):
    """The methane is kept as the statutes ask, what is commanded is not; a machine stands elsewhere."""

    def site(self):
        made = super().site()
        away = Equipment("other", "t", Name("other", "other"), "roadway")
        kept = tuple(
            replace(each, retention=Retention.STATUTORY) if each.key == "ch4" else each for each in made.points
        )
        return replace(made, points=kept, equipment={**made.equipment, "other": away})


class Stage:
    def __init__(self, range_, home, client):
        self.range, self.home, self.client, self.count = range_, home, client, 0
        self.tokens = {role: tokens.create_token(home, role, role) for role in ("operator", "bureau")}
        self.tokens["away"] = tokens.create_token(home, "away", "operator", scope=Scope.of({"areas": ["roadway"]}))
        self.tokens["part"] = tokens.create_token(home, "part", "operator", scope=Scope.of({"classes": ["statutory"]}))

    async def get(self, who="operator", **query):
        head = {"Authorization": f"Bearer {self.tokens[who]}"}
        return await self.client.get(LIST, headers=head, params=query)

    async def cut(self, who="operator"):
        """The one linkage that cuts."""
        answer = await self.get(who)
        assert answer.status_code == 200, answer.text
        return next(each for each in answer.json()["linkages"] if each["id"] == "cut")

    async def restore(self, *persons, who="operator", rule="cut", **more):
        self.count += 1
        order = Order(id=f"a{self.count}", act=Act.RESTORE, site=CODE, gateway="edge1", serial="",
                      deadline=self.range.clock.now() + 5_000_000, equipment=rule, reason="已排放", **more)  # fmt: skip
        signed = persons[0].sign(order)
        for person in persons[1:]:
            signed = person.join(signed)
        head = {"Authorization": f"Bearer {self.tokens[who]}", "Content-Type": "application/json"}
        return await self.client.post("/api/v1/control/restore", content=signed.encode(), headers=head)


@asynccontextmanager
async def stage(tmp_path, *rules, answers=True):
    async with (
        mine_bus(tmp_path, CODE) as server,
        Split(tmp_path / "edge", *rules) as range_,
        await server.connect("gateway-edge1") as edge,
        await server.connect("api") as bus,
    ):
        if answers:
            await edge.answer(subjects.command(CODE, "edge1"), range_.orders.answer)
        made = range_.site()
        connect(tmp_path)
        app = build(Catalogue(made), LiveTable(made), bus, tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            yield Stage(range_, tmp_path, client)


async def test_a_latched_linkage_is_told_and_restored_as_its_gateway_has_it(tmp_path):
    async with stage(tmp_path, CLOSES, NEVER) as on:
        at_rest = (await on.get()).json()
        assert at_rest["gateways"] == [{"name": "edge1", "answers": True, "trouble": None}]
        assert [(each["id"], each["tripped"]) for each in at_rest["linkages"]] == [("cut", []), ("never", [])]
        await on.range.trips_and_clears()
        cut = await on.cut()
        (tripped,) = cut["tripped"]
        assert (tripped["gateway"], tripped["held"], tripped["holding"], tripped["refusal"]) == (
            "edge1",
            True,
            False,
            None,
        )
        assert [(each["point"], each["state"]["zh"]) for each in cut["trips"]] == [(path("command"), "分")]
        assert [(each["point"], each["state"]["zh"]) for each in cut["restores"]] == [(path("command"), "合")]
        # A safety monitor may restore, and not switch on; two persons switch on.
        assert (cut["roles"], cut["persons"], cut["whole"], cut["known"]) == (["dispatcher"], 2, True, True)
        (needs,) = tripped["restore"]
        assert (needs["wanted"], needs["now"], needs["holds"]) == ("< 1", 0.3, True) and needs["ts"] > 0
        assert (await on.get(equipment="e")).json()["linkages"][0]["id"] == "cut"
        assert (await on.get(equipment="other")).json()["linkages"] == []
        assert (await on.get(equipment="nothing")).status_code == 404
        assert (await on.get("away")).json()["linkages"] == []
        wu, li = on.range.person("吴长", "dispatcher"), on.range.person("李工", "electrician")
        assert (await on.restore(wu, li, who="bureau")).status_code == 403
        assert (await on.restore(wu, li, who="away")).status_code == 404
        alone = (await on.restore(wu)).json()
        assert alone["outcome"] == "refused" and alone["trace"][-1]["check"] == "second"
        assert (await on.restore(wu, li)).json()["outcome"] == "done"
        assert (await on.cut())["tripped"] == []
        assert [each.what for each in entries(on.home) if each.about == "cut"] == ["command.end", "command.ask"] * 2


async def test_what_keeps_it_latched_is_told_without_what_is_anothers_to_see(tmp_path):
    async with stage(tmp_path, CUT) as on:
        on.range.methane(1.7)
        await on.range.until(lambda: "cut" in on.range.linkages.latches.tripped)
        (tripped,) = (await on.cut())["tripped"]
        assert tripped["holding"] and "ch4 < 1" in tripped["refusal"]["en"] and tripped["when"][0]["now"] == 1.7
        seen = await on.cut("part")
        (tripped,) = seen["tripped"]
        assert not seen["whole"] and seen["trips"][0]["point"] == "" and seen["trips"][0]["value"] is None
        assert "ch4" not in tripped["refusal"]["en"] and tripped["when"][0]["now"] == 1.7


async def test_a_latch_whose_rule_is_gone_is_told_and_restored(tmp_path):
    async with stage(tmp_path, CUT) as on:
        await on.range.trips_and_clears()
        on.client._transport.app.state.catalogue.site = replace(on.range.site(), linkages=())
        cut = await on.cut()
        assert not cut["known"] and len(cut["tripped"]) == 1 and cut["trips"][0]["point"] == path("command")
        safety = on.range.person("周工", "safety")
        assert (await on.restore(safety, who="away")).status_code == 404
        assert (await on.restore(safety, rule="never")).status_code == 404
        assert (await on.restore(safety)).json()["outcome"] == "done"


async def test_what_is_latched_and_what_nobody_knows_is_signed_for_at_a_hand_over(tmp_path):
    async with stage(tmp_path, CUT) as on:

        async def ask(method, where, who="operator", **body):
            head = {"Authorization": f"Bearer {on.tokens[who]}"}
            answer = await on.client.request(method, f"/api/v1/shifts/{where}", headers=head, json=body or None)
            assert answer.status_code < 300, answer.text
            return answer.json()

        asked = {"order": {"act": "execute", "id": "lost", "point": path("command"), "value": 1}, "gateway": "edge1"}
        tell(on.home, "command.ask", path("command"), after=asked, who="wang", origin="test")
        tell(on.home, "command.end", path("command"), after={"id": "lost"}, who="wang", origin="test")
        assert (await ask("GET", "open"))["open"]["linkages"] == []
        await on.range.trips_and_clears()
        offered = await ask("POST", "handovers", words="回风侧断电")
        for found in (offered, await ask("GET", f"handovers/{offered['id']}")):
            (latch,), (lost,) = found["open"]["linkages"], found["open"]["unknown"]
            assert (latch["id"], latch["gateway"], latch["subjects"]) == ("cut", "edge1", [path("command")])
            assert latch["name"]["zh"] and latch["since"] > 0 and not latch["doubt"]
            assert (lost["id"], lost["who"], lost["value"], lost["subjects"]) == ("lost", "wang", 1, [path("command")])
        # Who does not see what is locked out is told how much there is, and nothing of it.
        part = await ask("GET", "open", "away")
        assert part["open"]["linkages"] == [] and part["hidden"] >= 2
        safety = on.range.person("周工", "safety")
        assert (await on.restore(safety)).json()["outcome"] == "done"
        looked = await ask("GET", f"handovers/{offered['id']}")
        assert [each["id"] for each in looked["changed"]["gone"]["linkages"]] == ["cut"]


async def test_what_is_latched_at_a_gateway_that_is_away_is_not_known_and_not_none(tmp_path):
    async with stage(tmp_path, CUT, answers=False) as on:
        head = {"Authorization": f"Bearer {on.tokens['operator']}"}
        found = (await on.client.get("/api/v1/shifts/open", headers=head)).json()
        assert found["unanswered"] == ["edge1"]


async def test_of_a_gateway_that_is_away_it_is_not_known_what_is_latched(tmp_path):
    async with stage(tmp_path, CUT, answers=False) as on:
        found = (await on.get()).json()
        assert found["gateways"] == [{"name": "edge1", "answers": False, "trouble": None}]
        assert found["linkages"][0]["tripped"] == []
