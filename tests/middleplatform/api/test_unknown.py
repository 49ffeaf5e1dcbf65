"""Commands of unknown outcome over the API, and what a person saw of them at the machine."""

from __future__ import annotations

import json

import pytest

from bus.errors import BusError
from middleplatform.audit.log import entries
from models.control.order import Act
from tests.gateway.control.benches import SPEED
from tests.gateway.sites import CODE
from tests.middleplatform.api.test_control import stage

pytestmark = pytest.mark.timeout(120)
WHERE = "/api/v1/control/unknown"


def head(on, who):
    return {"Authorization": f"Bearer {on.tokens[who]}"}


async def listed(on, machine="belt_101", who="operator"):
    answer = await on.client.get(WHERE, headers=head(on, who), params={"equipment": machine})
    assert answer.status_code == 200, answer.text
    return answer.json()["commands"]


async def settle(on, command, who="operator", point=SPEED, **more):
    given = {"point": point, "seen": "not_done", "reason": "现场查看未动作", **more}
    return await on.client.post(f"{WHERE}/{command}", headers=head(on, who), json=given)


@pytest.fixture
def mute(monkeypatch):
    """A gateway that carries out what it is told, and whose answer is lost."""

    def turn(on):
        bus = on.client._transport.app.state.bus
        asked = bus.request

        async def lost(*given):
            await asked(*given)
            raise BusError("no answer")

        monkeypatch.setattr(bus, "request", lost)

    yield turn
    monkeypatch.undo()


async def test_a_person_says_what_was_seen_and_it_is_told_with_their_name(tmp_path, mute, monkeypatch):
    async with stage(tmp_path) as on:
        bench, wang = on.bench, on.bench.person("王工", "operator")
        point = {"point": SPEED, "value": 2.5}
        selected = (await on.post(wang.sign(bench.order(Act.SELECT, **point)), "select")).json()
        execute = wang.sign(bench.order(Act.EXECUTE, **point, nonce=selected["nonce"]))
        mute(on)
        assert (await on.post(execute, "execute")).status_code == 503
        monkeypatch.undo()
        (one,) = await listed(on)
        assert (one["id"], one["point"], one["value"], one["settled"]) == (
            execute.order["id"],
            f"{CODE}/{SPEED}",
            2.5,
            None,
        )
        assert await listed(on, "belt_102") == []
        assert (await settle(on, one["id"], "engineer")).status_code == 403
        assert (await settle(on, "another")).status_code == 404
        assert (await settle(on, one["id"], point="belt_102/command")).status_code == 404
        assert (await settle(on, one["id"], reason="  ")).status_code == 400
        assert (await settle(on, one["id"], seen="perhaps")).status_code == 400
        assert not [each for each in entries(on.home) if each.what == "command.settle"]
        assert (await settle(on, one["id"])).status_code == 201
        assert (await settle(on, one["id"], seen="done", reason="再看：带速 2.5")).status_code == 201
        (one,) = await listed(on, who="engineer")
        assert (one["settled"]["seen"], one["settled"]["reason"]) == ("done", "再看：带速 2.5")
        assert one["settled"]["who"]
        told = [json.loads(each.after) for each in entries(on.home) if each.what == "command.settle"]
        assert [each["seen"] for each in told] == ["done", "not_done"], "nothing is overwritten"
        # The same order asked after: its first answer is its outcome, and nothing is unknown any more.
        assert (await on.post(execute, "execute")).json()["outcome"] == "done"
        assert await listed(on) == []


async def test_a_refusal_of_a_second_coming_says_nothing_of_the_first(tmp_path, mute, monkeypatch):
    async with stage(tmp_path) as on:
        bench, wang = on.bench, on.bench.person("王工", "operator")
        selected = (await on.post(wang.sign(bench.order(Act.SELECT, point=SPEED, value=3)), "select")).json()
        execute = wang.sign(bench.order(Act.EXECUTE, point=SPEED, value=3, nonce=selected["nonce"]))
        mute(on)
        assert (await on.post(execute, "execute")).status_code == 503
        monkeypatch.undo()
        forged = json.loads(execute.encode())
        forged["order"]["value"] = 4
        refused = (await on.post(json.dumps(forged).encode(), "execute")).json()
        assert refused["outcome"] == "refused" and refused["trace"][0]["check"] == "signature"
        assert [each["id"] for each in await listed(on)] == [execute.order["id"]]
        # What was refused at its first coming is known.
        again = wang.sign(bench.order(Act.EXECUTE, point=SPEED, value=3, nonce="none"))
        assert (await on.post(again, "execute")).json()["outcome"] == "refused"
        assert len(await listed(on)) == 1
