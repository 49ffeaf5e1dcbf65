"""The demonstration's belt line started and stopped by its sequences, on simulated devices over real sockets."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from bus.process import die_with_parent
from middleplatform.control import book
from middleplatform.control.book import Wish
from middleplatform.control.progress import Deed, Phase
from models.quality import GOOD
from tests.middleplatform.control.line import CODE, cut, driving, line, present

pytestmark = pytest.mark.timeout(240)


async def run_to(home, run, *phases, within_s=90.0):
    async with asyncio.timeout(within_s):
        while (found := await asyncio.to_thread(book.find, home, CODE, run)).phase not in phases:
            await asyncio.sleep(0.05)
    return found


async def known(live):
    """Until every point has a good value: the first ones may tell that the device is not connected yet."""
    async with asyncio.timeout(90):
        while not (live.shown >= GOOD).all():
            await asyncio.sleep(0.05)
            live.refresh()


async def test_the_line_starts_against_the_coal_though_its_driver_is_killed_and_a_trip_takes_it_back(tmp_path):
    async with line(tmp_path) as plant:
        start = cut(plant.site.sequences["start_belts"])
        words = ("-m", "tests.middleplatform.control.drive_program", str(tmp_path), plant.bus.url)
        first = await asyncio.create_subprocess_exec(
            sys.executable, *words, preexec_fn=die_with_parent, stdout=asyncio.subprocess.PIPE
        )
        await first.stdout.readline()
        async with present(tmp_path, plant.bus.url) as (bus, live), plant.gateway():
            await known(live)
            running = next(row for row, point in enumerate(live.points) if point.path.endswith("belt_102/running"))
            run = book.ask(tmp_path, CODE, start, "王工")
            await plant.until(lambda: plant.value("belt_101.running"))
            first.send_signal(signal.SIGKILL)
            await first.communicate()
            async with driving(tmp_path, bus, live):  # it waits until the lease of the first has run out
                found = await run_to(tmp_path, run, Phase.DONE, Phase.HELD)
                if found.phase is Phase.HELD:  # it was killed before the answer was written down
                    book.wish(tmp_path, CODE, run, Wish.RESUME, "王工")
                    await run_to(tmp_path, run, Phase.DONE)
                told = [each.line for each in book.lines(tmp_path, run)]
                given = [line.point for line in told if line.what is Deed.COMMAND]
                assert given == [f"{CODE}/belt_101/command", f"{CODE}/belt_102/command"], "each once"
                assert any(line.what is Deed.TAKE_OVER for line in told)
                assert plant.value("belt_101.speed") > 3.3 < plant.value("belt_102.speed")

                plant.mine.plant.command("belt_102", "command", 2)
                await plant.until(lambda: live.value[running] == 0)
                run = book.ask(tmp_path, CODE, start, "王工")
                await plant.until(lambda: plant.value("belt_102.running"))
                plant.mine.plant.disturb("belt_101", "pull_cord", 1)
                ended = await run_to(tmp_path, run, Phase.ABORTED)
                assert "belt_101/running = 1" in ended.progress.reason.en and not ended.progress.missed
                stops = [
                    each.line.point.split("/")[1]
                    for each in book.lines(tmp_path, run)
                    if each.line.what is Deed.COMMAND and each.line.value == 2
                ]
                assert set(stops) == {"belt_102"}, "belt 101 ran before this run, which has no business to stop it"
                await plant.until(lambda: plant.value("belt_102.speed") == 0.0)


@pytest.mark.proof
async def test_the_line_stops_with_the_coal(tmp_path):
    async with (
        line(tmp_path) as plant,
        present(tmp_path, plant.bus.url) as (bus, live),
        plant.gateway(),
        driving(tmp_path, bus, live),
    ):
        await known(live)
        run = book.ask(tmp_path, CODE, cut(plant.site.sequences["start_belts"]), "王工")
        await run_to(tmp_path, run, Phase.DONE)
        run = book.ask(tmp_path, CODE, cut(plant.site.sequences["stop_belts"]), "王工")
        await run_to(tmp_path, run, Phase.DONE)
        told = [each.line for each in book.lines(tmp_path, run)]
        assert [line.point.split("/")[1] for line in told if line.what is Deed.COMMAND] == ["belt_102", "belt_101"]
        assert plant.value("belt_101.speed") == 0.0 == plant.value("belt_101.running")
