"""When alarms lasted, for the bands under curves."""

from __future__ import annotations

import httpx
import pytest

from middleplatform.access import tokens
from middleplatform.access.scope import Scope
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position
from tests.servers import CODE

SPEED, LEVEL, BELT = f"{CODE}/belt1/speed", f"{CODE}/pump1/level", f"{CODE}/belt1"
T = 1_790_000_000_000_000
HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def told(standing):
    def change(rule, subject, act, hours):
        return Change(rule, subject, act, T + round(hours * HOUR), rule_version=1, priority=2)

    rows = [
        change("old", SPEED, Act.RAISE, -900),
        change("fast", SPEED, Act.RAISE, -3),
        change("fast", SPEED, Act.RETURN, 1),
        change("fast", SPEED, Act.RAISE, 2),
        change("fast", SPEED, Act.RAISE, 2.5),
        change("cut", BELT, Act.RAISE, 3),
        change("cut", BELT, Act.RETURN, 4),
        change("full", LEVEL, Act.RAISE, 1),
        change("gone", SPEED, Act.RAISE, -5),
        change("gone", SPEED, Act.RETURN, -4),
    ]
    assert book.record(standing.home, CODE, Position("watch-alarms", "SAMPLES", 1, 1), rows)
    return standing


def intervals(stage, **asked):
    answer = stage.get("alarms/intervals", start=str(T), end=str(T + 10 * HOUR), **asked)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["truncated"] is False
    return {
        (each["rule"], *(None if at is None else round((at - T) / HOUR, 1) for at in (each["begin"], each["end"])))
        for each in body["intervals"]
    }


def test_they_begin_with_a_raise_and_end_with_the_return(told):
    assert intervals(told, point=SPEED) == {
        ("fast", -3.0, 1.0),  # began before the range
        ("fast", 2.0, None),  # raised again while it lasted: one interval, that goes on
        ("old", -900.0, None),  # so old that only its state tells of it
    }


def test_of_equipment_those_of_its_points_are_told_too(told):
    assert intervals(told, equipment="belt1") == intervals(told, point=SPEED) | {("cut", 3.0, 4.0)}
    assert intervals(told, equipment="pump1", point=SPEED) == intervals(told, point=SPEED) | {("full", 1.0, None)}
    assert intervals(told) == set()


def test_who_sees_a_part_of_the_mine_hears_nothing_of_the_rest(told):
    token = tokens.create_token(told.home, "east", "operator", scope=Scope.of({"areas": ["east"]}))
    with httpx.Client(base_url=told.url, headers={"Authorization": f"Bearer {token}"}) as client:
        seen = client.get("/api/v1/alarms/intervals", params={"equipment": "belt1", "start": str(T), "end": "now"})
        assert {each["rule"] for each in seen.json()["intervals"]} == {"fast", "cut", "old"}
        assert client.get("/api/v1/alarms/intervals", params={"equipment": "pump1"}).status_code == 404


def test_a_range_that_is_none_is_refused(told):
    assert told.get("alarms/intervals", start="now", end="-1h").status_code == 400
