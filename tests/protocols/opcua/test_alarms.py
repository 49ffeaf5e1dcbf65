"""Alarms and events of a real server, and of what a server may make of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua

from protocols.adapter import Occurrence
from protocols.opcua.alarms import FIELDS, REFRESH_END, REFRESH_START, Alarms, Conditions
from protocols.opcua.settings import EventSettings
from tests.protocols.opcua.machine import Machine, tag
from tests.protocols.opcua.test_subscribe import running

T = 1_750_000_000_000_000


async def test_an_alarm_is_raised_acknowledged_and_cleared_as_versions_of_one_event(machine: Machine) -> None:
    now = time.time_ns() // 1000
    memory: dict[str, Any] = {}
    async with running(machine, [tag(0, "Speed")], memory, events={"equipment": "belt_101"}) as run:
        await run.until(lambda: run.rows(0))
        alarm = {"name": "Overload", "severity": 800, "message": "过载", "from": "server"}
        await machine.order(event={**alarm, "active": True, "time": now, "since": now})
        await machine.order(event={**alarm, "active": True, "acked": True, "time": now + 10, "since": now})
        await machine.order(event={**alarm, "active": False, "acked": True, "time": now + 30, "since": now + 20})
        await machine.order(event={"time": now + 40, "message": "door open", "severity": 10, "from": "server"})
        await run.until(lambda: len(run.events) == 4)
        raised, acked, cleared, door = run.events
        assert {told.key for told in (raised, acked, cleared)} == {raised.key} and door.key != raised.key
        assert [(told.kind, told.start, told.end) for told in run.events] == [
            ("alarm", now, None),
            ("alarm", now, None),
            ("alarm", now, now + 20),
            ("event", now + 40, now + 40),
        ]
        assert all(told.equipment == "belt_101" for told in run.events)
        assert raised.attributes == {
            "event_type": "OffNormalAlarmType",
            "source": "Machine",
            "source_node": "i=2253",
            "condition": "Overload",
            "message": "过载",
            "severity": 800,
            "active": True,
            "acked": False,
        }
        assert acked.attributes["acked"] is True and cleared.attributes["active"] is False
        assert run.adapter.counters()["events_total"] == 4 and run.adapter.counters()["malformed_events_total"] == 0
        await machine.set(Speed=4)
        await run.until(lambda: run.rows(0)[-1] == (4.0, 192))
    again = {**alarm, "active": True, "time": now + 50, "since": now + 50}
    async with running(
        machine, [tag(0, "Speed")], memory, events={"min_severity": 500, "sources": {"Machine": "b"}}
    ) as run:
        await run.until(lambda: run.rows(0))
        await machine.order(event={"time": now + 60, "message": "door open", "severity": 10, "from": "server"})
        await machine.order(event=again)
        await run.until(lambda: run.events)
        assert [(told.start, told.end, told.equipment) for told in run.events] == [(now + 50, None, "b")]
        assert run.events[0].key != raised.key, "raised again is another occurrence"


async def test_a_notifier_that_is_not_there_does_not_stop_the_values(machine: Machine) -> None:
    async with running(machine, [tag(0, "Speed")], events={"node": "nsu=urn:test:machine;s=Nothing"}) as run:
        await machine.set(Speed=3)
        await run.until(lambda: run.rows(0) and run.rows(0)[-1] == (3.0, 192))
        assert run.adapter.counters()["events_refused_total"] == 1


# ---- what a server may say, without one


def event(**more: Any) -> list[Any]:
    def when(us: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)

    plain: dict[str, Any] = {
        "event_id": b"\x01",
        "event_type": ua.NodeId(2915),
        "source_node": ua.NodeId("M", 1),
        "source": "M",
        "time": T,
        "severity": 500,
        "condition": "Hot",
        "condition_id": ua.NodeId("M.Hot", 1),
        "active": True,
    }
    got = plain | more
    for name in ("time", "active_since"):
        if isinstance(got.get(name), int):
            got[name] = when(got[name])
    return [ua.Variant(got.get(name)) for name, _, _ in FIELDS]


def alarms(conditions: Conditions | None = None, **settings: Any) -> Alarms:
    return Alarms(EventSettings(**settings), conditions or Conditions(), ["", "urn:own"], {ua.NodeId("M", 1): 3})


def ends(told: list[Occurrence]) -> list[tuple[int, int | None]]:
    return [(one.start, one.end) for one in told]


def test_without_a_transition_time_the_first_telling_is_the_start() -> None:
    made = alarms()
    first, second = made.tell(event(), T)[0], made.tell(event(time=T + 5, acked=True), T)[0]
    third = made.tell(event(time=T + 9, active=False), T)[0]
    later = made.tell(event(time=T + 12, active=False, acked=True), T)[0]
    assert {first.key, second.key, third.key, later.key} == {f"nsu=urn:own;s=M.Hot|{T}"}
    assert ends([first, second, third, later]) == [(T, None), (T, None), (T, T + 9), (T, T + 9)]
    assert first.tag == 3, "it belongs to the equipment of the tag that reads its source"
    assert made.tell(event(time=T + 20), T)[0].key == f"nsu=urn:own;s=M.Hot|{T + 20}"


def test_what_was_cleared_while_nobody_listened_gets_its_end() -> None:
    conditions = Conditions()
    alarms(conditions).tell(event(active_since=T), T)
    alarms(conditions).tell(event(condition_id=ua.NodeId("other", 1), active_since=T + 1), T)
    after = alarms(conditions)
    assert after.tell(event(event_type=REFRESH_START), T) == []
    assert ends(after.tell(event(active_since=T), T)) == [(T, None)]
    closed = after.tell(event(event_type=REFRESH_END, time=T + 100), T)
    assert ends(closed) == [(T + 1, T + 100)] and closed[0].attributes["end_seen"] is False
    assert after.tell(event(event_type=REFRESH_END, time=T + 200), T) == []
    raised = after.tell(event(active_since=T + 300, time=T + 300), T)
    assert ends(raised) == [(T, T + 300), (T + 300, None)], "cleared and raised again unheard"


def test_a_branch_tells_that_the_event_was_acknowledged_and_is_no_other_event() -> None:
    made, branch = alarms(), ua.NodeId("old", 1)
    raised = made.tell(event(active_since=T, acked=False), T)[0]
    assert made.tell(event(branch=branch, active_since=T, acked=False), T) == []
    closed = made.tell(event(active_since=T + 9, active=False, acked=True, severity=0), T)[0]
    assert closed.attributes["severity"] == 500, "the severity that it had"
    made = alarms(made._conditions)
    made._conditions.known[closed.key.rpartition("|")[0]].told.attributes["acked"] = False  # type: ignore[index]
    acked = made.tell(event(branch=branch, active_since=T, acked=True), T)[0]
    assert (acked.key, acked.start, acked.end) == (raised.key, T, T + 9) and acked.attributes["acked"] is True
    assert made.tell(event(branch=branch, active_since=T - 99, acked=True), T) == []


def test_an_inactive_alarm_of_which_nothing_is_known_is_over() -> None:
    assert ends(alarms().tell(event(active=False, active_since=T - 7), T)) == [(T - 7, T - 7)]


def test_mild_alarms_are_left_out_but_not_their_end() -> None:
    made = alarms(min_severity=600)
    assert made.tell(event(), T) == [] and made.tell(event(active=False), T) == []
    assert (
        made.tell(event(severity=700), T) and made.tell(event(active=False, severity=1, time=T + 3), T)[0].end == T + 3
    )


def test_the_memory_of_conditions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.opcua.alarms.MAX_CONDITIONS", 100)
    conditions = Conditions()
    made = alarms(conditions)
    made.tell(event(condition_id=ua.NodeId("first", 1)), T)
    for number in range(150):
        made.tell(event(condition_id=ua.NodeId(number, 1), active=False), T)
    assert len(conditions.known) == 100
    assert "nsu=urn:own;s=first" in conditions.known, "what is active is kept longest"


@pytest.mark.parametrize("wrong", [{"node": "ns=2;s=x"}, {"min_severity": 1001}, {"queue_size": 0}, {"what": 1}])
def test_wrong_event_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        EventSettings(**wrong)
