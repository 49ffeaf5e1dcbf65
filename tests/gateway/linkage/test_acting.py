"""Each command of a trip by itself, on real Modbus devices: what stops is written until it holds, what starts never
late, whatever the rule is called, the clock says, or another command has done."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import pytest

from gateway.leave import Leave
from gateway.linkage import latches
from models.command import Command, Outcome
from models.identity import point_id
from models.site.model import Conditions, Name, Restore
from tests.gateway.linkage.ranges import COMMAND, CUT, OPEN, SPARE, SPRAY, Range, below, path
from tests.gateway.sites import CODE

OTHER = f"{CODE}/f/spare"
START = replace(SPRAY, command={OTHER: 1}, within_s=0.5)
HOUR = 3_600_000_000


class Two(Range):
    """The register `spare` is a machine of its own, `f`, of the role given; its word is cleared `clears` times."""

    def __init__(self, folder, *rules, role="command.run"):
        super().__init__(folder, *rules)
        self.role, self.clears = role, 0

    def site(self):
        made = super().site()
        of_f = {"path": OTHER, "id": point_id(OTHER), "equipment": "f", "role": self.role}
        roles = {"spare": of_f, "command": {"role": "command.breaker"}}
        return replace(made, points=tuple(replace(one, **roles.get(one.key, {})) for one in made.points))

    def _written(self, unit, function, address):
        super()._written(unit, function, address)
        if address == SPARE and self.clears:
            self.clears -= 1
            self.put(self.power, SPARE, 0)

    async def goes_away(self):
        self.feeder.fault = "refuse"
        await self.until(lambda: any(one.adapter is None for one in self.devices))

    async def comes_back(self):
        self.feeder.fault = None
        await self.until(lambda: all(one.adapter is not None for one in self.devices))
        await asyncio.sleep(0.4)

    async def trips(self, rule):
        self.methane(1.7)
        await self.until(lambda: rule in self.linkages.latches.tripped)

    def set_back(self):
        self.clock._offset -= HOUR
        self.linkages.clock_jumped(-HOUR)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("gateway.writer.VERIFY_S", 0.2)
    monkeypatch.setattr("gateway.linkage.acting.SELDOM_S", 0.3)


async def test_a_feeder_that_failed_is_cut_again_whatever_the_other_one_has_done(tmp_path, quick):
    both = replace(CUT, command={path("command"): OPEN, OTHER: OPEN})
    async with Two(tmp_path, both, role="command.breaker") as range_:
        range_.clears = 2
        range_.methane(1.7)
        await range_.until(lambda: range_.writes.count((SPARE, OPEN)) == 3)
        await range_.until(lambda: range_.linkages.latches.tripped["cut"].done)
        assert range_.read(range_.power, SPARE) == OPEN


async def test_a_feed_that_is_still_live_is_told_and_cut_again_for_as_long_as_it_is(tmp_path, quick):
    both = replace(CUT, command={path("command"): OPEN, OTHER: OPEN}, within_s=0.5)
    async with Two(tmp_path, both, role="command.breaker") as range_:
        range_.obeys, range_.clears = False, 1_000
        range_.methane(1.7)
        await range_.until(lambda: range_.told("feed_fault"))
        assert not range_.linkages.latches.tripped["cut"].done, "the other feeder never takes it"
        await range_.until(lambda: range_.writes.count((COMMAND, OPEN)) >= 4)


async def test_what_starts_is_not_started_late_under_a_rule_that_cuts_power(tmp_path):
    mixed = replace(CUT, command={path("command"): OPEN, OTHER: 1}, then=(), within_s=0.5)
    async with Two(tmp_path, mixed) as range_:
        tagged = [Name("挂牌", "it is tagged")]
        range_.writer.interlocks.append(lambda at, _: tagged[0] if tagged and at == OTHER else None)
        await range_.trips("cut")
        await range_.until(lambda: range_.linkages.latches.tripped["cut"].done)
        tagged.clear()
        await asyncio.sleep(0.6)
        assert (COMMAND, OPEN) in range_.writes and (SPARE, 1) not in range_.writes
        [trip] = range_.told("trip")
        assert trip.attributes["written"][OTHER] | {"at": 0, "attempts": 0} == {
            "to": 1, "outcome": "not in time", "reason": "it is tagged", "at": 0, "attempts": 0
        }  # fmt: skip


async def test_a_clock_that_is_set_back_makes_nothing_start_late(tmp_path):
    async with Two(tmp_path, START) as range_:
        await range_.goes_away()
        await range_.trips("spray")
        range_.set_back()
        await asyncio.sleep(0.6)
        await range_.comes_back()
        assert not range_.writes


async def test_a_clock_that_is_set_back_hides_no_feed_that_is_still_live(tmp_path):
    async with Two(tmp_path, replace(CUT, within_s=0.5)) as range_:
        range_.obeys = False
        await range_.trips("cut")
        range_.set_back()
        await range_.until(lambda: range_.told("feed_fault"))


LATCHED = replace(START, latched=True, restore=Restore(Conditions((below("ch4", 0.5),), every=True), automatic=False))


async def test_what_starts_is_never_started_by_the_next_process(tmp_path):
    async with Two(tmp_path, replace(LATCHED, within_s=60)) as range_:
        await range_.goes_away()
        await range_.trips("spray")
        file = tmp_path / "latches.json"
        await range_.until(lambda: file.exists() and json.loads(file.read_text())["tripped"])
        await range_.lose()
        range_.feeder.fault = None
        await range_.open()
        await range_.until(lambda: range_.linkages.latches.tripped["spray"].done)
        assert not range_.writes, "somebody may work on it by now"


async def test_what_starts_does_so_only_while_its_condition_holds(tmp_path):
    async with Two(tmp_path, replace(LATCHED, within_s=60)) as range_:
        await range_.goes_away()
        await range_.trips("spray")
        range_.methane(0.6)
        await range_.until(lambda: range_.linkages._judge.value[0] == 0.6)
        await range_.comes_back()
        assert not range_.writes and not range_.linkages.latches.tripped["spray"].done
        range_.methane(0.9)
        await range_.until(lambda: (SPARE, 1) in range_.writes)


async def test_a_person_who_stops_it_while_the_trip_is_noted_has_the_last_word(tmp_path, monkeypatch):
    slow, stopped = latches.write_secret, threading.Event()
    monkeypatch.setattr(latches, "SAVE_S", 30.0)

    def write_slowly(*what):
        stopped.wait(20)
        slow(*what)

    async with Two(tmp_path, replace(LATCHED, within_s=6)) as range_:
        monkeypatch.setattr(latches, "write_secret", write_slowly)
        await range_.trips("spray")
        stop = Command("stop", OTHER, OPEN, "王工", range_.clock.now() + 5_000_000)
        answer = await range_.writer.carry_out(stop, Leave(urgent=True, free=True))
        assert answer.outcome is Outcome.DONE and range_.writes == [(SPARE, OPEN)]
        stopped.set()
        await range_.until(lambda: range_.linkages.latches.tripped["spray"].done, within=30)
        assert range_.writes == [(SPARE, OPEN)]
        [trip] = range_.told("trip")
        assert "ordered to stop since" in trip.attributes["written"][OTHER]["reason"]
