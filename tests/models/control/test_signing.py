"""Signatures hold for exactly what was signed, by exactly whom the authority knows."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.control.canonical import canonical
from models.control.credential import Authority
from models.control.order import Act, Envelope, Order, others
from tests.models.control.persons import SITE, Issuer

ISSUER = Issuer()
WANG, LI = ISSUER.person("王工", "operator"), ISSUER.person("李工", "electrician")
ORDER = Order("c1", Act.EXECUTE, SITE, "edge1", "", 10**15, f"{SITE}/belt_101/command", value=1.5, nonce="n1")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
@settings(max_examples=40)
def test_the_form_of_bytes_outlives_any_way_of_passing_json_on(content):
    first = canonical(content)
    assert canonical(json.loads(first)) == first
    assert canonical(json.loads(json.dumps(content, indent=3))) == first


def test_whole_numbers_have_one_form_and_what_is_no_json_is_refused():
    assert canonical({"b": 3.0, "a": [1, True]}) == b'{"a":[1,true],"b":3}'
    for bad in (float("nan"), float("inf"), b"x", {1: 2}, "\ud800"):
        with pytest.raises(ValueError):
            canonical({"v": bad} if not isinstance(bad, dict) else bad)


def test_an_order_names_its_signer_and_may_be_signed_by_a_second_person():
    envelope = WANG.sign(ORDER)
    (person,) = envelope.persons(ISSUER.authority)
    assert (person.name, person.roles) == ("王工", ("operator",))
    both = Envelope.of_json(json.loads(LI.join(envelope).encode()))
    persons = both.persons(ISSUER.authority)
    assert [each.name for each in persons] == ["王工", "李工"] and others(persons) == persons[1:]
    assert others(WANG.join(envelope).persons(ISSUER.authority)) == (), "nobody is a second person beside oneself"
    again = ISSUER.person("王工", "operator")
    assert others(again.join(envelope).persons(ISSUER.authority)) == (), "nor with a second credential of one's own"
    assert Order.of_json(both.order).value == 1.5


def _changed(change):
    found = copy.deepcopy(WANG.sign(ORDER).as_json())
    change(found)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e["order"].update(value=1.6),
        lambda e: e["order"].update(point=f"{SITE}/belt_102/command"),
        lambda e: e["order"].update(deadline=10**15 + 1),
        lambda e: e["order"].update(gateway="edge2"),
        lambda e: e["order"].pop("nonce"),
        lambda e: e["order"].update(dry=False),
        lambda e: e["signatures"][0]["credential"]["statement"].update(roles=["dispatcher"]),
        lambda e: e["signatures"][0]["credential"]["statement"].update(not_after=1 << 61),
        lambda e: e["signatures"][0].update(credential=LI.credential),
        lambda e: e["signatures"].insert(0, LI.sign(ORDER).as_json()["signatures"][0]),
        lambda e: e["signatures"][0].update(credential=Issuer().person("王工", "operator").credential),
        lambda e: e["signatures"][0].update(credential=None),
    ],
)
def test_whatever_is_changed_on_the_way_is_noticed(change):
    with pytest.raises(ValueError):
        Envelope.of_json(_changed(change)).persons(ISSUER.authority)


def test_a_credential_of_another_site_is_none_here():
    foreign = Issuer("140581000001")
    with pytest.raises(ValueError, match="not 140581000000"):
        foreign.person("王工", "operator").sign(ORDER).persons(Authority(SITE, foreign.authority.key))


def test_a_signed_credential_cannot_be_shown_as_a_list_of_withdrawn_ones():
    with pytest.raises(ValueError, match="signature is wrong"):
        ISSUER.authority.withdrawn(WANG.credential)


@given(st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()))
@settings(max_examples=40)
def test_rubbish_is_refused_in_words_and_raises_nothing_else(data):
    try:
        found = json.loads(data)
    except ValueError:
        return
    for shape in (found, {"order": found, "signatures": found}, {"order": {}, "signatures": [found]}):
        with pytest.raises(ValueError):
            Envelope.of_json(shape).persons(ISSUER.authority)
    with pytest.raises(ValueError):
        Order.of_json(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"act": "dance"}, "none of"),
        ({"value": None}, "needs 'point' and 'value'"),
        ({"value": float("inf")}, "not a number"),
        ({"deadline": 0}, "time in"),
        ({"dry": 1}, "neither true nor false"),
        ({"colour": "red"}, "no 'colour'"),
        ({"act": "tag", "equipment": "e", "point": ""}, "reason"),
        ({"act": "untag", "equipment": "e", "point": "", "nonce": ""}, "tag's id"),
        ({"id": "x" * 65}, "'id'"),
    ],
)
def test_an_order_that_is_none_says_why(change, words):
    found = {**ORDER.as_json(), "serial": "s1", **change}
    with pytest.raises(ValueError, match=words):
        Order.of_json(found)
