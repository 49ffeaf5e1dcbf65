"""Latches and the disk: unreadable, refused by it, slow, or read again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from gateway.linkage import latches as module
from gateway.linkage.latches import Latch, Latches
from models.command import Outcome
from models.site.model import Act
from tests.gateway.linkage.ranges import CLOSE, COMMAND, CUT, FEED, OPEN, SPARE, SPRAY, Range, path

GOOD = {"rule": "cut", "version": 1, "at": 1, "priority": 1, "command": {"m/e/c": 2.0}}


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "7", '{"tripped": 7}', '{"tripped": [7]}', '{"tripped": [{}]}', "\x00" * 40,
     json.dumps({"tripped": [GOOD | {"command": 7}]}), json.dumps({"tripped": [GOOD | {"at": "now"}]}),
     json.dumps({"tripped": [GOOD | {"held": 1}]}), json.dumps({"tripped": [GOOD, GOOD | {"more": 1}]})],
)  # fmt: skip
def test_what_is_no_record_of_latches_is_unreadable_and_never_empty(tmp_path, text):
    file = tmp_path / "latches.json"
    file.write_text(text)
    assert Latches(file).unreadable
    file.write_text(json.dumps({"tripped": [GOOD]}))
    assert Latches(file).tripped["cut"].command == {"m/e/c": 2.0}


async def test_unreadable_latches_hold_everything_until_each_is_restored(tmp_path):
    file = tmp_path / "latches.json"
    file.write_text('{"tripped": [{"ru')
    async with Range(tmp_path, CUT, SPRAY) as range_:
        latches = range_.linkages.latches
        assert set(latches.tripped) == {"cut"} and latches.tripped["cut"].doubt
        assert [each.read_text() for each in tmp_path.glob("latches.json.unreadable-*")] == ['{"tripped": [{"ru']
        [told] = range_.told("unreadable")
        assert told.end is None and "cut" in told.attributes["reason"]
        answer = await range_.write("command", CLOSE)
        assert answer.outcome is Outcome.REFUSED and "could not be read" in answer.reason.en
        assert (await range_.write("spare", CLOSE)).outcome is Outcome.DONE, "no rule that stays tripped commands it"
        assert (COMMAND, OPEN) not in range_.writes, "what is not known is not done either"
        assert (await range_.write("command", OPEN)).outcome is Outcome.DONE, "the rule's own value"
        # It is known after another start, too.
        await range_.lose()
        await range_.open()
        assert (await range_.write("command", CLOSE)).outcome is Outcome.REFUSED
        range_.methane(1.2)
        await range_.until(lambda: range_.linkages._judge.value[0] == 1.2)
        assert (await range_.linkages.restoring.restore("cut", "通风科"))["outcome"] == "refused"
        range_.methane(0.3)
        await range_.until(lambda: range_.linkages._judge.value[0] == 0.3)
        assert (await range_.linkages.restoring.restore("cut", "通风科"))["outcome"] == "done"
        assert (await range_.write("command", CLOSE)).outcome is Outcome.DONE
        range_.linkages._tick()
        assert range_.told("unreadable")[0].end is not None
        assert json.loads(file.read_text()) == {"tripped": []}


async def test_a_rule_in_doubt_trips_when_it_must(tmp_path):
    (tmp_path / "latches.json").write_text("?")
    async with Range(tmp_path) as range_:
        range_.methane(1.6)
        await range_.until(lambda: (COMMAND, OPEN) in range_.writes)
        await range_.until(lambda: range_.linkages.latches.tripped["cut"].done)
        assert not range_.linkages.latches.tripped["cut"].doubt and range_.told("trip")


async def test_before_a_site_is_known_unreadable_latches_forbid_every_write(tmp_path):
    async with Range(tmp_path) as range_:
        (tmp_path / "latches.json").write_text("?")
        range_.linkages.latches._read()
        for key, value in (("command", CLOSE), ("spare", 1)):
            answer = await range_.write(key, value)
            assert answer.outcome is Outcome.REFUSED and "cannot be read" in answer.reason.en


async def test_what_the_disk_refused_is_told_and_written_again(tmp_path):
    async with Range(tmp_path) as range_:
        running = asyncio.create_task(range_.linkages.run(NoBus()))
        blocked = tmp_path / "latches.json.partial"
        blocked.mkdir()
        (blocked / "x").touch()
        range_.methane(1.7)
        await range_.until(lambda: range_.read(range_.power, FEED) == 0)
        assert not (tmp_path / "latches.json").exists()
        await range_.until(lambda: range_.told("unsaved"))
        assert range_.told("unsaved")[0].end is None and range_.linkages.counts["unsaved_total"] == 1
        (blocked / "x").unlink()
        blocked.rmdir()
        await range_.until(lambda: range_.told("unsaved")[0].end is not None)
        assert Latches(tmp_path / "latches.json").tripped["cut"].done
        running.cancel()


async def test_a_slow_disk_counts_as_one_that_refuses(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", 0.2)
    latches = Latches(tmp_path / "latches.json")
    await latches._saving.acquire()
    await latches.trip(Latch("cut", 1, 1, 1, {}))
    async with asyncio.timeout(10):
        while not latches.unsaved:
            await asyncio.sleep(0.01)
        latches._saving.release()
        while latches.unsaved:
            await asyncio.sleep(0.01)
    assert Latches(tmp_path / "latches.json").tripped


class NoBus:
    """A bus on which nothing is to be heard."""

    async def listen(self, subject, take):
        raise AssertionError("no other gateway is looked at")


async def test_what_was_so_already_is_done_as_soon_as_it_is_so_no_more(tmp_path):
    """A belt stands while there is smoke, and somebody starts it into it."""
    stops = replace(SPRAY, id="stop", act=Act.STOP, then=CUT.then, command={path("command"): OPEN})
    async with Range(tmp_path, stops) as range_:
        range_.put(range_.power, FEED, 0)
        await range_.until(lambda: range_.linkages._judge.holds(0, "then", range_.clock.now()))
        range_.methane(0.9)
        await range_.until(lambda: range_.told("not_needed"))
        assert not range_.writes and "stop" in range_.linkages.latches.tripped
        await asyncio.sleep(3 * range_.period_s)
        assert not range_.writes and not range_.told("trip")
        assert (await range_.write("command", CLOSE)).outcome is Outcome.DONE
        await range_.until(lambda: range_.read(range_.power, FEED) == 0)
        assert range_.writes[-1] == (COMMAND, OPEN)
        [trip], [before] = range_.told("trip"), range_.told("not_needed")
        assert "so no more" in trip.attributes["reason"] and before.end == trip.start
        range_.methane(0.1)
        await range_.until(lambda: range_.told("trip")[0].end is not None)
        assert not range_.linkages.latches.tripped


async def test_what_ends_and_rises_at_once_is_two_trips(tmp_path):
    async with Range(tmp_path, SPRAY) as range_:
        linkages = range_.linkages
        range_.methane(0.9)
        await range_.until(lambda: "spray" in linkages.latches.tripped and linkages.latches.tripped["spray"].done)
        now, one = range_.clock.now(), linkages._judge.linkages[0]
        first = linkages.latches.tripped["spray"]
        linkages._acting.end("spray", now, CUT.name)
        linkages._rose(0, one, now)
        await asyncio.sleep(0)
        assert linkages.latches.tripped["spray"] is not first
        await range_.until(lambda: range_.writes.count((SPARE, 1)) == 2)


@pytest.mark.parametrize("when", ["start", "running"])
def test_a_gateway_on_a_full_disk_cuts_and_stops_in_order(tmp_path, when):
    child = [sys.executable, "-m", "tests.gateway.linkage.full_disk", when, str(tmp_path)]
    done = subprocess.run(child, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert str((COMMAND, OPEN)) in done.stderr
