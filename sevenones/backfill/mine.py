"""The mine that a backfill simulates, and its truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.site import examine
from models.site.model import Site
from models.site.problems import SiteErrors
from sevenones.backfill.span import BackfillError
from simulators.design.mine import load_design
from simulators.engine.block import Block
from simulators.physics.record import Record
from simulators.plant import Plant
from simulators.truth.records import TruthWriter

STEP_S = 1.0


def site_of(folder: Path, environment: dict[str, str]) -> Site:
    """A site's folder, where no password needs to be set: no device is asked for anything. Raises SiteErrors."""
    found = examine(folder, environment=environment, require_environment=False)
    if found.site is None:
        raise SiteErrors(found.problems)
    return found.site


def simulated_mine(
    folder: Path, home: Path, start_us: int, seed: int, environment: dict[str, str], dt: float = STEP_S
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What builds the mine of a site folder, and what it is given. `dt`: s a step. Raises BackfillError where the
    folder does not say what is simulated, SiteErrors where it says it wrongly."""
    if load_design(folder) is None:
        raise BackfillError(
            f"{folder} 没有 simulation.yaml，不能回填 · has no simulation.yaml, so that there is no plant to simulate: "
            "--mine low, middle or high have one"
        )
    return TruthfulMine, {
        "folder": folder,
        "home": home,
        "start_us": start_us,
        "seed": seed,
        "environment": environment,
        "dt": dt,
    }


class TruthfulMine:
    """The plant of a site folder. The half that steps tells what was recorded; the half that follows it writes down,
    block by block, what it truly did, to `<home>/truth/`."""

    def __init__(
        self, folder: Path, home: Path, start_us: int, seed: int, environment: dict[str, str], dt: float = STEP_S
    ) -> None:
        design = load_design(folder)
        if design is None:
            raise BackfillError(f"{folder}: simulation.yaml is gone")
        self._plant = Plant(site_of(folder, environment), design, seed=seed, start_us=start_us, dt=dt)
        self.columns = self._plant.columns
        self._home, self._start_us = home, start_us
        self._truth: TruthWriter | None = None

    def step(self, values: NDArray[np.float64]) -> list[Record]:
        """Go on by the rows of `values`, see `Engine.step`; what was recorded in them."""
        self._plant.engine.step(values)
        told = (getattr(part, "events", None) for part in self._plant.engine.parts)
        return [event for events in told if callable(events) for event in events() if isinstance(event, Record)]

    def follow(self, values: NDArray[np.float64], records: list[Record]) -> Block:
        """Complete what the other half stepped, see `Engine.follow`, and write the truth of it."""
        block = self._plant.engine.follow(values)
        if self._truth is None:
            self._truth = TruthWriter(self._home, self._plant.columns, self._start_us)
        self._truth.take(block, records)
        return block

    def close(self) -> None:
        """Write what is left of it."""
        if self._truth is not None:
            self._truth.close()
