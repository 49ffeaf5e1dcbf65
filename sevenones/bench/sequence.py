"""Steps of sequences a second, and what a step takes beside the plant's own time: journal on disk (SQLite), tick,
command and answer, with a plant that obeys at once."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from middleplatform.control import book
from middleplatform.control.driver import Driver
from models.command import Answer, Command, Outcome
from models.sequence import Condition, Direction, Sequence, Step
from models.site.model import Connection, Kind, Name, Point, Retention, Site

CODE = "140525000001"
NO = Name("", "")


class _Plant:
    """Points that hold what was commanded, at once."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def look(self, path: str) -> float:
        return self.values.get(path, 0.0)

    async def send(self, gateway: str, command: Command) -> Answer:
        assert isinstance(command.value, int | float)  # noqa: S101
        self.values[command.point] = float(command.value)
        return Answer(command.id, command.point, Outcome.DONE, NO)


def run(steps: int, runs: int) -> dict[str, Any]:
    """So many runs of so many steps, first one alone, then all beside each other."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    alone = asyncio.run(_measure(steps, 1))
    beside = asyncio.run(_measure(steps, runs))
    return {
        "steps": steps,
        "runs": runs,
        "step_ms": round(1000 * alone / steps, 2),
        "steps_per_s_beside_each_other": round(steps * runs / beside, 1),
    }


async def _measure(steps: int, runs: int) -> float:
    plant = _Plant()
    with tempfile.TemporaryDirectory(prefix="sevenones-sequence-") as folder:
        where = Path(folder)
        driver = Driver(_site(steps, runs), where, plant.look, plant.send)
        driving = asyncio.create_task(driver.run())
        try:
            began = time.perf_counter()
            numbers = [book.ask(where, CODE, _sequence(n, steps), "bench") for n in range(runs)]
            while not all(book.find(where, CODE, number).ended for number in numbers):  # noqa: ASYNC110 - none is told
                await asyncio.sleep(0.02)
            return time.perf_counter() - began
        finally:
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)


def _path(run: int, step: int) -> str:
    return f"{CODE}/machine_{run}/command_{step}"


def _sequence(run: int, steps: int) -> Sequence:
    def step(n: int, value: float) -> Step:
        path = _path(run, n)
        return Step(f"s{n}", NO, ((path, value),), (Condition(path, one_of=(value,)),), within_s=10.0)

    forth, back = (tuple(step(n, value) for n in range(steps)) for value in (1.0, 2.0))
    return Sequence(f"bench_{run}", NO, Direction.START, forth, back)


def _site(steps: int, runs: int) -> Site:
    nan = float("nan")
    points = tuple(
        Point(
            _path(run, n), run * steps + n, f"{CODE}/machine_{run}", f"command_{n}", NO, "command.run", Kind.STATE, "",
            Retention.BULK, "plc", "default", "", "", "", 1.0, 0.0, nan, nan, 0.0, 30.0, writable=True,
        )
        for run in range(runs)
        for n in range(steps)
    )  # fmt: skip
    return Site(
        CODE, NO, 1, "low", "Asia/Shanghai", "", {}, {}, {"plc": Connection("plc", "edge1", "", {}, {})}, points
    )
