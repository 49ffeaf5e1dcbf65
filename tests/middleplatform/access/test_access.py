"""Users and tokens: what is kept opens nothing, what is over holds no more, and guessing is slow."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.access import tokens, users
from middleplatform.access.errors import AccessError
from middleplatform.access.scope import Scope
from middleplatform.access.throttle import FORGET_S, LONGEST_S, Throttle


class TokenClock:
    """Both of the clocks that tokens go by, moved by the test alone."""

    def __init__(self) -> None:
        self.now_s = 1_795_420_800.0

    def monotonic(self) -> float:
        return self.now_s

    def time_ns(self) -> int:
        return round(self.now_s * 1e9)


@pytest.fixture
def clock(monkeypatch) -> TokenClock:
    clock = TokenClock()
    monkeypatch.setattr(tokens, "time", clock)
    return clock


def everything(home) -> bytes:
    """All bytes of the database's files."""
    return b"".join(path.read_bytes() for path in sorted(home.iterdir()))


def test_neither_token_nor_password_is_kept(tmp_path):
    token = tokens.create_token(tmp_path, "script")
    users.create_user(tmp_path, "olga", "right horse")
    kept = everything(tmp_path)
    assert token.encode() not in kept
    assert token.removeprefix("so_").encode() not in kept
    assert b"right horse" not in kept
    assert b"$argon2id$" in kept
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_token_opens_until_it_is_revoked(tmp_path):
    token = tokens.create_token(tmp_path, "script", role="administrator")
    grant = tokens.verify_token(tmp_path, token)
    assert (grant.name, grant.role, grant.user) == ("script", "administrator", None)
    assert tokens.revoke_token(tmp_path, grant.id)
    assert tokens.verify_token(tmp_path, token) is None
    assert not tokens.revoke_token(tmp_path, 999)
    (facts,) = tokens.list_tokens(tmp_path)
    assert facts.revoked is not None
    assert token not in repr(facts)


def test_a_token_ends_by_itself(tmp_path, clock):
    token = tokens.create_token(tmp_path, "short", days=1 / 86_400)
    verifier = tokens.Verifier(tmp_path, cache_s=60)
    assert verifier.verify(token)
    clock.now_s += 1.1
    assert tokens.verify_token(tmp_path, token) is None
    assert verifier.verify(token) is None, "the memory does not outlive the token"


def test_a_revocation_holds_at_once_here_and_soon_elsewhere(tmp_path, clock):
    token = tokens.create_token(tmp_path, "script")
    here, elsewhere = tokens.Verifier(tmp_path), tokens.Verifier(tmp_path, cache_s=0.3)
    assert here.verify(token) and elsewhere.verify(token)
    tokens.revoke_token(tmp_path, 1)
    here.forget()
    assert here.verify(token) is None
    assert elsewhere.verify(token) is not None, "the memory is there"
    clock.now_s += 0.4
    assert elsewhere.verify(token) is None


@settings(max_examples=50, deadline=None)  # the first of them makes the tables
@given(st.text() | st.from_regex(r"so_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_other_words_are_no_tokens(tmp_path_factory, word):
    home = tmp_path_factory.getbasetemp() / "words"
    home.mkdir(exist_ok=True)
    assert tokens.Verifier(home).verify(word) is None


def test_a_password_opens_only_its_user(tmp_path):
    users.create_user(tmp_path, "olga", "right horse", role="administrator")
    users.create_user(tmp_path, "ivan", "other horse")
    assert users.check_password(tmp_path, "olga", "right horse").role == "administrator"
    assert users.check_password(tmp_path, "ivan", "right horse") is None
    assert users.check_password(tmp_path, "nobody", "right horse") is None
    assert users.check_password(tmp_path, "olga", "right horse\0") is None
    assert users.check_password(tmp_path, "olga", "\ud800") is None


def test_a_new_password_ends_what_was_signed_in(tmp_path):
    users.create_user(tmp_path, "olga", "right horse")
    session = tokens.create_token(tmp_path, "sign-in", days=1, user="olga")
    script = tokens.create_token(tmp_path, "script")
    users.set_password(tmp_path, "olga", "newer horse")
    assert users.check_password(tmp_path, "olga", "right horse") is None
    assert users.check_password(tmp_path, "olga", "newer horse").role == "analyst"
    assert tokens.verify_token(tmp_path, session) is None
    assert tokens.verify_token(tmp_path, script)


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [("Olga", "right horse", "analyst"), ("", "right horse", "analyst"), ("o'x", "right horse", "analyst"),
     ("olga", "short", "analyst"), ("olga", "x" * 201, "analyst"), ("olga", "right horse", "root")],
)  # fmt: skip
def test_a_user_that_cannot_be_is_refused(tmp_path, name, password, role):
    with pytest.raises(AccessError):
        users.create_user(tmp_path, name, password, role)


def test_a_name_is_taken_once_and_a_wrong_token_is_refused(tmp_path):
    users.create_user(tmp_path, "olga", "right horse")
    with pytest.raises(AccessError, match="already"):
        users.create_user(tmp_path, "olga", "right horse")
    for wrong in ({"name": ""}, {"name": "x", "days": 0}, {"name": "x", "days": -1}, {"name": "x", "role": "root"}):
        with pytest.raises(AccessError):
            tokens.create_token(tmp_path, **wrong)


def test_a_database_by_url_serves_as_well(tmp_path):
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    token = tokens.create_token(url, "script")
    assert tokens.verify_token(url, token)
    assert sqlite3.connect(tmp_path / "elsewhere.db").execute("SELECT count(*) FROM tokens").fetchone() == (1,)


def _create(home, count):
    for index in range(count):
        tokens.create_token(home, f"t{index}")


def test_two_processes_may_make_tokens_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_create, args=(tmp_path, 20)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert len(tokens.list_tokens(tmp_path)) == 60


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_guessing_is_slow():
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(5):
        assert throttle.begin({"olga": 5}) == 0
    assert throttle.begin({"olga": 5}) > 0, "the sixth waits"
    assert throttle.begin({"ivan": 5}) == 0, "others do not"
    tries, began = 0, clock.now
    while clock.now - began < 3600:
        wait = throttle.begin({"olga": 5})
        tries += wait == 0
        clock.now += wait or 0.001
    assert tries < 3600 / LONGEST_S + 12
    clock.now += FORGET_S + LONGEST_S
    assert throttle.begin({"olga": 5}) == 0
    throttle.succeeded(["olga"])
    assert [throttle.begin({"olga": 5}) for _ in range(5)] == [0.0] * 5


def test_the_memory_of_attempts_is_bounded():
    throttle = Throttle(Clock())
    for index in range(30_000):
        throttle.begin({index: 1})
    assert len(throttle._records) <= 10_000


def test_a_made_token_sees_what_its_maker_sees_and_no_more(tmp_path):
    users.create_user(tmp_path, "olga", "right horse", role="administrator", scope=Scope.of({"areas": ["east"]}))
    token = tokens.create_token(tmp_path, "script", maker="olga", scope=Scope.of({"areas": ["west"]}))
    grant = tokens.verify_token(tmp_path, token)
    assert grant.scope.as_json() == [{"areas": ["east"]}, {"areas": ["west"]}], "both hold: nothing is seen"
    users.set_scope(tmp_path, "olga", Scope.of({"classes": ["bulk"]}))
    assert tokens.verify_token(tmp_path, token).scope.as_json() == [{"classes": ["bulk"]}, {"areas": ["west"]}]


def test_a_scope_that_cannot_be_read_opens_nothing(tmp_path):
    token = tokens.create_token(tmp_path, "script")
    with sqlite3.connect(tmp_path / "platform.db") as database:
        database.execute("UPDATE tokens SET scope = '[{\"zones\": []}]'")
    assert tokens.verify_token(tmp_path, token) is None


def test_a_password_is_dear_to_guess():
    """In a process of its own, as this one hashes cheaply."""
    program = "from middleplatform.access.users import _hasher; print(_hasher.hash('right horse'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
