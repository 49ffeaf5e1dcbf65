"""Plays a scenario on the simulated mine alone, as fast as it goes, and gives what its sensors show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.site.model import Site
from simulators.design.mine import load_design
from simulators.engine.block import Block
from simulators.faults.catalogue import fault_of
from simulators.faults.dispatch import Faults
from simulators.faults.rehearsal import SETTLE_S
from simulators.faults.scenario import Scenario
from simulators.faults.schedule import Schedule, play
from simulators.plant import Plant
from simulators.plant.sketch import sketch

Take = Callable[[NDArray[np.int64], NDArray[np.float64]], None]


def play_channels(
    scenario: Scenario,
    site: Site,
    folder: Path,
    points: Sequence[str],
    take: Take,
    settle_s: float = SETTLE_S,
) -> tuple[str, ...]:
    """Give `take` each block's times (µs, [steps]) and values ([steps, points]) of these points (equipment/key) from
    the scenario's start on. Returns the points that the mine does not simulate: theirs are NaN. Raises SiteErrors,
    FaultError."""
    start = scenario.start_us - round(settle_s * 1e6)
    plant = Plant(site, load_design(folder) or sketch(site), seed=scenario.seed, start_us=start)
    faults = Faults(site, plant)
    entries = tuple(entry for entry in scenario.faults if fault_of(entry.fault).target not in ("device", "link"))
    known = set(plant.columns)
    names = tuple(point.replace("/", ".") for point in points)
    there = tuple(name for name in names if name in known)
    places = [names.index(name) for name in there]
    paths = {point.path: f"{point.equipment}.{point.key}" for point in site.points}
    columns = {path: there.index(name) for path, name in paths.items() if name in there}

    def each(block: Block) -> None:
        shown = block.pick(there)
        faults.distortions.apply(block.ts, shown, columns)
        after = block.ts >= scenario.start_us
        values = np.full((len(block.ts), len(names)), np.nan)
        values[:, places] = shown
        take(block.ts[after], values[after])

    play(plant.engine, Schedule(scenario.model_copy(update={"faults": entries}), faults), scenario.end_us, each)
    return tuple(point for point, name in zip(points, names, strict=True) if name not in known)
