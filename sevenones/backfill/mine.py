"""The mine that a backfill simulates, and its truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    folder: Path, home: Path, start_us: int, seed: int, environment: dict[str, str]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What builds the mine of a site folder, and what it is given. Raises BackfillError where the folder does not say
    what is simulated, SiteErrors where it says it wrongly."""
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
    }


class TruthfulMine:
    """The plant of a site folder, which writes down block by block what it truly did, to `<home>/truth/`."""

    def __init__(self, folder: Path, home: Path, start_us: int, seed: int, environment: dict[str, str]) -> None:
        design = load_design(folder)
        if design is None:
            raise BackfillError(f"{folder}: simulation.yaml is gone")
        self._plant = Plant(site_of(folder, environment), design, seed=seed, start_us=start_us, dt=STEP_S)
        self._truth = TruthWriter(home, self._plant.columns, start_us)

    def run(self, steps: int) -> Block:
        """Go on, and write the truth of it."""
        block = self._plant.run(steps)
        self._truth.take(block, self._records())
        return block

    def _records(self) -> list[Record]:
        told = (getattr(part, "events", None) for part in self._plant.engine.parts)
        return [event for events in told if callable(events) for event in events() if isinstance(event, Record)]

    def close(self) -> None:
        """Write what is left of it."""
        self._truth.close()
