"""A played mine's meters and scales as its gateways report them, beside the kWh and tonnes that truly were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.counters import Counted, Counter
from models.site.model import Point, Site
from models.utilisation.signal import SILENCES
from simulators.design.mine import load_design
from simulators.truth.utilisation import totals
from tests.models.utilisation.played import MINES, Column, Played, play

POLLED_S = 30
"""When the meters are read for the first time, and every so often."""
WITHIN = 0.001
"""A tenth of a per cent."""
DIGIT = 0.1
"""kWh, t: what the last digit of a meter, or a scale, is worth; at either end of a time as much is open."""


@dataclass(frozen=True)
class Metered:
    """`points`, `columns`: by path, of all the time that was played; `early`: the truth of its first POLLED_S alone."""

    mine: str
    played: Played
    points: dict[str, Point]
    columns: dict[str, Column]
    early: pa.Table

    def counted(self, path: str, columns: dict[str, Column] | None = None) -> Counted:
        """Over all the time."""
        hold = round(SILENCES * self.points[path].silence_s * 1e6)
        said = (self.columns if columns is None else columns)[path]
        return Counter.of(*said, hold).over(np.array([self.played.start, self.played.last], np.int64))

    def used(self, equipment: str) -> float:
        """kWh that it truly used from POLLED_S after the start on."""
        return totals(self.played.truth)[equipment][1] - totals(self.early)[equipment][1]

    def raised(self, belt: str) -> float:
        """Tonnes that a belt truly carried in all the time."""
        return totals(self.played.truth)[belt][0]


def meters_and_scales(site: Site) -> list[Point]:
    """Those whose truth is known: it has none of base stations."""
    named = {*site.basis.meters, *site.basis.incoming, *site.basis.output}
    scales = {name for name, equipment in site.equipment.items() if equipment.template == "belt_scale"}
    return [
        point
        for point in site.points
        if point.path in named or (point.equipment in scales and point.role == "belt.mass_total")
    ]


def metered(mine: str, played: Played, home: Path) -> Metered:
    """Of a mine that was played with its meters and scales."""
    points = {point.path: point for point in meters_and_scales(played.site)}
    columns = {path: played.columns[point.id] for path, point in points.items()}
    early = play(mine, POLLED_S / 3600, home, step_s=played.step_s, after_s=0)
    return Metered(mine, played, points, columns, early.truth)


def check_energy(of: Metered, columns: dict[str, Column] | None = None) -> None:
    """Each meter counts what its equipment truly used."""
    basis = of.played.site.basis
    measured = {path: loads[0] for path, loads in basis.meters.items()}
    incoming = {path: path.split("/")[1] for path in basis.incoming}
    for path, equipment in {**measured, **incoming}.items():
        true, found = of.used(equipment), of.counted(path, columns)
        assert (found.resets, found.dips) == (0, 0)
        # A meter shows what it had up to a reading ago.
        late = np.diff(of.columns[path][1])[[0, -1]].max()
        assert abs(found.amount[0] - true) <= WITHIN * true + late + 2 * DIGIT, (path, found.amount[0], true)
        assert found.known_us[0] >= of.played.last - of.played.start - POLLED_S * 1_000_000


def check_tonnes(of: Metered, columns: dict[str, Column] | None = None) -> None:
    """Within what the design says of the scale: its gain, the drift of its zero, and what lies on the belt."""
    design = load_design(MINES / of.mine)
    assert design is not None
    for name, belt in design.belts.belts.items():
        if belt.scale is None:
            continue
        path = f"{of.played.site.code}/{belt.scale}/total"
        found = of.counted(path, columns)
        true = of.raised(name)
        hours = (of.played.last - of.played.start) / 3.6e9
        stated = belt.scale_error * true + belt.scale_drift * belt.capacity_t_per_h * hours
        assert abs(found.amount[0] - true) <= stated + DIGIT, (path, found.amount[0], true)


def spoil(column: Column, rng: np.random.Generator) -> Column:
    """Stretches are lost or bad, some are told twice, and nothing comes in order; the first and the last remain."""
    ts, value, quality = (part.copy() for part in column)
    kept = np.ones(len(ts), bool)
    for bad in (False, True):
        for _ in range(2):
            begin = int(rng.integers(ts[0], ts[-1]))
            within = (ts > begin) & (ts < begin + int(rng.exponential(900e6)))
            within[[0, -1]] = False
            if bad:
                quality[within], value[within] = 0, rng.uniform(0, 1e9)
            else:
                kept &= ~within
    rows = np.flatnonzero(kept)
    rows = np.concatenate([rows, rng.choice(rows, len(rows) // 4)])
    rng.shuffle(rows)
    return ts[rows], value[rows], quality[rows]
