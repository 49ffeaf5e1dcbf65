"""The two halves put together."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.site.model import Kind, Point, Site
from sevenones.backfill.intake import Intake
from sevenones.backfill.lanes import Schedule
from sevenones.backfill.simulation import Job, Told, simulated
from sevenones.backfill.span import BackfillError, Span, check_disk

STEP_US = 1_000_000

Progress = Callable[[int, int], None]
"""Simulated seconds that were taken in, and samples."""


@dataclass(frozen=True)
class Filled:
    """What became of it. `seconds` simulated of those that were asked for; fewer when it was interrupted."""

    seconds: int
    samples: int
    points: int
    left_out: int
    took_s: float
    told: Told

    @property
    def mean_interval_s(self) -> float:
        """Between two samples of a point."""
        return self.seconds * self.points / max(1, self.samples)


def read_points(site: Site) -> tuple[Point, ...]:
    """The points that are read from devices and are numbers."""
    return tuple(point for point in site.points if point.formula is None and point.kind is not Kind.TEXT)


def fill(
    site: Site,
    home: Path,
    when: Span,
    make: Callable[..., Any],
    given: dict[str, Any],
    progress: Progress | None = None,
) -> Filled:
    """Simulate `when` and store it. `make(**given)` builds the mine, an Engine, in a process of its own. Ends early,
    consistent, at a Ctrl-C. Raises BackfillError."""
    points = read_points(site)
    if not points:
        raise BackfillError(f"{site.code} 没有测点 · has no points that are read from devices")
    check_disk(home, len(points), when.seconds)
    connections = dict(site.connections)
    schedule = Schedule(points, connections, STEP_US)
    read_from = tuple(connections[point.connection] for point in schedule.points)
    job = Job(make, given, schedule.points, read_from, when.seconds, STEP_US)
    began, seconds, told = time.monotonic(), 0, Told()
    intake = Intake(site, schedule.points, home)
    try:
        with _interrupted() as stop, simulated(job) as blocks:
            for first, values, known in blocks:
                told = known
                intake.put(schedule.take(first, values, known.unknown))
                seconds += len(values)
                if progress is not None:
                    progress(seconds, intake.samples)
                if stop.is_set():
                    break
    finally:
        intake.close()
    left_out = len(site.points) - len(points)
    return Filled(seconds, intake.samples, len(points), left_out, time.monotonic() - began, told)


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Set by Ctrl-C or SIGTERM: what is being written is written whole."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
