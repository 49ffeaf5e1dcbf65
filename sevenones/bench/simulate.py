"""`bench simulate`: one full mine at 1 s a step on one core: simulated seconds a second, and where the time goes;
then what `--mine big` serves, by protocol, and the CPU that it takes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import simulators
from sevenones.backfill.mine import STEP_S, site_of
from sevenones.bench import served
from simulators.design.mine import load_design
from simulators.plant import Plant

STEPS = 600
START_US = 1_767_222_000_000_000
"""2026-01-01 07:00 in China: a shift begins."""
WARM_BLOCKS = 12
"""Two hours, until all that produces does."""


def run(*, short: bool = False, mine: str = "middle", seed: int = 1) -> dict[str, Any]:
    """Simulate so and so many hours of a shift, then serve; `short`: within a minute and with fewer points."""
    plant = _plant(mine, seed)
    for _ in range(2 if short else WARM_BLOCKS):
        plant.run(STEPS)
    blocks = 6 if short else 48
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(blocks):
        plant.run(STEPS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    simulated = blocks * STEPS * STEP_S
    return {
        "bench": "simulate",
        "mine": mine,
        "channels": len(plant.columns),
        "dt_s": STEP_S,
        "simulated_s": simulated,
        "sim_s_per_s": round(simulated / cpu),
        "sim_s_per_wall_s": round(simulated / wall),
        "us_per_step": round(cpu / (blocks * STEPS) * 1e6, 1),
        "us_per_step_by_part": _by_part(plant, 2 if short else 6),
        "served": served.run(2_000 if short else 100_000, 10 if short else 60),
    }


def _plant(mine: str, seed: int) -> Plant:
    folder = Path(simulators.__file__).parent / "mines" / mine
    design = load_design(folder)
    if design is None:
        raise ValueError(f"{folder} has no simulation.yaml")
    return Plant(site_of(folder, dict(os.environ)), design, seed=seed, start_us=START_US, dt=STEP_S)


def _by_part(plant: Plant, blocks: int) -> dict[str, dict[str, float]]:
    """CPU of each part's `step` and `observe`, µs a step, the dearest first. Timing itself costs 0.4 µs a call."""
    clock = time.thread_time_ns
    parts = plant.engine.parts
    widths = [len(part.channels) for part in parts]
    step_ns, observe_ns = np.zeros(len(parts)), np.zeros(len(parts))
    for _ in range(blocks):
        ours = [np.full((STEPS, width), np.nan) for width in widths]
        for number, turn in enumerate(plant.engine.turns(STEPS)):
            for at, passed in turn:
                began = clock()
                parts[at].step(passed, ours[at][number])
                step_ns[at] += clock() - began
        for at in range(len(parts)):
            began = clock()
            plant.engine.observe(at, ours[at])
            observe_ns[at] += clock() - began
    steps = blocks * STEPS * 1000
    found: dict[str, dict[str, float]] = {}
    for at in np.argsort(-(step_ns + observe_ns)):
        name = _name(parts[at])
        one = found.setdefault(name, {"step": 0.0, "observe": 0.0})
        one["step"] = round(one["step"] + float(step_ns[at]) / steps, 1)
        one["observe"] = round(one["observe"] + float(observe_ns[at]) / steps, 1)
    return found


def _name(part: Any) -> str:
    kind = type(part).__name__
    return "joints" if kind == "Joint" else kind.lower()
