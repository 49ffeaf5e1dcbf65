"""`bench follow`: what it saves that belts' speeds follow their coal. The same mine, hours and seed twice: once every
belt of the line follows, once each keeps its rated speed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import simulators
from models.site.model import Site
from sevenones.backfill.mine import site_of
from simulators.design.mine import MineDesign, load_design
from simulators.plant import Plant

BLOCK = 600
WARM_UP_S = 3600


def run(*, mine: str, hours: float, begin: str, seed: int) -> dict[str, Any]:
    """kWh/t of each belt that carried coal, and of all together for a tonne raised, over so many hours from a local
    time on."""
    folder = Path(simulators.__file__).parent / "mines" / mine
    site = site_of(folder, {})
    design = load_design(folder)
    if design is None or design.belts is None:
        raise ValueError(f"{mine} has no belts that are simulated")
    fixed, following = (_measure(site, _with(design, follows=each), hours, begin, seed) for each in (False, True))
    belts = {}
    for belt, (kwh, tonnes) in fixed.items():
        kwh_too, tonnes_too = following[belt]
        if min(tonnes, tonnes_too) > 0:
            belts[belt] = {
                "t": round(tonnes),
                "t_following": round(tonnes_too),
                **_compared(kwh / tonnes, kwh_too / tonnes_too),
            }
    surface = next(name for name, belt in design.belts.belts.items() if belt.onto is None)
    whole = [sum(kwh for kwh, _ in each.values()) / each[surface][1] for each in (fixed, following)]
    return {"bench": "follow", "mine": mine, "hours": hours, "begin": begin, "seed": seed, "belts": belts,
            "line": _compared(*whole)}  # fmt: skip


def _compared(fixed: float, following: float) -> dict[str, float]:
    return {
        "fixed_kwh_per_t": round(fixed, 4),
        "following_kwh_per_t": round(following, 4),
        "saved_kwh_per_t": round(fixed - following, 4),
        "saved_share": round(1.0 - following / fixed, 3),
    }


def _with(design: MineDesign, *, follows: bool) -> MineDesign:
    found = design.model_dump()
    for belt in found["belts"]["belts"].values():
        belt["follow_flow"] = follows
    return MineDesign.model_validate(found)


def _measure(site: Site, design: MineDesign, hours: float, begin: str, seed: int) -> dict[str, tuple[float, float]]:
    """Belt → kWh and tonnes that have left its head."""
    start = datetime.fromisoformat(begin).replace(tzinfo=ZoneInfo(site.time_zone))
    plant = Plant(site, design, seed=seed, start_us=round(start.timestamp() * 1e6) - WARM_UP_S * 1_000_000)
    names = list(design.belts.belts) if design.belts is not None else []
    columns = [plant.columns[f"{name}!{key}"] for name in names for key in ("kwh", "tonnes")]
    before = plant.run(WARM_UP_S).values[-1, columns]
    left = round(hours * 3600)
    while left > 0:
        block = plant.run(min(BLOCK, left))
        left -= BLOCK
    grown = (block.values[-1, columns] - before).tolist()
    return {name: (grown[2 * n], grown[2 * n + 1]) for n, name in enumerate(names)}
