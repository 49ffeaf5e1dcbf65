"""A mine's own changes to the policy: what they do, and that none of them locks every administrator out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.access import tokens, users
from middleplatform.access.errors import AccessError
from middleplatform.access.policies import NO_CHANGE, apply_policy, policy_of, versions
from middleplatform.access.policy import MANAGE, ROLES, policy


def test_every_role_has_words_and_known_permissions_and_one_manages():
    found = policy()
    assert tuple(found.roles) == ROLES
    assert all(words["zh"] and words["en"] for words in found.permissions.values())
    assert all(may <= set(found.permissions) for may in found.roles.values())
    assert found.managing() == ["administrator"]
    assert set(found.permissions) == set().union(*found.roles.values()), "no permission that nobody has"


def test_a_change_holds_for_tokens_that_are_there(place):
    token = tokens.create_token(place, "desk", "operator")
    assert "export.run" not in tokens.verify_token(place, token).may
    apply_policy(place, "roles: {operator: {add: [export.run], remove: [manual.write]}}", "olga")
    may = tokens.verify_token(place, token).may
    assert "export.run" in may and "manual.write" not in may and "live.read" in may
    apply_policy(place, NO_CHANGE, "olga")
    assert policy_of(place) == policy()
    assert [(each.number, each.author) for each in versions(place)] == [(1, "olga"), (2, "olga")]


def test_a_policy_that_locks_every_administrator_out_is_refused(place):
    users.create_user(place, "olga", "right horse", "administrator")
    with pytest.raises(AccessError, match="locks every administrator out"):
        apply_policy(place, f"roles: {{administrator: {{remove: [{MANAGE}]}}}}", "olga")
    shifted = f"roles: {{administrator: {{remove: [{MANAGE}]}}, engineer: {{add: [{MANAGE}]}}}}"
    with pytest.raises(AccessError, match="no user has a role"):
        apply_policy(place, shifted, "olga")
    assert versions(place) == [] and policy_of(place) == policy(), "what is refused leaves nothing"
    users.create_user(place, "ivan", "right horse", "engineer")
    apply_policy(place, shifted, "olga")
    with pytest.raises(users.LastAdministrator):
        users.remove_user(place, "ivan")
    users.remove_user(place, "olga")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds roles"), ("[]", "holds roles"), ("roles: 3", "holds roles"), ("roles: {}\nmore: 1", "holds roles"),
        ("roles: {root: {add: []}}", "no role 'root'"), ("roles: {operator: [x]}", "takes add and remove"),
        ("roles: {operator: {add: x}}", "is a list"), ("roles: {operator: {add: [everything]}}", "no permission"),
        ("roles: {operator: {add: [live.read]}}", "already has"), ("roles: {operator: {remove: [sql.run]}}", "has no"),
        ("roles: {", "is YAML"), ("x" * 20_000, "at most"), ("roles: {operator: {add: [[]]}}", "no permission"),
        ("!!python/object/apply:os.system [ls]", "is YAML"), ("[" * 5_000, "is YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(text, said):
    with pytest.raises(AccessError, match=said):
        policy().changed(text)


names = st.sampled_from(list(policy().permissions))
change = st.fixed_dictionaries({}, optional={"add": st.lists(names, max_size=4), "remove": st.lists(names, max_size=4)})


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(ROLES), change, max_size=5))
def test_whatever_is_taken_leaves_somebody_who_manages(changes):
    try:
        found = policy().changed(json.dumps({"roles": changes}))
    except AccessError:
        return
    assert found.managing()
    for role in ROLES:
        added, removed = (set(changes.get(role, {}).get(act, ())) for act in ("add", "remove"))
        assert found.roles[role] == (policy().roles[role] - removed) | added


def test_what_roles_may_is_told_as_it_holds_and_what_this_mine_changed(alone):
    with alone.client("admin") as client:
        before = client.get("/api/v1/roles").json()
        assert before["changed"] is None and [each["id"] for each in before["roles"]] == list(ROLES)
        assert {each["id"] for each in before["permissions"]} == set(policy().permissions)
        apply_policy(alone.home, "roles: {operator: {add: [export.run], remove: [manual.write]}}", "olga")
        after = client.get("/api/v1/roles").json()
    operator = after["roles"][0]
    assert (operator["added"], operator["removed"]) == (["export.run"], ["manual.write"])
    assert "export.run" in operator["may"] and "manual.write" not in operator["may"]
    assert after["changed"]["who"] == "olga" and operator["name"]["zh"] == "调度员"
