"""A simulated mine at work: what its gateways would have told of it, and what it truly did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import simulators
from models.site.model import Point, Site
from models.spans import Spans
from models.utilisation.figure import Figure, figure
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.rules import Version, standard
from models.utilisation.signal import Signal
from models.utilisation.units import Unit, units
from sevenones.backfill.fill import STEP_US
from sevenones.backfill.lanes import Schedule
from sevenones.backfill.mine import simulated_mine, site_of
from sevenones.backfill.simulation import Job, simulated
from simulators.truth.records import read_events, read_intervals
from simulators.truth.utilisation import Share, of_equipment

MINES = Path(simulators.__file__).parent / "mines"
START = 1_772_380_800_000_000
"""2 March 2026, midnight at the mine."""
AFTER_S = 1800
"""Played on after the end of what is judged: a patrol is recorded when it checks out, which may take half an hour."""

Column = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]
"""Times, values and qualities of one point's samples."""


@dataclass
class Played:
    """`columns`: by point id. `truth`: intervals; `patrols`: unit → when somebody was on patrol there."""

    site: Site
    version: Version
    units: tuple[Unit, ...]
    start: int
    end: int
    columns: dict[int, Column]
    truth: pa.Table
    patrols: dict[str, Spans] = field(default_factory=dict)
    step_s: int = 1
    last: int = 0
    """Until when it was played, µs UTC."""

    def figure(self, unit: Unit, columns: dict[int, Column] | None = None) -> Figure:
        """Of one unit over all the time, out of these samples."""
        said = self.columns if columns is None else columns

        def read(point: Point) -> Signal:
            return Signal.of(*said[point.id], point.silence_s)

        category = self.version.categories[unit.category]
        events = {"patrol": self.patrols.get(unit.id, Spans.of([]))}
        facts = UnitFacts(unit, category, read, self.site.basis.rated, events)
        return figure(judge(category, facts), self.start, self.end)

    def true(self, unit: Unit) -> Share:
        """What the unit truly did."""
        return of_equipment(self.truth, _truth_name(unit), self.start, self.end)


def _truth_name(unit: Unit) -> str:
    """Simulators call the three machines by their face, and chambers by a number."""
    if unit.category == "face":
        return unit.id.replace("shearer", "face")
    return f"{unit.id}_1" if unit.category == "chamber" else unit.id


def play(
    mine: str,
    hours: float,
    home: Path,
    seed: int = 5,
    step_s: int = 1,
    more: Callable[[Site], Iterable[Point]] = lambda _: (),
    after_s: int = AFTER_S,
) -> Played:
    """So many hours of a mine that comes with the program, as its gateways report it. `step_s`: of the mine, which none
    of its points is read faster than; `more`: points besides those that utilisation reads."""
    step_us = step_s * STEP_US
    site = site_of(MINES / mine, {})
    version = standard().versions[-1]
    found = tuple(_read_by_steps(unit, step_us) for unit in units(site, version))
    needed = {point.id: point for unit in found for points in unit.points.values() for point in points}
    needed |= {point.id: point for point in more(site)}
    steps = (round(hours * 3600) + after_s) // step_s
    schedule = Schedule(tuple(needed.values()), dict(site.connections), step_us)
    make, given = simulated_mine(MINES / mine, home, START, seed, {}, float(step_s))
    read_from = tuple(site.connections[point.connection] for point in schedule.points)
    job = Job(make, given, schedule.points, read_from, steps, step_us)
    parts: list[tuple[NDArray[np.intp], Column]] = []
    with simulated(job) as blocks:
        for first, values, known in blocks:
            for rows, samples in schedule.take(first, values, known.unknown):
                parts.append((rows, (samples.ts.copy(), samples.value.copy(), samples.quality.copy())))
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows, kind="stable")
    cuts = np.searchsorted(rows[order], np.arange(len(schedule.points) + 1))
    whole = [np.concatenate([part[1][n] for part in parts])[order] for n in range(3)]
    columns = {
        point.id: (whole[0][a:b], whole[1][a:b], whole[2][a:b])
        for point, a, b in zip(schedule.points, cuts[:-1], cuts[1:], strict=True)
    }
    end = START + round(hours * 3600) * 1_000_000
    last = START + steps * step_us
    return Played(site, version, found, START, end, columns, read_intervals(home), _patrols(home, found), step_s, last)


def _read_by_steps(unit: Unit, step_us: int) -> Unit:
    return replace(unit, readings={point: max(step_us, every) for point, every in unit.readings.items()})


def _patrols(home: Path, found: tuple[Unit, ...]) -> dict[str, Spans]:
    """Check-ins, as a patrol system would record them."""
    events = [row for row in read_events(home).to_pylist() if row["kind"] == "patrol"]
    return {
        unit.id: Spans.of((row["begin"], row["end"]) for row in events if row["equipment"] == _truth_name(unit))
        for unit in found
        if unit.category == "chamber"
    }
