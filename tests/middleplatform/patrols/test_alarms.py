"""Overdue patrols in the book of alarms: raised once, returned by a check-in, acknowledged like any other."""

from __future__ import annotations

import asyncio

from middleplatform.alarms import book
from middleplatform.alarms.acts import acknowledge
from middleplatform.alarms.condition import Act, State
from middleplatform.patrols.alarms import RULE, judge, raise_overdue
from middleplatform.patrols.checkins import Checkins
from middleplatform.store.client import StoreUnavailable
from tests.middleplatform.database.conftest import place
from tests.middleplatform.patrols.test_overdue import HOUR, OLD, at
from tests.middleplatform.patrols.test_overdue import site as chambers
from tests.postgres import postgres

__all__ = ["place", "postgres"]
MINE = "140525000099"


def site():
    found = chambers(OLD)
    found.code = MINE
    return found


def test_an_overdue_patrol_is_raised_once_and_returned_by_a_check_in(place):
    morning, one = at("2026-11-20T08:00"), site()
    assert judge(place, one, {"room": morning}, morning + 8 * HOUR) == []
    (raised,) = judge(place, one, {"room": morning}, morning + 9 * HOUR)
    assert raised.note == "硐室应于 11-20 16:00 由甲队巡检 · room: due 11-20 16:00, by a"
    assert judge(place, one, {"room": morning}, morning + 10 * HOUR) == []
    (alarm,) = book.alarms_of(place, MINE)
    assert (alarm.rule, alarm.subject, alarm.state) == (RULE, "m/pump", State.UNACKNOWLEDGED)
    acknowledge(place, MINE, [alarm.id], "王工")
    (returned,) = judge(place, one, {"room": morning + 10 * HOUR}, morning + 11 * HOUR)
    assert returned.act is Act.RETURN and book.alarms_of(place, MINE) == []
    judge(place, one, {"room": morning + 10 * HOUR}, morning + 30 * HOUR)
    one.chambers = {}  # the chamber is given up
    (gone,) = judge(place, one, {}, morning + 31 * HOUR)
    assert gone.act is Act.RETURN
    assert [each.what for each in reversed(book.entries(place, MINE))] == [
        Act.RAISE, Act.ACKNOWLEDGE, Act.RETURN, Act.RAISE, Act.RETURN,
    ]  # fmt: skip


def test_where_no_check_in_is_known_the_alarm_names_no_hour_that_nobody_knows(place):
    (raised,) = judge(place, site(), {}, at("2026-11-20T08:00"))
    assert raised.note == "硐室最近 16 小时没有甲队的签到 · room: no check-in by a within 16 h"


def test_a_platform_that_began_with_the_mine_raises_none_before_one_interval(place):
    begun, one = at("2026-11-20T08:00"), site()
    assert judge(place, one, {}, begun, begun) == []
    assert judge(place, one, {}, begun + 8 * HOUR, begun) == []
    (raised,) = judge(place, one, {}, begun + 9 * HOUR, begun)
    assert raised.note == "硐室最近 9 小时没有甲队的签到 · room: no check-in by a within 9 h"


async def test_a_site_that_gave_up_its_chambers_returns_what_was_overdue(tmp_path):
    one = site()
    judge(tmp_path, one, {}, at("2026-11-20T08:00"))
    assert [each.state for each in book.alarms_of(tmp_path, MINE)] == [State.UNACKNOWLEDGED]
    one.chambers = {}

    async def ask(question):
        raise AssertionError("there is nothing to ask the store")

    task = asyncio.create_task(raise_overdue(ask, tmp_path, one, look_s=0.02))
    try:
        async with asyncio.timeout(30):
            while book.active(tmp_path, MINE):
                await asyncio.sleep(0.02)
        assert not task.done(), "what ends beside the serving is told as a fault"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_while_the_store_is_away_nothing_is_raised_and_afterwards_it_is(tmp_path):
    away, asked = [True], asyncio.Event()

    async def ask(question):
        asked.set()
        if away[0]:
            raise StoreUnavailable("no store")
        return Checkins()

    task = asyncio.create_task(raise_overdue(ask, tmp_path, site(), look_s=0.02))
    try:
        async with asyncio.timeout(30):
            await asked.wait()
            asked.clear()
            await asked.wait()
            assert book.alarms_of(tmp_path, MINE) == []
            away[0] = False
            while not book.alarms_of(tmp_path, MINE):
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
