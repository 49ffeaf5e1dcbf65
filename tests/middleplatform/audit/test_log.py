"""What is written to the audit log, by whom, and that it is there exactly when the act is."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from middleplatform.access import lockout, policies, tokens, users
from middleplatform.access.errors import AccessError
from middleplatform.access.scope import Scope
from middleplatform.audit.actor import COMMAND_LINE, Actor, act_as, acting
from middleplatform.audit.log import LONGEST, MAX_FACTS, entries, head, tell
from middleplatform.audit.verify import verify
from middleplatform.database import Place, connect
from middleplatform.database.tables.audit import audit

PASSWORD = "a right horse"


def acts(place: Place) -> list[tuple[str, str]]:
    return [(each.what, each.about) for each in reversed(entries(place, limit=1000))]


def test_every_change_of_who_may_come_in_is_there_in_its_order(place: Place) -> None:
    users.create_user(place, "olga", PASSWORD, "administrator")
    users.create_user(place, "petr", PASSWORD, "operator")
    users.set_role(place, "petr", "analyst")
    users.set_scope(place, "petr", Scope.of({"areas": ["east"]}))
    users.set_password(place, "petr", PASSWORD + "!")
    lockout.failed(place, "petr")
    lockout.unlock(place, "petr")
    lockout.unlock(place, "petr")
    made = tokens.create_token(place, "reader", "analyst")
    number = tokens.list_tokens(place)[0].id
    tokens.create_token(place, "sign-in", "analyst", 1, "petr")
    tokens.revoke_token(place, number)
    tokens.revoke_token(place, number)
    policies.apply_policy(place, "roles: {operator: {add: [export.run]}}", "olga")
    users.remove_user(place, "petr")
    assert acts(place) == [
        ("user.add", "olga"),
        ("user.add", "petr"),
        ("user.role", "petr"),
        ("user.scope", "petr"),
        ("user.password", "petr"),
        ("sign_in.fail", "petr"),
        ("user.unlock", "petr"),
        ("token.add", str(number)),
        ("session.begin", "petr"),
        ("token.revoke", str(number)),
        ("policy.change", "roles"),
        ("user.remove", "petr"),
    ]
    role = entries(place, what="user.role")[0]
    assert json.loads(role.before or "")["role"] == "operator"
    assert json.loads(role.after or "")["role"] == "analyst"
    said = " ".join(f"{each.before}{each.after}" for each in entries(place, limit=1000))
    assert made not in said
    assert PASSWORD not in said
    assert "$argon2" not in said
    assert verify(place).whole


def test_what_was_refused_is_not_told_as_done(place: Place) -> None:
    users.create_user(place, "olga", PASSWORD, "administrator")
    before = head(place)
    for refused in (
        lambda: users.remove_user(place, "olga"),
        lambda: users.set_role(place, "olga", "operator"),
        lambda: users.create_user(place, "olga", PASSWORD),
        lambda: users.set_scope(place, "nobody", Scope.of({"areas": ["east"]})),
        lambda: policies.apply_policy(place, "roles: {administrator: {remove: [users.manage]}}", "olga"),
    ):
        with pytest.raises(AccessError):
            refused()
    assert head(place) == before


def test_many_that_write_at_once_make_one_chain(place: Place) -> None:
    connect(place)

    def write(who: int) -> None:
        for number in range(5):
            tell(place, "test.act", f"{who}-{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    found = entries(place, limit=100)
    assert [each.number for each in found] == list(range(30, 0, -1))
    assert {each.about for each in found} == {f"{who}-{number}" for who in range(6) for number in range(5)}
    assert verify(place).whole


def test_the_database_itself_refuses_to_change_or_delete(place: Place) -> None:
    tell(place, "test.act", "one")
    refused = [update(audit).values(who="nobody"), delete(audit)]
    refused += [text("TRUNCATE audit")] if isinstance(place, str) else []
    for statement in refused:
        with pytest.raises(DBAPIError, match="append-only"), connect(place).begin() as connection:
            connection.execute(statement)
    assert verify(place).whole


def test_hostile_and_long_texts_are_kept_bounded_and_the_chain_holds(place: Place) -> None:
    tell(
        place,
        "test.act",
        "a\0b\ud800" + "x" * 1000,
        who="w" * 1000,
        after={"text": "\0\ud800", "more": "y" * MAX_FACTS},
    )
    tell(place, "test.act", "Größe 煤", after={"text": "\0 \ud800 煤"})
    newest, first = entries(place)
    assert len(first.about) == LONGEST["about"]
    assert first.about.startswith("a�b?")
    assert len(first.who) == LONGEST["who"]
    assert set(json.loads(first.after or "")) == {"characters", "sha256"}
    assert newest.about == "Größe 煤"
    assert verify(place).whole


def test_who_acts_is_known_in_threads_and_by_default_is_the_login(tmp_path: Path) -> None:
    assert acting().origin == COMMAND_LINE
    seen = []

    def inside() -> None:
        act_as(Actor("olga", "10.0.0.7"))
        tell(tmp_path, "test.act", "one")
        seen.append(acting())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [Actor("olga", "10.0.0.7")]
    assert acting().origin == COMMAND_LINE, "another thread's actor is not ours"
    entry = entries(tmp_path)[0]
    assert (entry.who, entry.origin) == ("olga", "10.0.0.7")


def test_entries_are_found_by_who_what_whom_and_when(place: Place) -> None:
    for number in range(1, 7):
        tell(place, "user.add" if number % 2 else "user_xadd", f"n{number}", who="a" if number < 4 else "b")
    assert [each.number for each in entries(place, what="user.")] == [5, 3, 1]
    assert [each.number for each in entries(place, who="b", limit=2)] == [6, 5]
    assert [each.number for each in entries(place, before=3)] == [2, 1]
    assert [each.number for each in entries(place, about="n4")] == [4]
    assert [entries(place, **{field: "n\0\ud800"}) for field in ("who", "what", "about")] == [[], [], []]
    at = [each.at for each in reversed(entries(place))]
    assert {each.at for each in entries(place, start=at[2], end=at[5])} == {
        each for each in at if at[2] <= each < at[5]
    }
