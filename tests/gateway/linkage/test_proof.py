"""Only a person whose signature, role and scope say so restores, and only the rule that was signed."""

from __future__ import annotations

import json

import pytest

from bus import authority
from gateway.control.verifier import Verifier
from gateway.linkage.proof import Proof
from gateway.linkage.restoring import NotProved
from gateway.orders import Orders
from models.control.order import Act, Order
from tests.gateway.linkage.ranges import Range
from tests.gateway.sites import CODE

NOW = 1_790_000_000_000_000


class Persons:
    def __init__(self, folder, now=NOW):
        self.folder, self.now, self.count = folder, now, 0
        authority.init(folder, CODE)

    def order(self, person, roles, rule="cut", signed_for=None, machines=(), **more):
        """An order to restore `rule`, signed by `person` for `signed_for`."""
        if not (self.folder / person).exists():
            authority.issue(self.folder, person, list(roles), self.folder / person, self.now, **more)
        self.count += 1
        order = Order(id=f"r{self.count}", act=Act.RESTORE, site=CODE, gateway="edge1", serial="",
                      deadline=self.now + 5_000_000, equipment=signed_for or rule, reason="已排放")  # fmt: skip
        return {"restore": rule, "signed": authority.signer(self.folder / person).sign(order).as_json()}


@pytest.fixture
def persons(tmp_path):
    return Persons(tmp_path)


@pytest.fixture
def proof(tmp_path):
    where = {"feeder_1": ("face", "mine"), "feeder_2": ("heading", "mine")}
    return Proof(Verifier.of(tmp_path), CODE, "edge1", lambda: NOW, lambda _: where)


def refused(proof, order):
    with pytest.raises(NotProved) as caught:
        proof(order)
    assert caught.value.reason.zh
    return caught.value.reason.en


def test_a_signed_order_of_a_role_that_may_is_believed_once(persons, proof):
    order = persons.order("王工", ["safety"])
    assert proof(order) == "王工"
    assert "come before" in refused(proof, order)


def test_every_other_is_refused(persons, proof):
    assert "not authentic" in refused(proof, {"restore": "cut"})
    assert "not authentic" in refused(proof, {"restore": "cut", "who": "王工", "signed": {"order": {}}})
    assert "not to restore 'other'" in refused(proof, persons.order("王工", ["safety"], "other", signed_for="cut"))
    assert "may not restore" in refused(proof, persons.order("李工", ["operator"]))
    assert "outside the scope" in refused(proof, persons.order("赵工", ["safety"], areas=["face"]))
    forged = persons.order("王工", ["safety"])
    forged["signed"]["order"]["equipment"] = "spray"
    assert "not authentic" in refused(proof, {**forged, "restore": "spray"})


async def test_a_tripped_rule_is_restored_by_a_signature_alone(tmp_path):
    async with Range(tmp_path) as range_:
        persons = Persons(tmp_path, range_.clock.now())
        linkages = range_.linkages
        linkages.verify = Proof(Verifier.of(tmp_path), CODE, "edge1", range_.clock.now, linkages.machines)
        range_.methane(1.7)
        await range_.until(lambda: "cut" in linkages.latches.tripped)
        range_.methane(0.3)
        await range_.until(lambda: linkages._judge.value[0] == 0.3)
        persons.now = range_.clock.now()
        assert (await linkages.order({"restore": "cut", "who": "王工"}))["outcome"] == "refused"
        orders = Orders(range_.devices, range_.writer, range_.clock, restore=linkages.order)
        assert "error" in json.loads(await orders.answer("", b'{"restore": 7}'))
        answer = json.loads(await orders.answer("", json.dumps(persons.order("王工", ["safety"])).encode()))
        assert answer["outcome"] == "done", answer
        assert range_.told("restore")[0].attributes["who"] == "王工"
