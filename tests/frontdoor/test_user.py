"""`sevenones user` and the scope of `sevenones token`: what is done, and what is said to mistakes."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from middleplatform.access import lockout, tokens, users
from middleplatform.access.policies import policy_of
from middleplatform.access.policy import policy as base_policy
from sevenones.commands import policy, token, user


def run(app, home, *words):
    return CliRunner().invoke(app, [*words, "--home", str(home)], env={"COLUMNS": "200"})


def test_a_user_is_added_listed_changed_and_removed(tmp_path):
    added = run(user.app, tmp_path, "add", "olga", "--role", "administrator", "--areas", "east, face1")
    assert added.exit_code == 0
    found = users.check_password(tmp_path, "olga", added.output.strip())
    assert found.must_change and found.scope.as_json() == [{"areas": ["east", "face1"]}]
    listed = run(user.app, tmp_path, "list").output
    assert "olga" in listed and "administrator" in listed and "must change" in listed and "areas: east, face1" in listed
    assert run(user.app, tmp_path, "scope", "olga", "--classes", "statutory").exit_code == 0
    assert users.find_user(tmp_path, "olga").scope.as_json() == [{"classes": ["statutory"]}]
    assert "全部 · all" in run(user.app, tmp_path, "scope", "olga").output
    again = run(user.app, tmp_path, "password", "olga").output.strip()
    assert users.check_password(tmp_path, "olga", again).must_change
    for _ in range(base_policy().sign_in.failures):
        lockout.failed(tmp_path, "olga")
    assert "locked" in run(user.app, tmp_path, "list").output
    assert run(user.app, tmp_path, "unlock", "olga").exit_code == 0
    assert lockout.locked_s(tmp_path, "olga") == 0
    refused = run(user.app, tmp_path, "remove", "olga")
    assert refused.exit_code == 1 and "last administrator" in refused.output
    assert run(user.app, tmp_path, "add", "ivan", "--role", "administrator").exit_code == 0
    assert run(user.app, tmp_path, "role", "olga", "operator").exit_code == 0
    assert run(user.app, tmp_path, "remove", "olga").exit_code == 0
    assert [each.name for each in users.list_users(tmp_path)] == ["ivan"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "Olga"], "a-z"),
        (["add", "olga", "--role", "root"], "the role 'root'"),
        (["add", "olga", "--areas", "A b"], "a scope"),
        (["add", "olga", "--classes", "secret"], "bulk, statutory, events"),
        (["role", "nobody", "analyst"], "no user 'nobody'"),
        (["unlock", "nobody"], "no user 'nobody'"),
        (["password", "nobody"], "no user 'nobody'"),
    ],
)
def test_a_mistake_is_said_in_one_line(tmp_path, words, said):
    done = run(user.app, tmp_path, *words)
    assert done.exit_code == 1 and said in done.output and " · " in done.output
    assert users.list_users(tmp_path) == []


def test_a_token_is_made_with_a_scope(tmp_path):
    made = run(token.app, tmp_path, "create", "--name", "east", "--areas", "east", "--classes", "bulk")
    grant = tokens.verify_token(tmp_path, made.output.strip())
    assert grant.scope.as_json() == [{"areas": ["east"], "classes": ["bulk"]}]
    refused = run(token.app, tmp_path, "create", "--name", "x", "--mines", "A B")
    assert refused.exit_code == 1 and "a scope" in refused.output


def test_a_policy_is_shown_changed_and_set_back(tmp_path):
    run(user.app, tmp_path, "add", "olga", "--role", "administrator")
    file = tmp_path / "ours.yaml"
    file.write_text("roles: {operator: {add: [export.run]}}")
    assert run(policy.app, tmp_path, "apply", str(file)).exit_code == 0
    assert "export.run" in policy_of(tmp_path).roles["operator"]
    assert "export.run" in run(policy.app, tmp_path, "show").output
    file.write_text("roles: {administrator: {remove: [users.manage]}}")
    refused = run(policy.app, tmp_path, "apply", str(file))
    assert refused.exit_code == 1 and "locks every administrator out" in refused.output
    assert "export.run" in policy_of(tmp_path).roles["operator"], "what held before holds on"
    assert run(policy.app, tmp_path, "reset").exit_code == 0
    assert "export.run" not in policy_of(tmp_path).roles["operator"]
    missing = run(policy.app, tmp_path, "apply", str(tmp_path / "nothing.yaml"))
    assert missing.exit_code == 1 and "cannot read" in missing.output
