"""Pumps take turns by level and tariff: the rules one by one, and a simulated day and a half of water."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from middleplatform.api.live import LiveTable
from middleplatform.audit.log import entries
from middleplatform.control import book, turning
from middleplatform.control.attend import look_at
from middleplatform.control.rotation import choose
from models.quality import GOOD
from models.samples import Samples
from models.sequence import Condition, Rotation, Turn
from models.site import load
from models.site.model import Name
from models.tariffs import Period, period_at
from simulators.design.drainage import DrainageDesign
from simulators.physics.drainage.part import Drainage
from simulators.physics.order import REMOTE
from tests.middleplatform.control.plant import start_line

LOW = Path(__file__).parents[3] / "simulators" / "mines" / "low"
ZONE = ZoneInfo("Asia/Shanghai")
PUMPS = ("pump_1", "pump_2", "pump_3")
TURNS = tuple(
    Turn(pump, f"start_{pump}", f"stop_{pump}", Condition(f"m/{pump}/state", one_of=(1.0, 2.0, 3.0)), f"m/{pump}/hours")
    for pump in PUMPS
)
MAIN = Rotation("main", Name("主", "main"), "m/room/level", 1.2, 2.2, 3.0, 3.8, "shanxi", TURNS, "test")


def chosen(level, period, on=(), dark=(), hours=None, failed=()):
    hours = hours or {"pump_1": 30.0, "pump_2": 10.0, "pump_3": 20.0}

    def look(path):
        _, thing, key = path.split("/")
        if thing == "room":
            return level
        return None if thing in dark else hours[thing] if key == "hours" else 2.0 * (thing in on)

    return choose(MAIN, look, period, failed).sequence


@pytest.mark.parametrize(
    ("level", "period", "on", "then"),
    [
        (2.5, Period.VALLEY, (), "start_pump_2"),  # the least worn
        (2.1, Period.VALLEY, (), ""),
        (2.1, Period.VALLEY, ("pump_1",), ""),  # it goes on until low
        (1.2, Period.VALLEY, ("pump_1",), "stop_pump_1"),
        (2.5, Period.FLAT, (), ""),
        (3.0, Period.FLAT, (), "start_pump_2"),
        (3.5, Period.PEAK, (), ""),
        (2.9, Period.PEAK, ("pump_2",), "stop_pump_2"),
        (3.1, Period.SHARP, ("pump_2",), ""),
        (3.8, Period.SHARP, (), "start_pump_2"),  # forced, whatever the hour
        (3.8, Period.SHARP, ("pump_2",), "start_pump_3"),
        (3.9, Period.PEAK, ("pump_2", "pump_3"), ""),
        (1.0, Period.FLAT, ("pump_1", "pump_2"), "stop_pump_1"),  # the most worn
        (None, Period.VALLEY, ("pump_1",), ""),
    ],
)
def test_level_and_hour_say_which_pump(level, period, on, then):
    assert chosen(level, period, on) == then


def test_what_is_not_known_may_run_and_what_failed_waits():
    assert chosen(2.5, Period.VALLEY, dark=("pump_1",)) == ""
    assert chosen(3.9, Period.VALLEY, dark=("pump_1",)) == "start_pump_2"
    assert chosen(2.5, Period.VALLEY, failed=("pump_2",)) == "start_pump_3"
    assert chosen(2.5, Period.VALLEY, failed=PUMPS) == "start_pump_2"


def test_what_is_stale_decides_nothing_and_is_told():
    stale = {"pump_1": None, "pump_2": 10.0, "pump_3": 20.0}
    assert chosen(2.5, Period.VALLEY, hours=stale) == "start_pump_2", "not known is not new"
    nothing = dict.fromkeys(PUMPS)
    assert chosen(2.5, Period.VALLEY, hours=nothing) == ""
    assert chosen(3.8, Period.SHARP, hours=nothing) == "start_pump_1", "forced: better the wrong pump than none"
    assert chosen(1.2, Period.VALLEY, on=("pump_1",), hours=nothing) == "stop_pump_1"

    def look(path):
        return {"level": 2.5, "state": None, "hours": 1.0}[path.split("/")[2]]

    assert "pump_1, pump_2, pump_3 not known" in choose(MAIN, look, Period.VALLEY).words.en


async def test_points_are_looked_at_anew_before_a_rotation_turns(tmp_path: Path):
    """The level was good when it last came, an hour ago, and nobody has let time pass since."""
    site = load(LOW, environment={f"SEVENONES_{name}_PASSWORD": "unused" for name in ("OPCUA", "MQTT")})
    rotation = next(iter(site.rotations.values()))
    clock = [1_800_000_000_000_000]
    live = LiveTable(site, clock=lambda: clock[0])
    rows = [row for row, point in enumerate(site.points) if point.path in rotation.points()]
    ids = np.array([site.points[row].id for row in rows], np.uint64)
    values = [rotation.high + 0.1 if site.points[row].path == rotation.level else 0.0 for row in rows]
    stamps = np.full(len(rows), clock[0], np.int64)
    live.update(Samples(ids, stamps, np.array(values), np.full(len(rows), GOOD, np.uint8), None))
    clock[0] += 3_600_000_000
    turning.switch(tmp_path, site.code, rotation.id, True, "王工")
    look = look_at(live)
    assert look(rotation.level) is not None
    task = asyncio.create_task(turning.turn(site, tmp_path, look, lambda: True, live.refresh, every_s=0.05))
    try:
        async with asyncio.timeout(30):
            while look(rotation.level) is not None:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert book.listed(tmp_path, site.code) == []


def test_the_tariff_of_the_day_holds():
    assert period_at("shanxi", datetime(2026, 4, 30, 3, tzinfo=ZONE)) is Period.VALLEY
    assert period_at("shanxi", datetime(2026, 4, 30, 12, tzinfo=ZONE)) is Period.VALLEY
    assert period_at("shanxi", datetime(2026, 5, 1, 1, tzinfo=ZONE)) is Period.FLAT, "the valley is at noon since May"
    assert period_at("shanxi", datetime(2026, 11, 26, 12, tzinfo=ZONE)) is Period.VALLEY
    assert period_at("shanxi", datetime(2026, 12, 24, 18, tzinfo=ZONE)) is Period.SHARP
    with pytest.raises(KeyError):
        period_at("shanxi", datetime(2021, 1, 1, tzinfo=ZONE))


def test_a_simulated_day_and_a_half_stays_within_its_levels_and_out_of_dear_hours():
    begin = datetime(2026, 11, 26, 0, tzinfo=ZONE)
    design = DrainageDesign(pumps=PUMPS, sump_area=300.0, inflow=150.0)
    part = Drainage(design, int(begin.timestamp() * 1e6), np.random.default_rng(3))
    part.mode = REMOTE
    part.order = part._ordered
    row = np.zeros(len(part.channels))
    energy: Counter[bool] = Counter()
    levels, starts = [], Counter()
    dt, steps = 2.0, 36 * 1800
    for n in range(steps):
        part.step(dt, row)
        if n % 30:
            continue
        part.control.commanded = True  # the centre decides, not the room's own controller
        period = period_at("shanxi", begin + timedelta(seconds=dt * n))
        of = dict(zip(PUMPS, part.pumps, strict=True))

        def look(path, of=of):
            _, thing, key = path.split("/")
            if thing == "room":
                return part.level
            return of[thing].hours if key == "hours" else 2.0 * (of[thing].wanted or not of[thing].resting)

        choice = choose(MAIN, look, period)
        what, _, pump = choice.sequence.partition("_")
        if what:
            part.command(pump, "command", 1.0 if what == "start" else 2.0)
            starts[pump] += what == "start"
        energy[period.dear] += sum(part.power_kw.values()) * 60 / 3600
        levels.append(part.level)
    assert min(levels) > 1.0 and max(levels) < 4.2 and part.spilled_m3 == 0.0
    assert sum(starts.values()) >= 2 and len(starts) >= 2, "they take turns"
    assert energy[True] < 0.35 * (energy[True] + energy[False]), energy


def test_a_rotation_that_runs_asks_for_one_run_at_a_time(tmp_path: Path):
    sequences = {f"{what}_{pump}": start_line() for pump in PUMPS for what in ("start", "stop")}
    sequences = {name: replace(each, id=name) for name, each in sequences.items()}
    code = "140525000099"
    site = SimpleNamespace(code=code, time_zone="Asia/Shanghai", sequences=sequences, rotations={"main": MAIN})
    noon = int(datetime(2026, 11, 26, 4, tzinfo=UTC).timestamp() * 1e6)

    def look(path):
        return {"level": 2.5, "state": 0.0, "hours": 1.0}[path.split("/")[2]]

    assert turning.running(tmp_path, code) == {}
    turning.switch(tmp_path, code, "main", True, "王工")
    assert turning.running(tmp_path, code) == {"main": "王工"}
    run, _ = turning.turn_once(site, tmp_path, MAIN, look, noon)
    again, words = turning.turn_once(site, tmp_path, MAIN, look, noon)
    assert run is not None and again is None and words.en == f"waits for run {run} to end"
    found = book.find(tmp_path, code, run)
    assert found.who == "rotation:main" and found.sequence.id == "start_pump_1" and "valley hours" in found.note
    turning.switch(tmp_path, code, "main", False, "王工")
    assert turning.running(tmp_path, code) == {}
    assert {each.what for each in entries(tmp_path, what="rotation.")} == {"rotation.run", "rotation.rest"}
