"""From the bus into the alarms' book: what is raised, what is kept with it, and what a second look changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from middleplatform.alarms import acts, book
from middleplatform.alarms.annunciation import annunciation
from middleplatform.alarms.condition import Act, Change, Position, State
from middleplatform.alarms.groups import grouped
from middleplatform.alarms.hold import Superseded
from middleplatform.alarms.performance import recent_flood
from middleplatform.database import connect
from middleplatform.database.tables.alarms import alarm_positions, alarm_watches
from middleplatform.watch.clock import GRACE_US, Clock
from middleplatform.watch.judging import DEAF
from middleplatform.watch.process import status
from models.site.model import Name, OwnAlarm
from tests.middleplatform.watch.build import SECOND, now, site
from tests.middleplatform.watch.stage import stage
from tests.servers import CODE


async def test_alarms_of_both_streams_are_kept_with_their_positions_and_once(tmp_path, place):
    async with stage(tmp_path, place) as mine:
        begun = now()
        async with mine.watching() as watching:
            await mine.say(("gas0/ch4", begun, 1.2), ("gas1/ch4", begun, 0.5))
            await mine.say(("belt0/speed", begun + 1, 3.0), ("belt1/speed", begun + 1, 0.1))
            await mine.until(lambda: len(mine.journal()) == 2, watching=watching)
            assert mine.states() == {"gas0/ch4": State.UNACKNOWLEDGED, "belt0/speed": State.UNACKNOWLEDGED}
            (gas,) = (each for each in book.alarms_of(place, CODE) if each.subject.endswith("ch4"))
            assert (gas.statutory, gas.rule_version, gas.since) == (True, 20220401, begun)
            acts.acknowledge(place, CODE, [gas.id], "olga")
            await mine.say(("gas0/ch4", begun + SECOND, 0.4))
            await mine.until(lambda: mine.states() == {"belt0/speed": State.UNACKNOWLEDGED}, watching=watching)
            async with asyncio.timeout(30):
                while await mine.lag():
                    await asyncio.sleep(0.1)
        before = mine.journal()
        # Another one goes on from there: what the first one held raised is raised for it too.
        async with mine.watching() as watching:
            await mine.say(("belt0/speed", begun + 2 * SECOND, 0.5), ("belt1/speed", begun + 2 * SECOND, 0.5))
            await mine.until(lambda: mine.states() == {"belt0/speed": State.RETURNED}, watching=watching)
        assert mine.journal() == [*before, ("belt0/speed", "return", begun + 2 * SECOND, False)]


async def test_what_was_not_acknowledged_comes_again_and_changes_nothing(tmp_path, place):
    """Killed after the commit, before the bus heard of it."""
    async with stage(tmp_path, place) as mine:
        begun = now()

        async def deaf_to_us(self, kept):
            self._taken, self._again = [], []

        async with mine.watching() as watching:
            await mine.until(lambda: bool(watching._lines) and all(each.born for each in watching._lines))
            for line in watching._lines:
                line.settle = deaf_to_us.__get__(line)
            await mine.say(("gas0/ch4", begun, 1.2))
            await mine.until(lambda: len(mine.journal()) == 1, watching=watching)
        assert await mine.lag() == 1
        async with mine.watching() as watching:
            await mine.say(("gas1/ch4", begun + 1, 1.2))
            await mine.until(lambda: len(mine.journal()) == 2, watching=watching)
            async with asyncio.timeout(30):
                while await mine.lag():
                    await asyncio.sleep(0.1)
        assert [each[0] for each in mine.journal()] == ["gas0/ch4", "gas1/ch4"]


async def test_late_samples_are_in_the_journal_as_late_and_alarm_nobody(tmp_path):
    async with stage(tmp_path, tmp_path) as mine:
        begun = now()
        async with mine.watching() as watching:
            hour = begun - 3600 * SECOND
            await mine.say(("gas0/ch4", hour, 1.2), ("gas0/ch4", hour + SECOND, 0.2))
            await mine.say(("gas1/ch4", begun, 1.2))
            await mine.until(lambda: len(mine.journal()) == 3, watching=watching)
            await mine.until(lambda: watching.counters.late == 2, watching=watching)
        assert mine.states() == {"gas1/ch4": State.UNACKNOWLEDGED}
        assert [each[1:] for each in mine.journal()[:2]] == [("raise", hour, True), ("return", hour + SECOND, True)]


async def test_of_two_watches_the_older_one_ends(tmp_path):
    async with stage(tmp_path, tmp_path) as mine, mine.watching() as older:
        await mine.until(lambda: bool(older._lines) and all(each.born for each in older._lines))
        async with mine.watching() as newer:
            await mine.until(lambda: bool(newer._lines) and all(each.born for each in newer._lines))
            for number in range(4):  # whichever of them is given which message
                await mine.say(("gas0/ch4", now(), 1.2 if number % 2 else 0.2))
            with pytest.raises(Superseded, match="another process"):
                async with asyncio.timeout(30):
                    await older.task


async def test_a_new_version_of_the_site_returns_what_it_no_longer_knows(tmp_path):
    async with stage(tmp_path, tmp_path, site(gas=2)) as mine, mine.watching() as watching:
        await mine.say(("gas0/ch4", now(), 1.2), ("gas1/ch4", now(), 1.2))
        await mine.until(lambda: len(mine.states()) == 2, watching=watching)
        judging = watching.judging
        await watching.follow(lambda: judging.follow(site(gas=1), judging.today))
        await mine.until(lambda: mine.states().get("gas1/ch4") is State.RETURNED, watching=watching)
        assert mine.states()["gas0/ch4"] is State.UNACKNOWLEDGED
        await mine.say(("gas0/ch4", now(), 0.2))
        await mine.until(lambda: mine.states()["gas0/ch4"] is State.RETURNED, watching=watching)


async def test_a_stricter_limit_raises_on_what_stands(tmp_path):
    """Nothing comes any more, and the mine's engineer lowers the limit below what came last."""
    made = site(gas=1)
    (gas, *rest) = sorted(made.points, key=lambda point: not point.path.endswith("ch4"))
    strict = replace(gas, limits=(replace(gas.limits[0], value=0.8),))
    own = OwnAlarm(
        "surge",
        Name("瓦斯突增", "Methane rises fast"),
        (gas.path,),
        None,
        1.0,
        9.0,
        9.0,
        1,
        0.0,
        0.0,
        "s",
        "2022-01-01",
    )
    stricter = replace(made, points=tuple(sorted((strict, *rest), key=lambda point: point.path)), alarms=(own,))
    async with stage(tmp_path, tmp_path, made) as mine, mine.watching() as watching:
        await mine.say(("gas0/ch4", now(), 0.9))
        await mine.until(lambda: watching.judging.judged >= 1, watching=watching)
        judging = watching.judging
        assert status(watching)["names"] == {}
        await watching.follow(lambda: judging.follow(stricter, judging.today))
        assert status(watching)["names"] == {"own.surge": ["瓦斯突增", "Methane rises fast"]}, "whoever shows it knows"
        await mine.until(lambda: mine.states() == {"gas0/ch4": State.UNACKNOWLEDGED}, watching=watching)


async def test_what_was_raised_before_a_stop_is_never_stuck(tmp_path):
    """While the watch stood, one rule was taken away; and its memory cannot be read."""
    async with stage(tmp_path, tmp_path, site(gas=3)) as mine:
        async with mine.watching() as watching:
            await mine.say(*((f"gas{n}/ch4", now(), 1.2) for n in range(3)))
            await mine.until(lambda: len(mine.states()) == 3, watching=watching)
        with connect(tmp_path).begin() as connection:
            connection.execute(update(alarm_watches).values(memory="bm9uc2Vuc2U="))
        patrol = Change("platform.patrol", CODE, Act.RAISE, now(), 1, 3)
        assert book.record(tmp_path, CODE, Position("patrols", "patrols", 1, 1), [patrol]), "by another process"
        mine.site = site(gas=2)
        async with mine.watching() as watching:
            await mine.until(lambda: mine.states().get("gas2/ch4") is State.RETURNED, watching=watching)
            (why,) = (each.note for each in book.entries(tmp_path, CODE) if each.what is Act.RETURN)
            assert "the rule holds no longer" in why
            assert mine.states()["gas0/ch4"] is mine.states()["gas1/ch4"] is State.UNACKNOWLEDGED
            await mine.say(("gas0/ch4", now(), 0.2), ("gas1/ch4", now(), 1.3))
            await mine.until(lambda: mine.states()["gas0/ch4"] is State.RETURNED, watching=watching)
        assert mine.states()["gas1/ch4"] is State.UNACKNOWLEDGED
        assert ("platform.patrol", CODE) in book.active(tmp_path, CODE)
        assert [each[1] for each in mine.journal() if each[0] == "gas1/ch4"] == ["raise"]


async def test_a_message_at_which_judging_fails_takes_nothing_with_it(tmp_path):
    async with stage(tmp_path, tmp_path) as mine, mine.watching() as watching:
        judge = watching.judging.engine.judge

        def fails(samples, stored):
            if (samples.value == 13.0).any():
                raise ZeroDivisionError("a defect")
            return judge(samples, stored)

        watching.judging.engine.judge = fails
        await mine.say(("gas0/ch4", now(), 13.0))
        await mine.say(("gas1/ch4", now(), 1.2))
        await mine.until(lambda: mine.states() == {"gas1/ch4": State.UNACKNOWLEDGED}, watching=watching)
        assert watching.judging.broken == status(watching)["broken"] == 1
        await mine.say(("gas0/ch4", now(), 1.2))
        await mine.until(lambda: len(mine.states()) == 2, watching=watching)


async def test_one_that_latches_waits_for_a_reset_when_it_has_returned(tmp_path):
    made = site()
    points = (
        replace(each, role="protection.pull_cord", limits=()) if each.path.endswith("belt0/speed") else each
        for each in made.points
    )
    async with stage(tmp_path, tmp_path, replace(made, points=tuple(points))) as mine, mine.watching() as watching:

        def state() -> State | None:
            found = book.alarms_of(tmp_path, CODE)
            return next((each.state for each in found if each.rule == "protection.pull_cord"), None)

        await mine.say(("belt0/speed", now(), 1.0))
        await mine.until(lambda: state() is State.UNACKNOWLEDGED, watching=watching)
        await mine.say(("belt0/speed", now(), 0.0))
        await mine.until(lambda: state() is State.LATCHED, watching=watching)
        (cord,) = book.alarms_of(tmp_path, CODE)
        acts.acknowledge(tmp_path, CODE, [cord.id], "olga")
        assert state() is State.LATCHED_ACKNOWLEDGED
        acts.reset(tmp_path, CODE, cord.id, "olga", "the cord is drawn back")
        assert state() is None
        await mine.say(("belt0/speed", now(), 1.0))
        await mine.until(lambda: state() is State.UNACKNOWLEDGED, watching=watching)


async def test_what_the_store_will_never_take_keeps_nothing_else_from_being_kept(tmp_path, place):
    """One change of many has no priority, which is a defect of ours."""
    async with stage(tmp_path, place) as mine, mine.watching() as watching:
        change = watching.judging._change
        watching.judging._change = lambda found: (
            replace(change(found), priority=None) if found.value == 13.0 else change(found)
        )
        begun = now()
        await mine.say(("gas0/ch4", begun, 13.0), ("gas1/ch4", begun, 1.2))
        await mine.say(("belt0/speed", begun, 1.2))
        await mine.until(lambda: len(mine.states()) == 2, watching=watching)
        assert set(mine.states()) == {"gas1/ch4", "belt0/speed"}
        await mine.until(lambda: watching.counters.refused == status(watching)["refused"] == 1, watching=watching)
        assert watching.failing is None
        async with asyncio.timeout(30):
            while await mine.lag():
                await asyncio.sleep(0.1)


async def test_a_stream_that_is_made_anew_without_a_lost_connection_is_found(tmp_path, monkeypatch):
    """No process may delete a stream, so that here the watch remembers another one."""
    monkeypatch.setattr("middleplatform.watch.watching.LOOK_S", 0.3)
    async with stage(tmp_path, tmp_path) as mine, mine.watching() as watching:
        await mine.say(("gas0/ch4", now(), 1.2))
        await mine.until(lambda: set(mine.states()) == {"gas0/ch4"}, watching=watching)
        before = watching._lines
        before[0].born -= 1
        await mine.until(lambda: watching._lines is not before, watching=watching)
        await mine.say(("gas1/ch4", now(), 1.2))
        await mine.until(lambda: set(mine.states()) == {"gas0/ch4", "gas1/ch4"}, watching=watching)
        assert watching._bus.reconnects == 0


async def test_while_the_bus_is_away_one_condition_says_so_and_no_point_goes_stale(tmp_path, monkeypatch):
    """Points may be silent for 2 s, and the bus is away for longer; then one gateway finds it before the others do."""
    monkeypatch.setattr("middleplatform.watch.clock.QUIET_US", 2 * SECOND)
    names = [f"gas{n}/ch4" for n in range(5)]

    def raised() -> set[str]:
        return {rule for rule, _ in book.active(tmp_path, CODE)}

    async with stage(tmp_path, tmp_path, site(gas=5, belts=0, silence_s=1.0)) as mine:
        async with mine.watching() as watching:
            last = now()
            await mine.say(*((name, last, 0.2) for name in names))
            await mine.until(lambda: watching.counters.messages >= 1, watching=watching)
            await mine.running.process.stop()
            await mine.until(lambda: raised() == {DEAF}, watching=watching)
            await mine.running.process.start()
            await mine.until(lambda: watching._bus.connected and mine.gateway.connected)

            async def kept(*those: str) -> None:
                """What a gateway kept meanwhile, and the present."""
                until = now()
                times = range(last + SECOND // 2, until, SECOND // 2)
                await mine.say(*((name, ts, 0.2) for name in those for ts in (*times, until)))

            async with asyncio.timeout(60):
                said = 0
                while said < 6 or raised():  # it goes on to speak, or it were quiet again
                    await kept(names[0])
                    said += 1
                    await asyncio.sleep(0.5)
            await kept(*names)
            await mine.until(lambda: watching.counters.messages >= 2 + said, watching=watching)
        named = book.subjects_of(tmp_path, CODE)
        acted = [(named[each.alarm][0], each.what) for each in reversed(book.entries(tmp_path, CODE))]
        assert {rule for rule, _ in acted} == {DEAF}, "nothing but the one condition"
        assert [what for _, what in acted] == [Act.RAISE, Act.RETURN] * (len(acted) // 2)


def test_the_clock_goes_back_with_that_of_the_bus():
    start, hour = 1_000 * SECOND, 3_600 * SECOND
    clock = Clock(30 * SECOND, start)
    clock.heard([start, start + GRACE_US], start + GRACE_US)
    clock.heard([start + hour, start + hour + GRACE_US], start + hour)
    assert clock.now == start + hour + GRACE_US
    back = start + 20 * SECOND
    clock.heard([back, back + GRACE_US], back + GRACE_US)
    assert clock.now == back + GRACE_US, "or all would be silent for an hour"
    clock.pass_by(back, hearing=True)
    assert clock.deaf(back + 31 * SECOND)


def test_the_clock_runs_while_it_hears_and_stands_while_it_does_not():
    start, quiet = 1_000 * SECOND, 30 * SECOND
    clock = Clock(quiet, wall=start)
    clock.pass_by(start + 5 * SECOND, hearing=True)
    assert clock.now == 0, "nothing was heard"
    clock.heard([start + 6 * SECOND], start + 6 * SECOND)
    clock.pass_by(start + 8 * SECOND, hearing=True)
    assert clock.now == 0, "others may still have something to say"
    heard = start + 6 * SECOND + GRACE_US
    clock.heard([heard], heard)
    assert clock.now == heard
    clock.pass_by(heard + 5 * SECOND, hearing=True)
    assert clock.now == heard + 4 * SECOND
    for hearing in (False, True):
        clock.pass_by(heard + 900 * SECOND, hearing=hearing)
        assert clock.now == heard + 4 * SECOND and clock.deaf(heard + 900 * SECOND)
    back = heard + 901 * SECOND
    clock.heard([back, back + SECOND], back)
    assert clock.now == heard + 4 * SECOND and not clock.deaf(back)
    clock.heard([back + GRACE_US], back + GRACE_US)
    assert clock.now == back + GRACE_US


@given(st.lists(st.integers(0, 40), max_size=40), st.lists(st.integers(1, 5), min_size=1, max_size=40))
def test_a_watch_that_was_stopped_judges_silence_as_one_that_was_not(gaps, rounds):
    stored = [1_000 * SECOND + sum(gaps[: n + 1]) * SECOND for n in range(len(gaps))]
    there, away = Clock(30 * SECOND, 0), Clock(30 * SECOND, 0)
    for each in stored:
        there.heard([each], each)
    left = list(stored)
    for size in (*rounds, len(stored)):
        away.heard(left[:size], 10_000 * SECOND)
        left = left[size:]
    assert there.now == away.now


@pytest.mark.parametrize("count", [2_000, pytest.param(10_000, marks=pytest.mark.proof)])
async def test_a_storm_is_kept_whole_and_seen_as_one_group(tmp_path, count):
    """Thousands of sensors above their limit within a second."""
    made = site(gas=count, belts=1)
    async with stage(tmp_path, tmp_path, made) as mine:
        async with mine.watching() as watching:
            begun = now()
            for start in range(0, count, 1_000):
                await mine.say(*((f"gas{n}/ch4", begun + n, 1.2) for n in range(start, start + 1_000)))
            await mine.until(lambda: watching.counters.raised == count, watching=watching)
        found = book.alarms_of(tmp_path, CODE)
        assert len(found) == len(book.entries(tmp_path, CODE, limit=2 * count)) == count
        assert sorted(each.since - begun for each in found) == list(range(count))
        (group,) = grouped(found, lambda _: "face1", 5)
        assert group.alike and len(group.members) == count and group.head.since == begun
        assert recent_flood(tmp_path, CODE, annunciation(watching.judging.today), now())["peak"] == count


async def test_a_book_that_is_older_than_what_was_acknowledged_goes_on(tmp_path):
    """As after a restore onto the bus that ran on: what is gone is counted, what comes is judged."""
    async with stage(tmp_path, tmp_path) as mine:
        async with mine.watching() as watching:
            await mine.say(("gas0/ch4", now(), 1.2))
            await mine.until(lambda: len(mine.journal()) == 1, watching=watching)
            async with asyncio.timeout(30):
                while await mine.lag():
                    await asyncio.sleep(0.1)
        with connect(tmp_path).begin() as connection:
            connection.execute(delete(alarm_positions))
        async with mine.watching() as watching:
            await mine.say(("gas1/ch4", now(), 1.2))
            await mine.until(lambda: len(mine.journal()) == 2, watching=watching)
            assert watching.missed == 1
