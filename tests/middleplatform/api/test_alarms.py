"""Alarms over the API: who sees which, and what people do about them."""

from __future__ import annotations

import json
import time
from itertools import count

import pytest
from websockets.sync.client import connect

from middleplatform.access import tokens, users
from middleplatform.access.scope import Scope
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Kind, Position
from tests.servers import CODE

SPEED, LEVEL, BELT = f"{CODE}/belt1/speed", f"{CODE}/pump1/level", f"{CODE}/belt1"
SEQUENCE = count(1)


def record(home, *changes):
    assert book.record(home, CODE, Position("watch-alarms", "SAMPLES", 1, next(SEQUENCE)), changes)


def change(rule, subject, act=Act.RAISE, ts=None, **more):
    ts = time.time_ns() // 1000 if ts is None else ts
    return Change(rule, subject, act, ts, **{"rule_version": 1, "priority": 2, **more})


@pytest.fixture(scope="module")
def callers(standing):
    """Tokens of users, and within a scope."""
    home, east = standing.home, Scope.of({"areas": ["east"]})
    for name, role in (("anna", "operator"), ("emil", "engineer"), ("erik", "engineer")):
        users.create_user(home, name, "right horse", role)
    return {
        "anna": tokens.create_token(home, "sign-in", "operator", 1, "anna"),
        "emil": tokens.create_token(home, "tool", "engineer", 1, maker="emil"),
        "east": tokens.create_token(home, "east", "operator", scope=east),
        "statutory": tokens.create_token(home, "law", "bureau", scope=Scope.of({"classes": ["statutory"]})),
        "analyst": tokens.create_token(home, "analyst", "analyst"),
    }


@pytest.fixture
def ask(standing, callers):
    def asked(who, method, path="", **body):
        with standing.client(None) as client:
            client.headers["Authorization"] = f"Bearer {callers[who]}"
            more = {"json": body} if method == "POST" else {"params": body}
            return client.request(method, f"/api/v1/alarms{path}", **more)

    return asked


@pytest.fixture
def named(standing, ask):
    """Three alarms of rules of their own, by name: `fast` at a belt in the east wing, `full` at a pump, which is law,
    and `cut` at the belt, which is the consequence of `fast`."""
    mark = f"r{next(SEQUENCE)}"
    fast, full, cut = ((f"{mark}.{name}", subject) for name, subject in
                       (("fast", SPEED), ("full", LEVEL), ("cut", BELT)))  # fmt: skip
    record(
        standing.home,
        change(*fast, value=6.0, quality=192, priority=3),
        change(*full, priority=1, statutory=True),
        change(*cut, kind=Kind.POWER_CUT, cause=fast, priority=2),
    )
    found = {
        each["rule"].partition(".")[2]: each for each in ask("anna", "GET").json()["alarms"] if mark in each["rule"]
    }
    assert set(found) == {"fast", "full", "cut"}
    return found


def rules(answer):
    return {each["id"] for each in answer.json()["alarms"]}


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_they_are_listed_and_filtered_the_most_urgent_first(ask, named):
    ours = {name: each["id"] for name, each in named.items()}
    listed = [each["id"] for each in ask("anna", "GET").json()["alarms"] if each["id"] in ours.values()]
    assert listed == [ours["full"], ours["cut"], ours["fast"]]
    fast = named["fast"]
    assert (fast["value"], fast["unit"], named["full"]["value"]) == (6.0, "m/s", None)
    assert (fast["name"]["zh"], fast["equipment"]["id"], fast["area"]["id"]) == ("带速", "belt1", "face1")
    assert (named["cut"]["cause"], named["cut"]["kind"]) == (fast["id"], "power_cut")
    for query, expected in (
        ({"area": "east"}, {"fast", "cut"}),
        ({"area": "sump"}, {"full"}),
        ({"equipment": "belt1", "kind": "alarm"}, {"fast"}),
        ({"priority": 1}, {"full"}),
        ({"state": "unacknowledged"}, set(ours)),
        ({"state": "acknowledged"}, set()),
        ({"suppressed": "yes"}, set()),
    ):
        found = rules(ask("anna", "GET", **query)) & set(ours.values())
        assert found == {ours[name] for name in expected}, query
    assert code(ask("anna", "GET", area="nowhere")) == (404, "unknown_area")
    assert code(ask("anna", "GET", area="nowhere", colour="red"))[0] == 400


def test_what_is_out_of_scope_does_not_exist(standing, ask, named):
    fast, full, cut = (named[name]["id"] for name in ("fast", "full", "cut"))
    seen = ask("east", "GET").json()
    assert {each["id"] for each in seen["alarms"]} >= {fast, cut} and full not in {
        each["id"] for each in seen["alarms"]
    }
    assert seen["counts"]["open"] < ask("anna", "GET").json()["counts"]["open"]
    assert {each["id"] for each in ask("statutory", "GET").json()["alarms"]} & {fast, full, cut} == set()
    assert code(ask("east", "GET", f"/{full}")) == (404, "unknown_alarm")
    assert code(ask("east", "GET", "/journal", alarm=full)) == (404, "unknown_alarm")
    assert LEVEL not in {each["subject"] for each in ask("east", "GET", "/journal").json()["entries"]}
    for path in (f"/{full}/shelve", f"/{full}/unshelve", f"/{full}/reset"):
        assert (
            code(ask("east", "POST", path, **({"reason": "x", "end": "1h"} if path.endswith("/shelve") else {})))[0]
            == 404
        )
    assert code(ask("east", "POST", "/acknowledge", alarms=[fast, full])) == (404, "unknown_alarm")
    assert ask("anna", "GET", f"/{fast}").json()["state"] == "unacknowledged", "all or nothing"
    raised = ask("anna", "GET", "/journal", alarm=full).json()["entries"][0]["number"]
    assert code(ask("east", "POST", f"/raises/{raised}/handling", cause="x", measure="y")) == (404, "unknown_raise")
    # A cause beyond the scope is not named either.
    record(standing.home, change("follows", SPEED, cause=(named["full"]["rule"], LEVEL)))
    (follows,) = (each for each in ask("east", "GET").json()["alarms"] if each["rule"] == "follows")
    assert follows["cause"] is None and ask("anna", "GET", f"/{follows['id']}").json()["cause"] == full


def test_one_or_many_are_acknowledged_once_with_who_and_note(ask, named):
    numbers = [each["id"] for each in named.values()]
    assert ask("anna", "POST", "/acknowledge", alarms=numbers, note="seen").json()["acknowledged"] == sorted(numbers)
    assert ask("emil", "POST", "/acknowledge", alarms=numbers).json()["acknowledged"] == []
    assert {ask("anna", "GET", f"/{number}").json()["state"] for number in numbers} == {"acknowledged"}
    entry = ask("anna", "GET", "/journal", alarm=numbers[0]).json()["entries"][0]
    assert (entry["what"], entry["who"], entry["note"]) == ("acknowledge", "anna", "seen")
    assert code(ask("analyst", "POST", "/acknowledge", alarms=numbers)) == (403, "forbidden")
    assert code(ask("anna", "POST", "/acknowledge", alarms=numbers, seen=[1])) == (400, "invalid_seen")


def test_what_was_raised_again_is_not_acknowledged_by_one_who_did_not_see_it(standing, ask, named):
    fast, cut = named["fast"], named["cut"]
    record(standing.home, change(fast["rule"], SPEED, ts=fast["since"] + 1_000_000))
    given = {"alarms": [fast["id"], cut["id"]], "seen": [fast["since"], cut["since"]]}
    assert ask("anna", "POST", "/acknowledge", **given).json()["acknowledged"] == [cut["id"]]
    assert ask("anna", "GET", f"/{fast['id']}").json()["state"] == "unacknowledged"


def test_shelving_needs_an_end_and_never_takes_what_is_law(ask, named):
    fast, full = named["fast"]["id"], named["full"]["id"]
    shelved = ask("anna", "POST", f"/{fast}/shelve", reason="sensor is calibrated", end="30m")
    assert shelved.json()["suppressed"] == ["shelved"]
    assert fast not in rules(ask("anna", "GET")) and fast in rules(ask("anna", "GET", suppressed="yes"))
    assert code(ask("anna", "POST", f"/{fast}/shelve", reason="again", end="30m")) == (409, "suppressed_already")
    assert code(ask("anna", "POST", f"/{full}/shelve", reason="noise", end="30m")) == (409, "statutory_alarm")
    assert code(ask("anna", "POST", f"/{fast}/shelve", reason="noise"))[0] == 400
    assert code(ask("anna", "POST", f"/{fast}/shelve", reason="noise", end="-30m")) == (400, "end_passed")
    assert code(ask("anna", "POST", f"/{named['cut']['id']}/shelve", reason="x", end="13h")) == (400, "end_too_far")
    assert ask("anna", "POST", f"/{fast}/unshelve").json()["suppressed"] == []
    assert code(ask("anna", "POST", f"/{fast}/unshelve")) == (409, "not_suppressed")
    assert [each["what"] for each in ask("anna", "GET", "/journal", alarm=fast).json()["entries"]] == [
        "unsuppress",
        "suppress",
        "raise",
    ]


def test_the_engineer_takes_out_of_service_and_suppresses_by_design(ask, named):
    full = named["full"]["id"]
    assert code(ask("anna", "POST", f"/{full}/out-of-service", reason="x")) == (403, "forbidden")
    given = {"reason": "sensor replaced", "ticket": 999_999, "end": "2h", "allowed_by": "erik"}
    assert code(ask("emil", "POST", f"/{full}/out-of-service", **given)) == (404, "unknown_ticket")
    ends = {"end": "2h", "allowed_by": "erik"}
    for wrong, refused in (
        ({"end": None}, (400, "no_end")),
        ({"end": "5000w"}, (400, "end_too_far")),
        ({"allowed_by": None}, (409, "not_allowed_by")),
        ({"allowed_by": "emil"}, (409, "not_allowed_by")),
        ({"allowed_by": "anna"}, (404, "unknown_approver")),
        ({"allowed_by": "nobody"}, (404, "unknown_approver")),
    ):
        for act in ("out-of-service", "suppress"):
            assert code(ask("emil", "POST", f"/{full}/{act}", **{"reason": "x", **ends, **wrong})) == refused
    done = ask("emil", "POST", f"/{full}/out-of-service", reason="x", **ends)
    assert done.json()["suppressed"] == ["out_of_service"]
    both = ask("emil", "POST", f"/{full}/suppress", reason="standstill", **ends).json()["suppressed"]
    assert sorted(both) == ["by_design", "out_of_service"]
    ask("emil", "POST", f"/{full}/in-service")
    assert ask("emil", "POST", f"/{full}/unsuppress").json()["suppressed"] == []
    assert ask("anna", "GET", "/journal", alarm=full).json()["entries"][0]["who"] == "emil"


def test_one_at_rest_that_is_suppressed_stays_in_sight_with_who_why_and_until_when(standing, ask, named):
    """It will say nothing when it comes, so somebody has to see that."""
    fast = named["fast"]["id"]
    ask("anna", "POST", "/acknowledge", alarms=[fast])
    record(standing.home, change(named["fast"]["rule"], SPEED, act=Act.RETURN))
    assert fast not in rules(ask("anna", "GET", suppressed="all")), "at rest and not suppressed it is in no list"
    before = ask("anna", "GET", "/groups").json()["counts"]["suppressed"]
    assert ask("emil", "POST", f"/{fast}/out-of-service", reason="belt is rebuilt", end="+2h").status_code == 200
    (found,) = (each for each in ask("anna", "GET", suppressed="yes").json()["alarms"] if each["id"] == fast)
    assert (found["state"], found["suppressed"]) == ("normal", ["out_of_service"])
    (held,) = found["suppressions"]
    assert (held["who"], held["reason"], held["allowed_by"]) == ("emil", "belt is rebuilt", None)
    assert held["until"] - held["since"] == pytest.approx(7_200e6, abs=60e6)
    assert fast not in rules(ask("anna", "GET")), "it is not open"
    assert ask("anna", "GET", "/groups").json()["counts"]["suppressed"] == before + 1
    again = ask("emil", "POST", f"/{fast}/out-of-service", reason="longer", end="4h")
    assert code(again) == (409, "suppressed_already") and "in-service" in again.json()["error"]["message"]
    ask("emil", "POST", f"/{fast}/in-service")
    assert fast not in rules(ask("anna", "GET", suppressed="all"))


def test_a_latched_alarm_is_reset_once_the_process_has_returned(standing, ask, named):
    fast = (named["fast"]["rule"], SPEED)
    number = named["fast"]["id"]
    assert code(ask("anna", "POST", f"/{number}/reset")) == (409, "still_active")
    assert code(ask("anna", "POST", f"/{named['full']['id']}/reset", note="too early")) == (409, "still_active")
    record(standing.home, change(*fast, act=Act.RETURN, latched=True))
    assert ask("anna", "GET", f"/{number}").json()["state"] == "latched_unacknowledged"
    ask("anna", "POST", "/acknowledge", alarms=[number])
    assert ask("anna", "POST", f"/{number}/reset", note="looked at it").json()["state"] == "normal"
    assert number not in rules(ask("anna", "GET")) and number in rules(ask("anna", "GET", resting=True))


def test_each_raise_has_its_handling(ask, named):
    cut = named["cut"]["id"]
    (raised,) = ask("anna", "GET", "/journal", alarm=cut).json()["entries"]
    given = {"cause": "methane at T1", "measure": "ventilated, power on by the shift leader"}
    made = ask("anna", "POST", f"/raises/{raised['number']}/handling", **given)
    assert made.status_code == 201
    (entry,) = ask("anna", "GET", "/journal", alarm=cut).json()["entries"]
    assert [(each["who"], each["cause"]) for each in entry["handlings"]] == [("anna", "methane at T1")]
    assert code(ask("anna", "POST", "/raises/999999/handling", **given)) == (404, "unknown_raise")
    assert code(ask("anna", "POST", f"/raises/{raised['number']}/handling", cause=" ", measure="x"))[0] == 400


def test_the_journal_is_paged_and_bounded_in_time(standing, ask):
    for ts in (1_000, 2_000, 3_000):
        record(standing.home, change("old", SPEED, ts=ts))
    (alarm,) = {each["id"] for each in ask("anna", "GET").json()["alarms"] if each["rule"] == "old"}
    found, before = [], None
    while True:
        more = {} if before is None else {"before": before}
        page = ask("anna", "GET", "/journal", alarm=alarm, limit=2, **more).json()
        found += [each["ts"] for each in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert found == [3_000, 2_000, 1_000]
    bounded = ask("anna", "GET", "/journal", alarm=alarm, start="1500", end="3000").json()["entries"]
    assert [each["ts"] for each in bounded] == [2_000]


def test_groups_and_figures_know_the_callers_part_alone(standing, ask, named):
    record(standing.home, *(change(f"flood{n}", SPEED) for n in range(12)))
    found = ask("anna", "GET", "/groups").json()
    by_head = {each["head"]["id"]: each for each in found["groups"]}
    assert by_head[named["fast"]["id"]]["alarms"] == [named["cut"]["id"], named["fast"]["id"]]
    assert found["flood"]["peak"] >= 12 and found["watch"] == {
        "alive": False,
        "deaf": False,
        "behind": False,
        "failing": False,
    }
    east = ask("east", "GET", "/groups").json()
    assert LEVEL not in {each["head"]["subject"] for each in east["groups"]} and east["flood"] is None
    assert {each["head"]["area"]["id"] for each in ask("anna", "GET", "/groups", area="sump").json()["groups"]} == {
        "sump"
    }
    whole, part = (ask(who, "GET", "/performance").json() for who in ("anna", "east"))
    assert whole["raises"] > part["raises"] >= 14
    assert LEVEL not in {each["subject"] for each in part["top_ten"]}
    assert code(ask("anna", "GET", "/performance", start="-200d")) == (400, "too_long")


def test_every_machine_in_alarm_is_told_whatever_group_and_page_its_alarms_are_on(standing, ask, named):
    record(standing.home, change("pump follows", LEVEL, priority=1, cause=(named["fast"]["rule"], SPEED)))
    found = ask("anna", "GET", "/groups", limit=1).json()
    assert len(found["groups"]) == 1 < found["total"]
    alarms = ask("anna", "GET").json()["alarms"]
    for machine in ("belt1", "pump1"):
        those = [each["priority"] for each in alarms if each["equipment"] and each["equipment"]["id"] == machine]
        assert found["equipment"][machine] == {"priority": min(those), "count": len(those)}
    assert "pump1" not in ask("east", "GET", "/groups").json()["equipment"], "it is out of scope"


def test_what_the_watch_says_of_itself_stands_beside_the_alarms(standing, ask, named):
    watch = standing.app.state.watch
    beat = {"deaf": True, "behind": False, "chattering": [[named["fast"]["rule"], SPEED]]}
    for heartbeat in (b"rubbish", b"[]", b'{"deaf": 1}'):
        watch.take(heartbeat, time.time_ns() // 1000)
        assert ask("anna", "GET").json()["watch"]["alive"] is False
    watch.take(json.dumps(beat).encode(), time.time_ns() // 1000)
    try:
        found = ask("anna", "GET").json()
        assert found["watch"] == {"alive": True, "deaf": True, "behind": False, "failing": False}
        assert [each["id"] for each in found["alarms"] if each["chattering"]] == [named["fast"]["id"]]
    finally:
        standing.app.state.watch = type(watch)()


def test_a_rule_that_is_younger_than_the_api_has_its_name_from_the_watch(standing, ask):
    new, link = ("own.belt_drags", SPEED), ("connection.silent", f"{CODE}/connection:younger_than_the_api")
    record(standing.home, change(*new), change(*link))
    watch = standing.app.state.watch
    beat = {"deaf": False, "behind": False, "chattering": [], "names": {new[0]: ["带速偏低", "Belt runs slowly"]}}

    def called():
        return {each["rule"]: each["rule_name"] for each in ask("anna", "GET").json()["alarms"]}

    assert called()[new[0]]["zh"] == new[0] and called()[link[0]]["zh"] == "通信中断"
    watch.take(json.dumps(beat | {"names": {new[0]: "rubbish"}}).encode(), time.time_ns() // 1000)
    assert called()[new[0]]["zh"] == new[0]
    watch.take(json.dumps(beat).encode(), time.time_ns() // 1000)
    try:
        assert called()[new[0]] == {"zh": "带速偏低", "en": "Belt runs slowly"}
    finally:
        standing.app.state.watch = type(watch)()


def test_health_knows_whether_the_watch_lives_and_how_far_behind_it_is(standing):
    def health():
        with standing.client(None) as client:
            found = client.get("/api/v1/health").json()
        troubles = [words for words in found["degraded"] if words.startswith("watch")]
        return found["watch"], found["watch_behind_s"], troubles

    assert health() == (False, None, ["watch: no sign of life, alarms are not judged"])
    beat = {"deaf": False, "behind": True, "behind_s": 2.0, "chattering": [], "failing": None}
    try:
        for more, lives, words in (
            ({}, True, []),
            ({"behind_s": 95.0}, True, ["it is 95 s behind"]),
            ({"failing": "the password is secret"}, False, ["alarms cannot be kept"]),
            ({"broken": 2}, True, ["2 messages could not be judged"]),
            ({"refused": 1, "outdated": True}, True, ["1 changes of alarms could not be kept", "older rules"]),
        ):
            standing.app.state.watch.take(json.dumps(beat | more).encode(), time.time_ns() // 1000)
            alive, behind, troubles = health()
            assert (alive, behind, len(troubles)) == (lives, more.get("behind_s", 2.0), len(words))
            assert all(word in told for word, told in zip(words, troubles, strict=True))
            assert "secret" not in str(troubles)
    finally:
        standing.app.state.watch = type(standing.app.state.watch)()


def test_the_board_comes_over_a_socket_when_it_is_another_one(standing, callers, named):
    url = standing.url.replace("http", "ws") + "/api/v1/alarms/stream"
    with connect(url) as socket:
        socket.send(json.dumps({"token": callers["east"]}))
        socket.send(json.dumps({"subscribe": {"area": "east"}}))
        first = json.loads(socket.recv(10))
        assert first["snapshot"] and first["board"]["total"] >= 1
        subjects = {each["head"]["subject"] for each in first["board"]["groups"]}
        assert subjects and not [each for each in subjects if "pump1" in each]
        assert set(json.loads(socket.recv(10))) == {"t"}, "nothing changed"
        record(standing.home, change("over the socket", SPEED))
        heads = set()
        while "over the socket" not in heads:
            frame = json.loads(socket.recv(10))
            heads = {each["head"]["rule"] for each in frame.get("board", {"groups": []})["groups"]}
            assert "snapshot" not in frame
        socket.send(json.dumps({"subscribe": {"area": "sump"}}))
        while "error" not in frame:
            frame = json.loads(socket.recv(10))
        assert frame["error"]["code"] == "unknown_area"
    for wanted, expected in (({"colour": 1}, "invalid_subscription"), ({"area": 5}, "invalid_subscription")):
        with connect(url, additional_headers={"Authorization": f"Bearer {callers['anna']}"}) as socket:
            socket.send(json.dumps({"subscribe": wanted}))
            assert json.loads(socket.recv(10))["error"]["code"] == expected
