"""The mine that a backfill simulates."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sevenones.backfill.span import BackfillError

STEP_S = 1.0


def simulated_mine(folder: Path, start_us: int, seed: int) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What builds the plant of a site folder, and what it is given. Raises BackfillError when the folder does not
    say what is simulated."""
    if not (folder / "simulation.yaml").exists():
        raise BackfillError(
            f"{folder} 没有 simulation.yaml，不能回填 · has no simulation.yaml, so that there is no plant to simulate: "
            "--mine low, middle or high have one"
        )
    return build, {"folder": folder, "start_us": start_us, "seed": seed, "environment": dict(os.environ)}


def build(folder: Path, start_us: int, seed: int, environment: dict[str, str]) -> Any:
    """The plant, in the simulating process."""
    from models.site import load
    from simulators.plant import build as build_plant

    return build_plant(load(folder, environment=environment), folder, start_us=start_us, dt=STEP_S, seed=seed)
