"""Users over their life, on both databases: the last administrator stays, and what was given ends with who gave it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from sqlalchemy import event

from middleplatform.access import lockout, passwords, tokens, users
from middleplatform.access.errors import AccessError
from middleplatform.access.policy import policy
from middleplatform.access.scope import EVERYTHING, Scope

EAST = Scope.of({"areas": ["east"]})


def test_a_users_life(place):
    users.create_user(place, "olga", "right horse", "administrator", EAST, must_change=True)
    users.create_user(place, "ivan", "right horse", "operator")
    (ivan, olga) = users.list_users(place)
    assert (olga.role, olga.scope, olga.must_change) == ("administrator", EAST, True)
    assert (ivan.role, ivan.scope, ivan.must_change) == ("operator", EVERYTHING, False)
    session = tokens.create_token(place, "sign-in", "operator", 1, "ivan")
    made = tokens.create_token(place, "script", "analyst", maker="ivan")
    users.set_scope(place, "ivan", EAST)
    users.set_role(place, "ivan", "engineer")
    grant = tokens.verify_token(place, session)
    assert (grant.role, grant.scope, grant.must_change) == ("engineer", EAST, False), "at once, where signed in"
    both = policy().roles["analyst"] & policy().roles["engineer"]
    assert tokens.verify_token(place, made).may == both != policy().roles["analyst"], "no more than its maker"
    users.set_password(place, "ivan", "other horse", must_change=True)
    assert tokens.verify_token(place, session) is None
    assert tokens.verify_token(place, tokens.create_token(place, "sign-in", "engineer", 1, "ivan")).must_change
    users.remove_user(place, "ivan")
    assert [user.name for user in users.list_users(place)] == ["olga"]
    for change in (users.remove_user, lambda *a: users.set_role(*a, "analyst"), lambda *a: users.set_scope(*a, EAST)):
        with pytest.raises(AccessError, match="no user 'ivan'"):
            change(place, "ivan")


def test_what_a_removed_user_made_opens_nothing_even_under_a_new_user_of_that_name(place):
    users.create_user(place, "olga", "right horse", "administrator")
    users.create_user(place, "ivan", "right horse", "administrator")
    made = tokens.create_token(place, "script", maker="ivan")
    session = tokens.create_token(place, "sign-in", days=1, user="ivan")
    users.remove_user(place, "ivan")
    users.create_user(place, "ivan", "other horse", "administrator")
    assert tokens.verify_token(place, made) is None
    assert tokens.verify_token(place, session) is None


def test_the_last_administrator_is_neither_removed_nor_demoted(place):
    users.create_user(place, "olga", "right horse", "administrator")
    users.create_user(place, "ivan", "right horse", "operator")
    made = tokens.create_token(place, "script", "administrator", maker="olga")
    for change in (lambda: users.remove_user(place, "olga"), lambda: users.set_role(place, "olga", "engineer")):
        with pytest.raises(users.LastAdministrator, match="last administrator"):
            change()
    assert users.find_user(place, "olga").role == "administrator"
    assert tokens.verify_token(place, made), "what was refused left nothing behind"
    users.remove_user(place, "ivan")
    users.create_user(place, "ivan", "right horse", "administrator")
    users.set_role(place, "olga", "engineer")
    assert "users.manage" not in tokens.verify_token(place, made).may


def test_the_last_administrator_who_sees_everything_goes_on_to(place):
    """Who manages within a part only neither sees nor helps those of the rest."""
    part = Scope.of({"areas": ["east"]})
    users.create_user(place, "olga", "right horse", "administrator")
    users.create_user(place, "ivan", "right horse", "administrator", part)
    for change in (
        lambda: users.set_scope(place, "olga", part),
        lambda: users.set_role(place, "olga", "engineer"),
        lambda: users.remove_user(place, "olga"),
    ):
        with pytest.raises(users.LastAdministrator, match="sees everything"):
            change()
    assert users.find_user(place, "olga").scope.everything
    users.set_scope(place, "ivan", Scope())
    users.set_scope(place, "olga", part)
    users.remove_user(place, "olga")


def test_role_and_scope_change_both_or_not_at_all(place):
    users.create_user(place, "olga", "right horse", "administrator")
    users.create_user(place, "ivan", "right horse", "administrator", EAST)
    with pytest.raises(users.LastAdministrator):
        users.change(place, "olga", role="administrator", scope=EAST)
    with pytest.raises(AccessError, match="king"):
        users.change(place, "ivan", role="king", scope=Scope())
    assert users.find_user(place, "olga").scope.everything and users.find_user(place, "ivan").scope == EAST
    users.change(place, "ivan", role="operator", scope=Scope())
    assert (users.find_user(place, "ivan").role, users.find_user(place, "ivan").scope) == ("operator", EVERYTHING)


def test_of_two_that_remove_each_other_at_once_one_stays(place):
    users.create_user(place, "olga", "right horse", "administrator")
    for turn in range(4):
        users.create_user(place, f"a{turn}", "right horse", "administrator")

    def remove(name: str) -> bool:
        try:
            users.remove_user(place, name)
        except users.LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        gone = list(pool.map(remove, ["olga", "a0", "a1", "a2", "a3"]))
    assert gone.count(False) == 1
    assert len(users.list_users(place)) == 1


class Clock:
    now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


def test_failures_in_a_row_lock_a_name_and_a_restart_forgets_nothing(place):
    clock, rule = Clock(), policy().sign_in
    for _ in range(rule.failures - 1):
        assert not lockout.failed(place, "olga", clock)
    assert lockout.locked_s(place, "olga", clock) == 0
    assert lockout.failed(place, "olga", clock), "this one locks"
    assert lockout.locked_s(place, "olga", clock) == rule.lock_us / 1e6
    assert lockout.locked_s(place, "ivan", clock) == 0, "others are not locked"
    clock.now += rule.lock_us
    assert lockout.locked_s(place, "olga", clock) == 0
    assert not lockout.failed(place, "olga", clock), "it starts anew"
    clock.now += rule.forget_us + 1
    for _ in range(rule.failures - 1):
        assert not lockout.failed(place, "olga", clock), "what is long ago does not count"
    lockout.unlock(place, "olga")
    assert not lockout.failed(place, "olga", clock)


def test_a_name_that_is_nobodys_locks_as_well(place):
    clock = Clock()
    assert [lockout.failed(place, "nobody", clock) for _ in range(policy().sign_in.failures)].count(True) == 1
    assert lockout.locked_s(place, "nobody", clock) > 0


def test_failures_at_once_are_all_counted(place):
    failures = policy().sign_in.failures
    with ThreadPoolExecutor(5) as pool:
        for name in (f"olga-{n}" for n in range(20)):  # the first failures of a name are those that can be lost
            assert list(pool.map(lambda _, name=name: lockout.failed(place, name), range(failures))).count(True) == 1


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # SQLite lets one write at a time
def test_a_first_failure_beside_another_first_one_is_counted(place):
    """Between the question whether the name failed of late and its first count, another process counts its own."""
    updates = []

    def between(_connection, _cursor, statement, *_more):
        if statement.startswith("UPDATE sign_in_failures"):
            updates.append(statement)
            if len(updates) == 2:
                lockout.failed(place, "olga")

    engine = lockout.connect(place)
    event.listen(engine, "before_cursor_execute", between)
    try:
        lockout.failed(place, "olga")
    finally:
        event.remove(engine, "before_cursor_execute", between)
    assert [lockout.failed(place, "olga") for _ in range(policy().sign_in.failures - 2)].count(True) == 1


def test_the_memory_of_names_is_bounded_and_keeps_the_locked(place, monkeypatch):
    monkeypatch.setattr(lockout, "MOST", 20)
    clock = Clock()
    for _ in range(policy().sign_in.failures):
        lockout.failed(place, "olga", clock)
    for index in range(40):
        clock.now += 1
        lockout.failed(place, f"n{index}", clock)
    assert lockout.locked_s(place, "olga", clock) > 0
    with lockout.connect(place).connect() as connection:
        kept = connection.execute(lockout.select(lockout.func.count()).select_from(lockout.table)).scalar_one()
    assert kept <= 21


def test_a_password_is_not_the_name():
    with pytest.raises(AccessError, match="not the user's name"):
        users._hash("olga-petrova", "Olga-Petrova")


COMMON = ["password", "Password1", "PASSWORD2026!", "admin12345", "sevenones", "12345678", "87654321", "qwertyuiop",
          "11111111", "abcdefgh", "abababab", "20261127", "1qaz2wsx", "woaini1314", "meikuang@2026",
          "管理员12345"]  # fmt: skip


@pytest.mark.parametrize("password", COMMON)
def test_a_password_that_anybody_would_try_first_is_refused_in_words(place, password):
    with pytest.raises(AccessError, match=r"最常用的密码之一.* · .*commonest"):
        users.create_user(place, "ivan", password, "operator")


@pytest.mark.parametrize("password", ["olga-2026-mine", "Mine.OLGA.77", "xxolgaxx"])
def test_a_password_that_holds_the_users_name_is_refused(place, password):
    users.create_user(place, "olga", "right horse", "administrator")
    with pytest.raises(AccessError, match="不得包含用户名"):
        users.set_password(place, "olga", password)
    assert users.check_password(place, "olga", "right horse"), "it is as it was"
    users.create_user(place, "ivan", password, "operator")


@pytest.mark.parametrize(
    "password", ["coal under the pines", "a mine of 7 hills", "tr4ktor-Wiese", "煤与风与水与灯光在井下"]
)
def test_what_nobody_would_try_first_is_taken(place, password):
    users.create_user(place, "li", password, "operator")


def test_the_list_is_dated_and_holds_nothing_twice():
    found = yaml.safe_load(passwords.FILE.read_text("utf-8"))
    assert found["date"] and found["source"]
    for name in ("words", "whole"):
        listed = [str(each) for each in found[name]]
        assert len(listed) == len(set(listed)) and all(each == each.casefold() for each in listed)
