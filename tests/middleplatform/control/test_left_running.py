"""A belt that an aborted start left running is an alarm, until it is seen to stand or is run by somebody's will."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import update

from middleplatform.alarms import book as alarms
from middleplatform.alarms.acts import acknowledge
from middleplatform.alarms.condition import Act, State
from middleplatform.api.alarm_sight import OWN
from middleplatform.control import book
from middleplatform.control.book import Wish
from middleplatform.control.left_running import PRIORITY, RULE
from middleplatform.control.progress import Deed, Phase
from middleplatform.control.stopping import UNSEEN_US, give_back, judge, left, look_back
from middleplatform.database import connect
from middleplatform.database.tables.sequences import sequence_runs as runs
from models.command import Outcome
from tests.middleplatform.control.plant import NAMES, Fate, Plant, start_line
from tests.middleplatform.control.test_driver import MINE, World
from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["place", "postgres"]


def short_way_back():
    whole = start_line()
    return replace(whole, abort=tuple(replace(step, within_s=3.0) for step in whole.abort))


async def aborted_with_two_left_running(place):
    """Its outby and middle belts take no stop any more."""
    world = World(place, Plant(fates=[Fate(), Fate(), Fate(Outcome.REFUSED)]))
    run = book.ask(place, MINE, short_way_back(), "王工")
    while len(world.commands) < 2:
        await world.tick()
    book.wish(place, MINE, run, Wish.ABORT, "王工")
    world.plant.mode = 1.0
    await world.until(run, Phase.ABORTED)
    assert world.plant.wanted["outby"] and world.plant.wanted["middle"]
    return world, run


def raised(place):
    found = [each for each in alarms.alarms_of(place, MINE) if each.rule == RULE and each.state is not State.RETURNED]
    return {each.subject.split("/")[1]: each for each in found}


def looked(place, look, now=0, unseen=None):
    return give_back(place, MINE, judge(left(place, MINE), look, now, {} if unseen is None else unseen))


async def test_what_was_not_confirmed_to_stop_is_an_urgent_alarm_until_it_is_seen_to_stand(place):
    world, run = await aborted_with_two_left_running(place)
    found = raised(place)
    assert found.keys() == {"outby", "middle"} and RULE in OWN
    assert all((each.priority, each.state) == (1, State.UNACKNOWLEDGED) for each in found.values()) and PRIORITY == 1
    (entry,) = alarms.entries(place, MINE, alarm=found["outby"].id)
    assert "outby may still RUN, stop it at the machine" in entry.note and f"run {run}" in entry.note
    assert "outby/mode = 2 | 3 (is 1 now)" in entry.note, "in which mode it is says why it took no stop"
    assert looked(place, world.plant.look) == []
    acknowledge(place, MINE, [each.id for each in found.values()], "王工")
    assert looked(place, world.plant.look) == [] and raised(place).keys() == {"outby", "middle"}, "it still runs"
    world.plant.wanted["outby"] = False  # somebody stops it at the machine
    for _ in range(50):
        world.plant.pass_time()
    (back,) = looked(place, world.plant.look)
    assert (back.act, back.subject) == (Act.RETURN, f"{MINE}/outby")
    world.plant.wanted["outby"] = True  # and starts it there again
    for _ in range(50):
        await world.tick()
    assert looked(place, world.plant.look) == [] and raised(place).keys() == {"middle"}


async def test_what_nobody_can_see_waits_for_a_person_and_not_for_a_restart(tmp_path):
    world, _ = await aborted_with_two_left_running(tmp_path)
    world.plant.dark.update(NAMES)
    unseen = {}
    for now in (0, UNSEEN_US):
        assert looked(tmp_path, world.plant.look, now, unseen) == [], "nobody has acknowledged it"
    acknowledge(tmp_path, MINE, [each.id for each in raised(tmp_path).values()], "王工")
    again = {}  # another process, which knows nothing yet
    assert looked(tmp_path, world.plant.look, UNSEEN_US, again) == []
    assert len(looked(tmp_path, world.plant.look, 2 * UNSEEN_US, again)) == 2 and not raised(tmp_path)


async def test_a_later_run_that_is_done_says_that_it_is_wanted(tmp_path):
    world, _ = await aborted_with_two_left_running(tmp_path)
    world.plant.fates, world.plant.mode = [Fate()], 3.0
    await world.until(book.ask(tmp_path, MINE, start_line(), "李工"), Phase.DONE)
    assert len(looked(tmp_path, world.plant.look)) == 2 and not raised(tmp_path)


async def test_what_a_run_that_nobody_can_read_has_started_is_an_alarm_too(tmp_path):
    world = World(tmp_path, Plant())
    asked = book.ask(tmp_path, MINE, start_line(), "王工")
    while len(world.commands) < 1:
        await world.tick()
    with connect(tmp_path).begin() as connection:
        connection.execute(update(runs).where(runs.c.id == asked).values(progress="{}"))
    await world.until(asked, Phase.ABORTED)
    assert raised(tmp_path).keys() == set(NAMES)
    assert {each.subject for each in looked(tmp_path, world.plant.look)} == {f"{MINE}/middle", f"{MINE}/inby"}


async def test_whoever_drives_looks_after_it(tmp_path):
    world, _ = await aborted_with_two_left_running(tmp_path)
    drives = [False]
    task = asyncio.create_task(look_back(MINE, tmp_path, world.plant.look, lambda: drives[0], every_s=0.02))
    try:
        for belt in NAMES:
            world.plant.trip(belt)
        for _ in range(50):
            world.plant.pass_time()
        await asyncio.sleep(0.1)
        assert len(raised(tmp_path)) == 2
        drives[0] = True
        async with asyncio.timeout(30):
            while raised(tmp_path):
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_refusal_says_what_there_is_and_what_to_do(tmp_path):
    world = World(tmp_path, Plant(mode=1.0))
    refused = await world.until(book.ask(tmp_path, MINE, start_line(), "王工"), Phase.REFUSED)
    words = refused.progress.reason
    assert "outby/mode = 2 | 3 (is 1 now)" in words.en and "see to it and start again" in words.en
    assert "outby/mode = 2 | 3（现为 1）" in words.zh and "重新启动" in words.zh
    world.plant.dark.add("outby")
    unknown = await world.until(book.ask(tmp_path, MINE, start_line(), "王工"), Phase.REFUSED)
    assert "not known: outby/mode" in unknown.progress.reason.en and "gateway answer" in unknown.progress.reason.en
    assert Deed.REFUSE in {each.line.what for each in book.lines(tmp_path, unknown.id)}
