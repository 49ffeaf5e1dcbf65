"""A folder of a fault, replayed through the real adapters and a gateway's connections."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.chunk import Chunk, Receipt
from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.diagnostics import Diagnostics
from gateway.schedule import phases
from models.events import Event
from models.quality import UNCERTAIN, label
from models.site.model import Site
from tests.faults import folder
from tests.faults.folder import Expected, Step
from tests.faults.players import Player, players

WITHIN_S = 20.0
"""A step's points must be what they should be by then; what a folder does takes a second or two."""

Sample = tuple[float, str | None, int]


class Kept:
    """A sink that remembers every sample of each point, in their order."""

    def __init__(self) -> None:
        self.samples: dict[int, list[Sample]] = {}
        self.events: list[Event] = []

    def put(self, chunk: Chunk) -> None:
        rows = chunk.samples
        texts = [None] * len(rows) if rows.text is None else rows.text.to_pylist()
        for point, value, quality, text in zip(
            rows.point.tolist(), rows.value.tolist(), rows.quality.tolist(), texts, strict=True
        ):
            self.samples.setdefault(point, []).append((value, text, quality))

    def emit_events(self, events: Sequence[Event], receipt: Receipt | None = None) -> None:
        self.events += events

    async def room(self) -> None:
        return

    def settle(self, receipt: Receipt) -> None:
        receipt.release()


class Replay:
    """The folder's connections, running, and what they made of it."""

    def __init__(self, site: Site) -> None:
        self.sink = Kept()
        self.site = site
        clock = WallClock()
        specs = list(site.connections.values())
        offsets = phases(specs)
        self.connections = [DeviceConnection(s, site.points_of(s.name), offsets, clock, self.sink) for s in specs]
        self.diagnostics = Diagnostics(self.connections, dict)
        self.known: dict[str, list[Expected]] = {}

    async def reach(self, step: Step, playing: list[Player]) -> None:
        for path, one in step.points.items():
            self.known.setdefault(path, []).append(one)
        ends = time.monotonic() + WITHIN_S
        while wrong := self.wrong(step.points):
            mistakes = [mistake for player in playing for mistake in player.mistakes]
            assert not mistakes, mistakes[:3]
            if time.monotonic() > ends:
                pytest.fail(f"{step.name}: " + "; ".join(wrong))
            await asyncio.sleep(0.02)
        if step.lasts_s:
            await asyncio.sleep(step.lasts_s)
            if wrong := self.wrong(step.points):
                pytest.fail(f"{step.name}, {step.lasts_s:g} s later: " + "; ".join(wrong))

    def wrong(self, expected: dict[str, Expected]) -> list[str]:
        """What is not as it should be, in words."""
        words = []
        for point in self.site.points:
            want = expected[point.path]
            seen = self.sink.samples.get(point.id)
            if not seen:
                words.append(f"{point.path} has no sample")
                continue
            value, text, quality = seen[-1]
            reason = (self.diagnostics.of(point.path) or {})["reason"] or ""
            if not want.fits(value, text, quality):
                words.append(f"{point.path} is {text or value}, {label(quality, 'en')} ({reason}), and not {want}")
            elif want.reason not in reason:
                words.append(f"{point.path}: the reason is '{reason}' and not '{want.reason}'")
        return words

    def never_wrong(self) -> None:
        """No sample that calls itself usable was ever another than the expected ones."""
        for point in self.site.points:
            for value, text, quality in self.sink.samples[point.id]:
                usable = quality >= UNCERTAIN
                if usable and not any(one.fits(value, text, quality) for one in self.known[point.path]):
                    pytest.fail(f"{point.path} was {text or value}, {label(quality, 'en')}, for a moment")


async def replay(fault: Path, work: Path) -> None:
    """Play a fault's steps and hold what comes of them against what is expected. `work`: an empty folder."""
    playing = players(fault, work)
    assert playing, f"{fault.name} has no recording"
    environment = {key: value for player in playing for key, value in player.environment.items()}
    run = Replay(folder.site(fault, work / "site", environment))
    steps = folder.steps(fault)
    assert {p.path for p in run.site.points} == set(steps[0].points), "the first step says what each point is"
    for player in playing:
        await player.start()
        await player.enter(steps[0].name)
    running = [asyncio.create_task(connection.run()) for connection in run.connections]
    try:
        for step in steps:
            if step is not steps[0]:
                for player in playing:
                    await player.enter(step.name)
            await run.reach(step, playing)
        run.never_wrong()
    finally:
        for task in running:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*running, return_exceptions=True)
        for player in playing:
            await player.stop()
