"""The watch is killed at random moments while alarms come and go: none is lost and none comes twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

import pytest

from bus.credentials import folder
from middleplatform.alarms.condition import State
from tests.middleplatform.watch.build import now, site
from tests.middleplatform.watch.stage import stage

OPEN = 5
"""Alarms that are raised at a time, each until as many others were raised after it."""

SENSORS, PACE_S = 480, 0.15
"""One is raised again after 72 s, as three turns within a minute would be chattering; so they do not run out, however
long the kills take."""

MOMENTS = ("before", "within", "after", "never")
"""When the watch dies: see `lives`; what never dies by itself is killed at any moment."""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(8, marks=pytest.mark.timeout(900)),
        pytest.param(100, marks=[pytest.mark.proof, pytest.mark.timeout(3600)]),
    ],
)
async def test_no_kill_loses_or_repeats_an_alarm(tmp_path, place, kills):
    if kills == 8 and not isinstance(place, os.PathLike):
        pytest.skip("the long form kills on both")
    dice = random.Random(7)
    async with stage(tmp_path, place, site(gas=SENSORS, belts=SENSORS)) as mine:
        given = (str(place), mine.running.url, str(folder(tmp_path) / "watch.json"), str(SENSORS))
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        lives = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.middleplatform.watch.lives"), *given, **pipes
        )

        async def begin(moment: str = "never") -> int:
            lives.stdin.write(f"{moment} {dice.randint(1, 4)}\n".encode())
            return int(await asyncio.wait_for(lives.stdout.readline(), 60))

        told, said, done = [], 0, asyncio.Event()

        async def speak() -> None:
            """Each sensor and each belt in turn is above its limit, and a few turns later below it again."""
            nonlocal said
            while not done.is_set():
                for key in ("gas{}/ch4", "belt{}/speed"):
                    ts = now()
                    rows = [(key.format(said % SENSORS), ts, 2.0)]
                    if said >= OPEN:
                        rows.append((key.format((said - OPEN) % SENSORS), ts, 0.1))
                    await mine.say(*rows)
                    told.extend((name, "raise" if value > 1 else "return", ts) for name, ts, value in rows)
                said += 1
                await asyncio.sleep(PACE_S)

        try:
            speaking = asyncio.create_task(speak())
            for number in range(kills):
                moment = MOMENTS[number % len(MOMENTS)]
                pid = await begin(moment)
                if moment == "never":
                    await asyncio.sleep(dice.uniform(0.1, 1.0))
                    os.kill(pid, signal.SIGKILL)
                await mine.until(lambda: not alive(pid))  # noqa: B023 - waited for
            await begin()
            done.set()
            await speaking
            expected = sorted(told)
            await mine.until(lambda: len(mine.journal()) >= len(expected), within=120)
        finally:
            lives.stdin.close()
            lives.kill()
            await lives.wait()
        found = mine.journal()
        assert sorted((name, act, ts) for name, act, ts, _ in found) == expected
        assert not [each for each in found if each[3]], "what was stored in time is never late"
        states = mine.states()
        last = {name: act for name, act, _ in told}
        open_now = {name for name, act in last.items() if act == "raise"}
        assert {name for name, state in states.items() if state is State.UNACKNOWLEDGED} == open_now
