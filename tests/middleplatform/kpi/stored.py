"""A small mine in a real store: two belts, a roadheader, a bolting rig and a chamber, at work for some days."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

import simulators
from middleplatform.kpi.reading import Reader
from middleplatform.store import changed
from middleplatform.store.answers import Answers
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.changed import Changed
from middleplatform.store.client import StoreClient
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.latest import Latest
from middleplatform.store.rollups import RollUps
from middleplatform.store.schema import SAMPLE_COLUMNS, open_store
from middleplatform.store.turns import Turns
from middleplatform.store.turns import handlers as turns
from middleplatform.store.windows import Windows
from models.samples import Samples
from models.site.model import Site
from models.utilisation.rules import standard
from models.utilisation.units import units
from sevenones.backfill.mine import site_of

OWN = ("belt_101", "belt_102", "roadheader_1", "bolter_1")
CHAMBER = "pump_room"
SILENCE_S = 600.0
AGE_US = round(2 * SILENCE_S * 1e6)
"""µs for which a value holds."""
STEP_US = 300_000_000
MINUTE = 60_000_000
STATES = ("control.mode", "run.state", "drill.cycle", "personnel.count", "control.mode")


def small_site() -> Site:
    """Made smaller out of a simulated mine; its points may be silent for ten minutes."""
    site = site_of(Path(simulators.__file__).parent / "mines" / "low", {})
    chamber = site.chambers[CHAMBER]
    inside = {path.rpartition("/")[2] for path in chamber.equipment}
    kept = {*OWN, *inside, *(path.split("/")[1] for path in chamber.points())}
    return replace(
        site,
        equipment={name: each for name, each in site.equipment.items() if name in kept},
        points=tuple(replace(point, silence_s=SILENCE_S) for point in site.points if point.equipment in kept),
        chambers={CHAMBER: chamber},
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples, [n] each."""

    point: np.ndarray
    ts: np.ndarray
    value: np.ndarray
    quality: np.ndarray

    def __len__(self) -> int:
        return len(self.ts)

    def at(self, rows: np.ndarray) -> Rows:
        return Rows(self.point[rows], self.ts[rows], self.value[rows], self.quality[rows])


def worked(site: Site, start: int, end: int, seed: int = 1) -> Rows:
    """What all points that figures need told in [start, end): states that change, quantities that rise and fall,
    counters that count; some values are bad."""
    chance = np.random.default_rng(seed)
    version = standard().versions[-1]
    needed = {p.id: p for unit in units(site, version) for points in unit.points.values() for p in points}
    parts = []
    for number, point in sorted(needed.items()):
        ts = np.arange(start, end, STEP_US) + chance.integers(0, STEP_US // 2, len(range(start, end, STEP_US)))
        size = len(ts)
        if point.role == "control.mode":
            value = chance.choice([1.0, 2.0, 3.0], -(-size // 12)).repeat(12)[:size]
        elif point.role in STATES:
            value = chance.choice([0.0, 1.0], -(-size // 8), p=[0.3, 0.7]).repeat(8)[:size]
        elif point.role.endswith("_total"):
            value = np.cumsum(chance.integers(0, 9, size)).astype(float)
        else:
            value = chance.choice([0.0, 90.0], -(-size // 6), p=[0.3, 0.7]).repeat(6)[:size]
        quality = np.where(chance.random(size) < 0.02, 0, 192).astype(np.uint8)
        parts.append(Rows(np.full(size, number, np.uint64), ts, value, quality))
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))


class Stored:
    """A store of its own, and what reads it."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_store(folder)
        self.now = 0
        """µs UTC; the store's clock."""
        self._catalogue: Catalogue | None = None
        self.latest = Latest(lambda: self.now)
        self.windows = Windows(self.engine, lambda: self.now, quiet_s=0)
        history = History(self.engine, self._ages, self.windows)
        self.door = Door(
            Answers(history, self.latest, lambda: True, dict).handlers
            | changed.handlers(Changed(self.engine, self.windows), lambda: True)
            | turns(Turns(self.engine, self.windows, history), lambda: True)
        )
        self.client = StoreClient(self.door.endpoint)
        self.reader = Reader(self.client)
        self._ver = 0

    def _ages(self, asked) -> np.ndarray:
        return np.full(len(asked), AGE_US, np.int64) if self._catalogue is None else self._catalogue.ages(asked)

    def adopt(self, site: Site) -> None:
        """As the store does when its site's files change: from now on values hold as long as these say."""
        if self._catalogue is None:  # so far all was rolled up as `small_site` says
            RollUps(self.engine, self.windows, self._ages).adopt(Catalogue(small_site()))
            self.roll_up()
        self._catalogue = Catalogue(site)
        RollUps(self.engine, self.windows, self._ages).adopt(self._catalogue)

    def add(self, rows: Rows) -> None:
        """As one batch that came now."""
        self._ver += 1
        size = len(rows)
        columns = [rows.point, rows.ts, rows.value, rows.quality, pa.nulls(size, pa.string())]
        ver = np.full(size, self._ver, np.uint64)
        with self.windows.touching(rows.point, rows.ts, AGE_US):
            self.engine.insert("samples", pa.table([*columns, ver], SAMPLE_COLUMNS))
        self.latest.update(Samples(rows.point, rows.ts, rows.value, rows.quality), ver)

    def roll_up(self) -> None:
        """As the store does when nothing comes for a while."""
        rollups = RollUps(self.engine, self.windows, self._ages)
        while rollups.step():
            pass

    def announce(self, home: Path) -> None:
        """Let the processes of a home find it."""
        (home / "store").mkdir(parents=True, exist_ok=True)
        (home / "store" / "endpoint.json").write_text(json.dumps(self.door.endpoint))

    def patrol(self, site: Site, equipment: str, start: int, end: int | None) -> None:
        self._ver += 1
        event = {
            "id": [f"{start:032}"], "equipment": [f"{site.code}/{equipment}"], "kind": ["patrol"], "start": [start],
            "end": pa.array([end], pa.int64()), "quality": pa.array([192], pa.uint8()),
            "source": ["reader"], "attributes": ["{}"],
            "ver": pa.array([self._ver], pa.uint64()),
        }  # fmt: skip
        self.engine.insert("events", pa.table(event))

    def empty(self) -> None:
        """Forget all that came."""
        for table in ("samples", "dirty", "stays"):
            self.engine.execute(f"TRUNCATE TABLE {table}")
        self.engine.execute("TRUNCATE TABLE events")

    def close(self) -> None:
        self.client.close()
        self.door.shutdown()
        self.engine.close()
