"""Linkages on real Modbus devices: in time, noted before they are written, held, restored by whom and when."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.linkage import latches
from gateway.linkage.latches import Latches
from models.command import Command, Outcome
from models.site.model import Conditions, Name, OnLost, Restore
from tests.gateway.linkage.ranges import (
    CLOSE,
    COMMAND,
    CUT,
    FEED,
    OPEN,
    SPARE,
    SPRAY,
    Range,
    at_least,
    below,
    path,
)


@pytest.fixture
async def range_(tmp_path):
    async with Range(tmp_path) as made:
        yield made


async def test_methane_cuts_the_power_in_time_and_says_why(range_):
    range_.methane(1.5)
    began = range_.clock.now()
    await range_.until(lambda: range_.writes, within=3 * 2.0)
    assert range_.clock.now() - began < 3 * 2_000_000, "poll, decision and write take two polls and a little"
    await range_.until(lambda: range_.linkages.latches.tripped["cut"].done)
    assert range_.writes[0] == (COMMAND, OPEN) and range_.read(range_.power, FEED) == 0
    [trip] = range_.told("trip")
    said = trip.attributes
    assert (
        trip.end is None and said["version"] == 1 and "ch4 ≥ 1.5" in said["reason"] and "条件成立" in said["reason_zh"]
    )
    assert said["inputs"][0]["value"] == 1.5 and said["inputs"][0]["ts"] >= began - 500_000
    assert said["written"][path("command")]["outcome"] == "done" and trip.equipment == "140581000000/e"


async def test_it_was_on_disk_before_it_was_written_and_done_after(range_, monkeypatch):
    monkeypatch.setattr(latches, "SAVE_S", 30.0)  # a disk that others keep busy is no slow one here
    range_.methane(2.0)
    await range_.until(
        lambda: range_.linkages.latches.tripped.get("cut") and range_.linkages.latches.tripped["cut"].done
    )
    [noted] = range_.noted[0]
    assert (noted["rule"], noted["done"]) == ("cut", False)

    def kept():
        return json.loads((range_.folder / "latches.json").read_text())["tripped"][0]["done"]

    await range_.until(kept)


async def test_it_is_never_restored_by_itself_nor_against_by_an_operator(range_):
    range_.methane(1.7)
    await range_.until(lambda: range_.told("trip") and range_.linkages.latches.tripped["cut"].done)
    range_.methane(0.2)
    answer = await range_.write("command", CLOSE)
    assert answer.outcome is Outcome.REFUSED and "cut has tripped and holds" in answer.reason.en
    await asyncio.sleep(5 * range_.period_s)
    assert range_.read(range_.power, FEED) == 0 and "cut" in range_.linkages.latches.tripped
    assert (await range_.write("command", OPEN)).outcome is Outcome.DONE, "what the linkage says itself is no conflict"


async def test_a_restore_needs_its_condition(range_):
    restore = range_.linkages.restoring.restore
    range_.methane(1.7)
    await range_.until(lambda: "cut" in range_.linkages.latches.tripped)
    assert (await restore("other", "通风科"))["reason"]["en"] == "this rule has not tripped"
    for value in (1.7, 1.2, 1.0):
        range_.methane(value)
        await range_.until(lambda value=value: range_.linkages._judge.value[0] == value)
        answer = await restore("cut", "通风科")
        assert answer["outcome"] == "refused" and f"ch4 < 1, and it is {value:g}" in answer["reason"]["en"]
    range_.methane(0.99)
    await range_.until(lambda: range_.linkages._judge.value[0] == 0.99)
    assert (await restore("cut", "通风科"))["outcome"] == "done"
    assert range_.read(range_.power, FEED) == 0, "power is put back by hand"
    assert (await range_.write("command", CLOSE)).outcome is Outcome.DONE and range_.read(range_.power, FEED) == 1
    [restore] = range_.told("restore")
    assert restore.attributes["who"] == "通风科" and range_.told("trip")[0].end is not None
    assert len(range_.told("refused")) == 4
    assert json.loads((range_.folder / "latches.json").read_text()) == {"tripped": []}
    range_.methane(1.5)
    await range_.until(lambda: "cut" in range_.linkages.latches.tripped)


async def test_a_restore_may_command(tmp_path):
    closes = replace(
        CUT, restore=Restore(Conditions((below("ch4", 1.0),), every=True), False, {path("command"): CLOSE})
    )
    async with Range(tmp_path, closes) as range_:
        range_.methane(1.7)
        await range_.until(lambda: range_.writes)
        range_.methane(0.5)
        await range_.until(lambda: range_.linkages._judge.value[0] == 0.5)
        answer = await range_.linkages.restoring.restore("cut", "通风科")
        assert answer["written"][path("command")]["outcome"] == "done" and range_.read(range_.power, FEED) == 1


async def test_what_is_cut_and_still_live_is_told_after_its_time_and_cut_again(tmp_path):
    async with Range(tmp_path, replace(CUT, within_s=0.5)) as range_:
        range_.obeys = False
        range_.methane(1.7)
        await range_.until(lambda: range_.told("feed_fault"))
        [fault] = range_.told("feed_fault")
        assert fault.start - range_.told("trip")[0].start >= 500_000 and fault.end is None
        assert "cut but still live" in fault.attributes["reason"] and "馈电异常" in fault.attributes["reason_zh"]
        await range_.until(lambda: range_.writes.count((COMMAND, OPEN)) >= 2)
        range_.put(range_.power, FEED, 0)
        await range_.until(lambda: range_.told("feed_fault")[0].end is not None)
        assert "cut" in range_.linkages.latches.tripped


async def test_a_killed_gateway_remembers_and_writes_again_what_it_had_not_done(tmp_path):
    async with Range(tmp_path) as range_:
        range_.feeder.fault = "hang"
        range_.methane(1.7)
        await range_.until((tmp_path / "latches.json").exists)
        await range_.lose()
        assert range_.read(range_.power, FEED) == 1
        range_.methane(0.2)
        range_.feeder.fault = None
        await range_.open()
        await range_.until(lambda: json.loads((tmp_path / "latches.json").read_text())["tripped"][0]["done"])
        assert range_.read(range_.power, FEED) == 0, "it was decided, and so it is done"
        await range_.until(lambda: Latches(tmp_path / "latches.json").tripped["cut"].done)
        await range_.lose()
        writes = len(range_.writes)
        await range_.open()
        assert "cut" in range_.linkages.latches.tripped
        assert (await range_.write("command", CLOSE)).outcome is Outcome.REFUSED and len(range_.writes) == writes


async def test_a_device_that_is_away_is_written_as_soon_as_it_is_back(range_):
    range_.feeder.fault = "refuse"
    await range_.until(lambda: any(one.adapter is None for one in range_.devices))
    range_.methane(1.7)
    await range_.until(lambda: "cut" in range_.linkages.latches.tripped)
    range_.feeder.fault = None
    await range_.until(lambda: range_.linkages.latches.tripped["cut"].done)
    assert range_.read(range_.power, FEED) == 0


@pytest.mark.parametrize("on_lost", OnLost)
async def test_a_lost_sensor_does_what_its_rule_says(tmp_path, on_lost):
    async with Range(tmp_path, replace(CUT, on_lost=on_lost)) as range_:
        range_.sensor.fault = "hang"
        await range_.until(lambda: range_.told("lost"))
        [lost] = range_.told("lost")
        assert lost.attributes["inputs"][0]["lost"] and "e/ch4" in lost.attributes["reason"]
        if on_lost is OnLost.TRIP:
            await range_.until(lambda: range_.writes)
            assert "lost" in range_.told("trip")[0].attributes["reason"]
            answer = await range_.linkages.restoring.restore("cut", "通风科")
            assert answer["outcome"] == "refused", "who does not know the methane does not restore"
        else:
            assert not range_.writes and "held" in lost.attributes["reason"]
        range_.sensor.fault = None
        await range_.until(lambda: range_.told("lost")[0].end is not None)
        assert bool(range_.writes) == (on_lost is OnLost.TRIP)


async def test_a_shadow_only_tells(tmp_path):
    async with Range(tmp_path, replace(CUT, shadow=True)) as range_:
        range_.methane(1.7)
        await range_.until(lambda: range_.told("shadow"))
        await asyncio.sleep(3 * range_.period_s)
        assert not range_.writes and not range_.linkages.latches.tripped and not range_.told("trip")


async def test_a_rule_that_is_not_latched_is_ready_again_when_it_holds_no_more(tmp_path):
    async with Range(tmp_path, SPRAY) as range_:
        for turn in (1, 2):
            range_.methane(0.9)
            await range_.until(lambda turn=turn: range_.writes.count((SPARE, 1)) == turn)
            await range_.until(lambda: range_.linkages.latches.tripped["spray"].done)
            assert (await range_.write("spare", 0)).outcome is Outcome.DONE, "it does not hold its point"
            range_.methane(0.1)
            await range_.until(lambda: not range_.linkages.latches.tripped)
        assert len(range_.told("trip")) == 2 and all(event.end for event in range_.told("trip"))
        assert not (tmp_path / "latches.json").exists()


async def test_a_condition_must_last(tmp_path):
    lasting = replace(CUT, when=Conditions((at_least("ch4", 1.5, lasting_s=3.0),), every=False))
    async with Range(tmp_path, lasting) as range_:
        range_.methane(1.7)
        began = range_.clock.now()
        await range_.until(lambda: range_.linkages._judge.value[0] == 1.7)
        range_.methane(0.2)
        await range_.until(lambda: range_.linkages._judge.value[0] == 0.2)
        assert range_.clock.now() - began < 3_000_000
        range_.methane(1.7)
        again = range_.clock.now()
        await range_.until(lambda: range_.writes)
        assert range_.clock.now() - again >= 3_000_000


async def test_a_new_version_of_the_site_keeps_what_is_tripped(range_):
    range_.methane(1.7)
    await range_.until(
        lambda: range_.linkages.latches.tripped.get("cut") and range_.linkages.latches.tripped["cut"].done
    )
    range_.linkages.apply(replace(range_.site(), linkages=(replace(CUT, version=2), SPRAY)))
    assert "cut" in range_.linkages.latches.tripped
    assert (await range_.write("command", CLOSE)).outcome is Outcome.REFUSED
    range_.linkages.apply(replace(range_.site(), linkages=()))
    assert (await range_.write("command", CLOSE)).outcome is Outcome.REFUSED, "a rule that is gone still holds"
    assert (await range_.linkages.restoring.restore("cut", "通风科"))["outcome"] == "done"
    assert (await range_.write("command", CLOSE)).outcome is Outcome.DONE


async def test_of_two_rules_the_one_of_higher_priority_holds_the_point(tmp_path):
    closes = replace(SPRAY, id="close", when=Conditions((at_least("ch4", 1.2),), every=False), priority=3,
                     command={path("command"): CLOSE})  # fmt: skip
    async with Range(tmp_path, CUT, closes) as range_:
        range_.methane(1.7)
        await range_.until(
            lambda: len(range_.told("trip")) == 2 and all(e.attributes["done"] for e in range_.told("trip"))
        )
        by_rule = {event.attributes["rule"]: event.attributes["written"] for event in range_.told("trip")}
        assert by_rule["close"][path("command")]["outcome"] == "overruled"
        assert by_rule["cut"][path("command")]["outcome"] == "done" and range_.writes == [(COMMAND, OPEN)]


async def test_only_what_may_restores_automatically(tmp_path):
    stops = Restore(Conditions((below("ch4", 0.5),), every=True), automatic=True, command={path("spare"): 2})
    spray = replace(SPRAY, restore=stops, latched=True)
    async with Range(tmp_path, spray) as range_:
        range_.methane(0.9)
        await range_.until(lambda: range_.linkages.latches.tripped.get("spray"))
        range_.methane(0.6)
        await range_.until(lambda: range_.linkages._judge.value[0] == 0.6)
        assert (SPARE, 2) not in range_.writes
        range_.methane(0.4)
        await range_.until(lambda: (SPARE, 2) in range_.writes and not range_.linkages.latches.tripped)


async def test_a_linkage_waits_for_no_operator(range_):
    range_.feeder.delay_s = 0.05
    waiting = [
        asyncio.create_task(
            range_.writer.carry_out(Command(f"many{n}", path("spare"), 1, "王工", range_.clock.now() + 15_000_000))
        )
        for n in range(15)
    ]
    range_.methane(1.7)
    await range_.until(lambda: range_.told("trip"))
    before = len(range_.writes)
    await range_.until(lambda: (COMMAND, OPEN) in range_.writes)
    assert range_.writes.index((COMMAND, OPEN)) <= before + 1, "behind the one that was under way, and no other"
    await asyncio.gather(*waiting)


async def test_a_tag_refuses_what_a_linkage_starts_and_never_what_it_stops(tmp_path):
    async with Range(tmp_path, CUT, SPRAY) as range_:
        range_.writer.interlocks.append(lambda *_: Name("挂牌", "it is tagged"))
        range_.methane(1.7)
        await range_.until(lambda: (COMMAND, OPEN) in range_.writes)
        [spray] = [event for event in range_.told("trip") if event.attributes["rule"] == "spray"]
        await range_.until(lambda: any(e.attributes["written"] for e in range_.told("trip") if e.id == spray.id))
        [spray] = [event for event in range_.told("trip") if event.attributes["rule"] == "spray"]
        assert spray.attributes["written"][path("spare")]["reason"] == "it is tagged"
        assert (SPARE, 1) not in range_.writes


async def test_what_starts_is_not_started_late(tmp_path):
    async with Range(tmp_path, replace(SPRAY, within_s=0.5)) as range_:
        range_.feeder.fault = "refuse"
        await range_.until(lambda: any(one.adapter is None for one in range_.devices))
        range_.methane(0.9)
        await range_.until(lambda: "spray" in range_.linkages.latches.tripped)
        await asyncio.sleep(1.0)
        range_.feeder.fault = None
        await range_.until(lambda: all(one.adapter is not None for one in range_.devices))
        await asyncio.sleep(0.5)
        assert not range_.writes, "somebody may work on it by now"


async def test_what_lasts_or_is_held_goes_on_under_a_new_version(tmp_path):
    lasting = replace(CUT, when=Conditions((at_least("ch4", 1.5, lasting_s=2.0),), every=False))
    held = replace(CUT, id="held", on_lost=OnLost.HOLD, lost_after_s=1.2, command={path("spare"): OPEN}, then=())
    async with Range(tmp_path, lasting, held) as range_:
        range_.methane(1.7)
        began = range_.clock.now()
        await range_.until(lambda: "held" in range_.linkages.latches.tripped)
        while "cut" not in range_.linkages.latches.tripped:
            range_.linkages.apply(range_.site())
            await asyncio.sleep(0.05)
            assert range_.clock.now() - began < 3 * 2_000_000, "a new version every 0.05 s, and 2 s never pass"
        range_.sensor.fault = "hang"
        await range_.until(lambda: range_.told("lost"))
        [lost] = [event for event in range_.told("lost") if event.attributes["rule"] == "held"]
        range_.linkages.apply(range_.site())
        assert range_.linkages._lost[1] and range_.linkages._so.all(), "lost and held, as before"
        assert len([event for event in range_.told("lost") if event.attributes["rule"] == "held"]) == 1
        range_.linkages.apply(replace(range_.site(), linkages=()))
        [lost] = [event for event in range_.told("lost") if event.attributes["rule"] == "held"]
        assert lost.end is not None


async def test_a_rule_acts_from_the_mines_own_midnight_on(tmp_path):
    dated = replace(SPRAY, effective_from="2026-03-02")
    async with Range(tmp_path, CUT, dated) as range_:
        linkages, midnight = range_.linkages, 1_772_380_800_000_000  # 2026-03-02 00:00 in Shanghai, 16:00 UTC
        linkages._clock = Set(midnight - 1_000_000)
        linkages.apply(range_.site())
        assert linkages._may_trip == {"cut"}
        judge = linkages._judge
        linkages._tick()
        assert linkages._judge is judge
        linkages._clock = Set(midnight)
        linkages._tick()
        assert linkages._may_trip == {"cut", "spray"}
        judge, linkages._clock = linkages._judge, Set(midnight + 86_400_000_000)
        linkages._tick()
        assert linkages._judge is judge, "a midnight at which no rule begins touches nothing"


class Set:
    """A clock that stands."""

    def __init__(self, now):
        self.at = now

    def now(self):
        return self.at

    def monotonic(self):
        return 0


async def test_a_connection_that_a_version_changes_gets_the_time_of_a_start(tmp_path):
    async with Range(tmp_path) as range_:
        range_.sensor.fault = "hang"
        made = range_.site()
        changed = replace(
            made.connections["sensor"], settings={**made.connections["sensor"].settings, "timeout_s": 0.5}
        )
        site = replace(made, connections={**made.connections, "sensor": changed})
        await range_.devices.apply(site)
        range_.linkages.apply(site)
        await asyncio.sleep(3 * CUT.lost_after_s)
        assert not range_.writes and not range_.told("lost")
        since = range_.linkages._judge._lost_since[0]
        await range_.devices.apply(made)
        range_.linkages.apply(made)
        assert range_.linkages._judge._lost_since[0] == since, "but no second one"
