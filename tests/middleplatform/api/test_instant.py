"""What the mine was at an instant that is past: values as live would have told them, and the alarms of then."""

from __future__ import annotations

import time
from itertools import count

import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.alarms.watched import extend
from middleplatform.database import connect
from tests.middleplatform.api.build import CODE, SILENCE_S, batch
from tests.middleplatform.api.stage import threaded, until, whole

SECOND = 1_000_000
SEQUENCE = count(1_000)
SPEED, LEVEL = f"{CODE}/belt1/speed", f"{CODE}/pump1/level"


def by_point(told):
    names = ("value", "quality", "ts", "manual")
    return {
        point: dict(zip(names, row, strict=True))
        for point, *row in zip(told["point"], *(told[name] for name in names), strict=True)
    }


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One of its own: what others sent of the same points would be what they last said."""
    home = tmp_path_factory.mktemp("instant")
    with threaded(lambda loop: whole(home, loop)) as stage:
        yield stage


@pytest.fixture(scope="module")
def then(platform):
    """A moment of which the store knows: the belt had just spoken, the pump was silent for too long."""
    at = time.time_ns() // 1000 - 3_600 * SECOND
    silent = at - int(2 * SILENCE_S * SECOND) - 1
    rows = (
        ("belt1/speed", at - SECOND, 2.5, 192),
        ("belt1/speed", at + 1, 9.0, 192),
        ("pump1/level", silent, 7.0, 192),
    )
    platform.send(batch(platform.next_number(), *rows))
    until(lambda: platform.get("live/at", time=at, point="belt1/speed").json()["value"] == [2.5])
    return at


def test_values_are_those_of_the_instant_and_old_ones_are_stale(platform, then):
    told = platform.get("live/at", time=then).json()
    values = by_point(told)
    assert values[SPEED] == {"value": 2.5, "quality": 192, "ts": then - SECOND, "manual": False}
    assert (values[LEVEL]["value"], values[LEVEL]["quality"]) == (7.0, 20), "known, and stale as live would tell it"
    assert values[f"{CODE}/pump1/flow"] == {"value": None, "quality": 32, "ts": None, "manual": False}
    assert (told["ts_us"], told["incomplete"], told["text"], len(told["point"])) == (then, False, None, 6)
    later = by_point(platform.get("live/at", time=then + 1, equipment="belt1").json())
    assert later[SPEED]["value"] == 9.0 and LEVEL not in later
    earlier = by_point(platform.get("live/at", time=then - 2 * SECOND).json())
    assert (earlier[SPEED]["quality"], earlier[LEVEL]["quality"]) == (32, 192)


def test_a_time_that_is_to_come_or_none_is_refused_in_words(platform):
    for asked, code in (("2199-01-01T00:00:00Z", "still_to_come"), ("yesterday", "invalid_time")):
        for path in ("live/at", "alarms/at"):
            answer = platform.get(path, time=asked)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
            assert answer.json()["error"]["message_zh"]
    assert platform.get("live/at").status_code == 400
    assert platform.get("live/at", time="now", point="belt1/nothing").status_code == 404


def test_of_another_wing_nothing_is_told(platform, then):
    token = tokens.create_token(platform.home, "then", "operator", scope=Scope.of({"areas": ["east"]}))
    with platform.client(None) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        told = client.get("/api/v1/live/at", params={"time": then}).json()
        assert {point.split("/")[1] for point in told["point"]} == {"belt1"}
        assert client.get("/api/v1/live/at", params={"time": then, "equipment": "pump1"}).status_code == 404


def test_the_alarms_are_those_that_stood_then(platform):
    now = time.time_ns() // 1000
    at = [now - seconds * SECOND for seconds in (500, 400, 300, 200)]

    def record(act, ts, subject=SPEED, **more):
        changes = [Change("then.fast", subject, act, ts, 1, 2, **more)]
        assert book.record(platform.home, CODE, Position("then", "SAMPLES", 1, next(SEQUENCE)), changes)

    record(Act.RAISE, at[0], value=6.5)
    record(Act.RAISE, at[1], LEVEL, late=True)
    record(Act.ESCALATE, at[1], level=1)
    record(Act.RETURN, at[2])
    with connect(platform.home).begin() as connection:
        extend(connection, CODE, at[0], at[3])

    def stood(instant):
        told = platform.get("alarms/at", time=instant).json()
        return told["watched"], [
            (each["subject"], each["state"], each["value"], each["level"], each["since"])
            for each in told["alarms"]
            if each["rule"] == "then.fast"
        ]

    assert stood(at[0] - SECOND) == (False, [])
    assert stood(at[0]) == (True, [(SPEED, "unacknowledged", 6.5, 0, at[0])])
    assert stood(at[1]) == (True, [(SPEED, "unacknowledged", 6.5, 1, at[0])])
    assert stood(at[2]) == (True, [(SPEED, "returned_unacknowledged", 6.5, 1, at[0])])
    number = next(each["id"] for each in platform.get("alarms").json()["alarms"] if each["rule"] == "then.fast")
    with platform.client("admin") as client:
        assert client.post("/api/v1/alarms/acknowledge", json={"alarms": [number]}).status_code == 200
    assert stood(at[2])[1], "what was acknowledged later stood then"
    assert stood("now")[1] == []
