"""How fast figures are made: a month of a mine from its samples, a day again after a late hour, a year of 100 mines.

The data are made by `sevenones.bench.kpi_mine`, written, rolled up and compacted before anything is asked, as a month
that is over lies in the store; what the late hour brought is neither rolled up nor merged. Questions go through the
store's door, in this process: its processor time is the store's and the maker's together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from middleplatform.kpi import utilisation_day
from middleplatform.kpi.evidence import mine_days
from middleplatform.kpi.reading import Reader
from middleplatform.store import changed, turns
from middleplatform.store.answers import Answers
from middleplatform.store.client import StoreClient, until
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.latest import Latest
from middleplatform.store.rollup_tables import NAMES, STAYS
from middleplatform.store.rollups import RollUps
from middleplatform.store.windows import Windows
from models.kpi.calendar import bounds
from models.site.model import Point, Site
from models.utilisation import asked
from models.utilisation.asked import Levels
from models.utilisation.figure import TIMES
from models.utilisation.judge import UnitFacts
from models.utilisation.rules import Version, standard
from models.utilisation.units import Unit, units
from sevenones.bench import kpi_mine
from sevenones.bench.month import DAY
from sevenones.bench.query import write

TARGETS = {"month_s": 3.0, "late_hour_ms": 200.0, "year_100_mines_s": 1.0}
FIRST = date(2026, 3, 10)
BEFORE = 8
"""Days before the month: rules look back a week."""
ROUNDS = 3
HOUR = DAY // 24
CATEGORIES = ("face", "roadheader", "bolting", "chamber", "belt")


def run(days: int = 30, mines: int = 100, data: Path | None = None) -> dict[str, Any]:
    """The result by name, units in the keys. Runs in a process of its own: an engine has one folder a process. `data`:
    a folder that keeps the mine's samples, which take longer to make than to measure."""
    asks = f"{int(days)}, {int(mines)}, {None if data is None else str(data)!r}"
    argv = [sys.executable, "-c", f"from sevenones.bench.kpi import measure; measure({asks})"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ))
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(days: int, mines: int, data: str | None = None) -> None:
    """Measure in this process and print the result as one JSON object."""
    with tempfile.TemporaryDirectory(prefix="sevenones-bench-") as folder:
        result = {"bench": "kpi", "days": days, **_mine(Path(data or folder) / f"store-{days}", days)}
        result |= _year(Path(folder), mines)
    print(json.dumps({**result, "targets": TARGETS}))


class _Mine:
    """A mine's site and rules, and what is made of its days."""

    def __init__(self) -> None:
        self.site: Site = kpi_mine.site()
        self.version: Version = standard().versions[-1]
        self.units = units(self.site, self.version)
        self.levels: dict[int, Levels] = asked.merged(self._levels(unit) for unit in self.units)
        read = {p.id: p for unit in self.units for some in unit.points.values() for p in some}
        self.points = [point for number, point in read.items() if number in self.levels]
        of = {point.path: point for point in self.site.points}
        self.meters = [of[path] for path in (*self.site.basis.meters, *self.site.basis.incoming)]

    def _levels(self, unit: Unit) -> dict[int, Levels]:
        category = self.version.categories[unit.category]
        facts = UnitFacts(unit, category, _unread, self.site.basis.rated)
        return asked.of_points(category, unit, facts)

    def day(self, reader: Reader, day: date) -> str:
        """The document of a day's utilisation."""
        return utilisation_day.make(self.site, reader, None, day).document()


def _unread(point: Point) -> Any:
    raise LookupError(point.path)


def _mine(folder: Path, days: int) -> dict[str, Any]:
    from middleplatform.store.catalogue import Catalogue
    from middleplatform.store.schema import open_store

    mine, random = _Mine(), np.random.default_rng(6)
    wanted = [FIRST + timedelta(days=n) for n in range(days)]
    ages = Catalogue(mine.site).ages
    there = folder.exists()
    engine = open_store(folder)
    try:
        windows = Windows(engine, quiet_s=0)
        if not there:
            _fill(mine, engine, windows, ages, wanted, random)
        history = History(engine, ages, windows)
        door = Door(
            {
                **Answers(history, Latest(), lambda: True, dict).handlers,
                **turns.handlers(turns.Turns(engine, windows, history), lambda: True),
                **changed.handlers(changed.Changed(engine, windows), lambda: True),
            }
        )
        client = StoreClient(door.endpoint)
        try:
            return {
                "points": len(mine.site.points),
                "utilisation_points": len(mine.points),
                "meters": len(mine.meters),
                **_month(mine, client, wanted),
                **_late(mine, client, engine, windows, wanted[days // 2], random),
            }
        finally:
            client.close()
            door.shutdown()
    finally:
        engine.close()


def _fill(mine: _Mine, engine: Any, windows: Windows, ages: Any, wanted: list[date], random: Any) -> None:
    """Days of samples, written, rolled up and compacted."""
    count = 0
    first, past = bounds(mine.site, wanted[0])[0] - BEFORE * DAY, bounds(mine.site, wanted[-1])[1] + DAY
    for begin in range(first, past, DAY):
        columns = [np.concatenate(each) for each in zip(*kpi_mine.day(mine.site.points, begin, random), strict=True)]
        order = np.argsort(columns[0], kind="stable")
        write(engine, windows, *(column[order] for column in columns))
        count += len(order)
        _say(f"{count:,} samples")
    rollups = RollUps(engine, windows, ages)
    while rollups.step():
        _say(f"{windows.dirty_hours} hours to roll up")
    for table in ("samples", *NAMES.values(), STAYS):
        engine.aside(f"OPTIMIZE TABLE {table} FINAL")


def _month(mine: _Mine, client: StoreClient, wanted: list[date]) -> dict[str, Any]:
    start, end = bounds(mine.site, wanted[0])[0], bounds(mine.site, wanted[-1])[1]
    edges = np.arange(start, end + 1, HOUR)

    def utilisation() -> list[str]:
        ahead = utilisation_day.ahead(mine.site, client, wanted)
        made = mine_days(utilisation_day.evidences(mine.site, ahead, None, wanted))
        return [day.document() for day in made]

    def energy() -> float:
        counters = Reader(client).counters(mine.meters, start, end)
        return sum(float(counter.over(edges).amount.sum()) for counter in counters.values())

    if mine.day(Reader(client), wanted[0]) != utilisation()[0]:
        raise AssertionError("a day made by itself is another than one of a month")
    rows = sum(
        client.days([point.id for point in mine.points[at : at + 500]], start, end).column("rows").to_numpy().sum()
        for at in range(0, len(mine.points), 500)
    )
    of_units, of_meters = _times(utilisation), _times(energy)
    return {
        "utilisation_samples": int(rows),
        "month_s": round(of_units[1] + of_meters[1], 2),
        "month_wall_s": round(of_units[0] + of_meters[0], 2),
        "month_utilisation_s": round(of_units[1], 2),
        "month_counters_s": round(of_meters[1], 2),
    }


def _late(
    mine: _Mine, client: StoreClient, engine: Any, windows: Windows, day: date, random: np.random.Generator
) -> dict[str, Any]:
    """An hour of all that utilisation reads comes late; the day that it lies in is made again."""
    start = bounds(mine.site, day)[0] + 9 * HOUR
    named = [point.id for point in mine.points]
    since = until(client.changed(named, start, start + HOUR, 0))
    for point, ts, value in kpi_mine.day(mine.points, start, random):
        rows = ts < start + HOUR
        write(engine, windows, point[rows], ts[rows], value[rows])
    reader = Reader(client)

    def again() -> str:
        told = client.changed(named, start - 40 * DAY, start + DAY, since)
        hours = np.unique(told.column("hour").to_numpy())
        if not (hours == start // HOUR).any() or hours.max() > start // HOUR + 3:
            raise AssertionError(f"one hour came late, and these are told: {hours.tolist()}")
        return mine.day(reader, day)

    wall, cpu = _times(again)
    return {"late_hour_ms": round(cpu * 1e3), "late_hour_wall_ms": round(wall * 1e3)}


def _year(home: Path, mines: int) -> dict[str, Any]:
    from sqlalchemy import insert

    from middleplatform.database import connect
    from middleplatform.database.tables.kpi import kpi_categories
    from middleplatform.kpi import book
    from models.kpi.mine import mine_figure

    random, first = np.random.default_rng(7), date(2025, 1, 1)
    year = [(first + timedelta(days=n)).isoformat() for n in range(365)]
    version = standard().versions[-1]
    with connect(home).begin() as connection:
        for number in range(mines):
            times = random.integers(0, DAY, (len(year), len(CATEGORIES), len(TIMES))).tolist()
            rows = [
                {"mine": f"1405{number:08d}", "day": day, "category": key, **dict(zip(TIMES, us, strict=True))}
                for day, of_day in zip(year, times, strict=True)
                for key, us in zip(CATEGORIES, of_day, strict=True)
            ]
            connection.execute(insert(kpi_categories), rows)

    def figures() -> int:
        found: dict[str, dict[str, Any]] = {}
        for each in book.category_sums(home, None, first, date(2025, 12, 31)):
            found.setdefault(each.mine, {})[each.category] = each.figure
        return len([mine_figure(categories, version) for categories in found.values()])

    wall, cpu = _times(figures)
    return {"mines": mines, "year_100_mines_s": round(cpu, 3), "year_100_mines_wall_s": round(wall, 3)}


def _times(make: Callable[[], Any]) -> tuple[float, float]:
    """The median wall and processor seconds of some rounds; the first, in which things are loaded, does not count."""
    make()
    took: list[Sequence[float]] = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        make()
        took.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = np.median(took, axis=0).tolist()
    return wall, cpu


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)
