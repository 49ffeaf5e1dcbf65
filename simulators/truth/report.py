"""The truth of a run in figures: utilisation by category beside what the mine declares, tonnes, kWh, balances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.site.model import Site
from simulators.design.utilisation import categories, members, overall
from simulators.faults.scenario_check import section
from simulators.truth.records import read_intervals
from simulators.truth.utilisation import NOTHING, Share, by_category, totals

WINS = ("shearer", "roadheader")
"""Templates of what wins coal."""
LOSSES = "losses"
"""What the truth calls what the network loses."""
INCOMING = "meter_incoming"


@dataclass(frozen=True, slots=True)
class Category:
    """One category: `declared` is NaN where the mine declares none, `share` where nothing was produced."""

    zh: str
    en: str
    members: tuple[str, ...]
    true: Share
    declared: float


@dataclass(frozen=True, slots=True)
class Report:
    """`start_us`, `end_us`: what the truth spans. `totals`: equipment → tonnes and kWh. `won`, `raised`: tonnes won
    at faces, and carried to the surface. `used`, `lost`: kWh of all consumers, and of the network on the way to them;
    `taken`: kWh by the incoming line. NaN where the truth does not tell."""

    start_us: int
    end_us: int
    categories: Mapping[str, Category]
    totals: Mapping[str, tuple[float, float]]
    won: float
    raised: float
    used: float
    lost: float
    taken: float

    @property
    def utilisation(self) -> float:
        """The mean of the categories."""
        return overall({name: category.true.share for name, category in self.categories.items()})

    @property
    def declared(self) -> float:
        """What the mine says it is: the mean of the categories that it has equipment in."""
        told = {name: category for name, category in self.categories.items() if category.members}
        return overall({name: category.declared for name, category in told.items()})


def report(home: Path, site: Site, folder: Path) -> Report | None:
    """The report of the truth in `home`; None when there is none. `folder`: the site's, with its
    simulation.yaml. Raises SiteErrors where that is not YAML."""
    intervals = read_intervals(home)
    if not len(intervals):
        return None
    templates = {name: equipment.template for name, equipment in site.equipment.items()}
    crew = section(folder, "crew")
    places = {str(name): str(place["category"]) for name, place in (crew.get("places") or {}).items()}
    declared = section(folder, "utilisation")
    of = members(templates, places)
    shares = by_category(intervals, of)
    found = totals(intervals)
    belts = section(folder, "belts").get("belts") or {}
    heads = [name for name, belt in belts.items() if not belt.get("onto")]
    power = section(folder, "power")
    unknown = (math.nan, math.nan)
    # A consumer of which nothing is told would look like a loss: then the sum is not known.
    used = [found.get(name, unknown)[1] for name in power.get("consumers") or {}]
    return Report(
        int(intervals["start"].to_numpy().min()),
        int(intervals["end"].to_numpy().max()),
        {
            name: Category(
                category.zh, category.en, of[name], shares.get(name, NOTHING), float(declared.get(name, math.nan))
            )
            for name, category in categories().items()
        },
        found,
        _sum(found[name][0] for name, template in templates.items() if template in WINS and name in found),
        _sum(found[name][0] for name in heads if name in found),
        math.fsum(used) if used else math.nan,
        found.get(LOSSES, unknown)[1],
        found.get(power.get("incoming", INCOMING), unknown)[1],
    )


def _sum(values: object) -> float:
    """NaN when there is nothing to add."""
    known = np.fromiter(values, np.float64)  # type: ignore[call-overload]
    known = known[~np.isnan(known)]
    return float(known.sum()) if len(known) else math.nan
