"""Days of made-up mines, as the book keeps them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.kpi.book import Versions
from models.energy.day import EnergyDay, Meter, Use
from models.kpi.amount import Buckets
from models.kpi.day import Excluded, MineDay, UnitDay
from models.kpi.findings import Finding, FindingsDay
from models.production.day import MachineDay, ProductionDay, Times
from models.site.model import Name
from models.utilisation.figure import Figure
from models.utilisation.rules import standard

HOUR = 3_600_000_000
ONE, TWO, THREE = "140581999101", "140581999102", "140581999103"
FIRST = date(2026, 3, 1)
BY = Versions("2026-1", "v1", "1.0", standard().versions[-1].digest)
UNSURE = {"unsure": 30_000_000, "unsure_by_hand": 20_000_000, "unsure_idle": 10_000_000}
UNITS = {"face": 1, "roadheader": 2, "bolting": 1, "chamber": 2, "belt": 3}


def start_of(day: date) -> int:
    """Midnight at a mine eight hours east of Greenwich, µs UTC."""
    return round((datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)).timestamp()) * 1_000_000


def day_of(mine: str, on: date, share: float = 0.5, seed: int = 0) -> MineDay:
    """A day of three shifts with about that share of intelligent time, of which all but 2 % is known."""
    random_of = random.Random(f"{mine}{on}{seed}")
    start = start_of(on)
    of = []
    for category, number in UNITS.items():
        clause = next(iter(standard().versions[-1].categories[category].intelligent)).key
        for unit in range(1, number + 1):
            shifts = {}
            for key in "123":
                producing = random_of.randrange(3 * HOUR, 7 * HOUR)
                intelligent = round(producing * min(max(share + random_of.uniform(-0.1, 0.1), 0), 1))
                by_hand = producing - intelligent
                shifts[key] = Figure(
                    intelligent, by_hand, producing // 50, calendar=8 * HOUR, reasons={clause: by_hand}, **UNSURE
                )
            name = Name(f"{category}{unit}号", f"{category} {unit}")
            of.append(UnitDay(category, f"{category}_{unit}", name, (f"{category}_{unit}",), shifts))
    out = (Excluded(7, "geology", "face", "face_1", start, start + HOUR),) if on.day % 5 == 0 else ()
    return MineDay(mine, on, start, start + 24 * HOUR, BY.rules, BY.site, tuple(of), out, BY.rules_digest)


def keep_day(where: Place, day: MineDay, later: int = 0, provisional: bool = False) -> book.Kept:
    """Keep a day as if it were made an hour and `later` µs after its end."""
    at = day.end + HOUR + later
    return book.keep(where, day.mine, book.UTILISATION, day.day, day.document(), BY, at=at, provisional=provisional)


def keep_mine(where: Place, mine: str, days: Iterable[date], share: float = 0.5, kt: float | None = 1200) -> None:
    """A mine and some of its days."""
    book.keep_mine(where, mine, Name(f"{mine[-1]}号煤矿", f"Colliery {mine[-1]}"), "Asia/Shanghai", kt, "low", at=1)
    for on in days:
        keep_day(where, day_of(mine, on, share))


def march(number: int) -> list[date]:
    """The first days of March 2026."""
    return [FIRST + timedelta(days=at) for at in range(number)]


def energy_of(mine: str, on: date, kwh: float = 10.0) -> EnergyDay:
    """A day of one incoming meter, of one of a belt and of a scale, alike in each hour; the last is not known."""
    edges = tuple(start_of(on) + at * HOUR for at in range(25))
    known = (*(HOUR for _ in range(23)), 0)

    def each(value: float) -> Buckets:
        return Buckets((*(value for _ in range(23)), 0.0), (0.0,) * 24, known, known)

    meters = (
        Meter(f"{mine}/meter_in/energy", Use.INCOMING, (), "power", each(kwh)),
        Meter(f"{mine}/meter_belt/energy", Use.LOAD, ("belt_1",), "main_coal_flow", each(kwh / 4)),
    )
    output = ((f"{mine}/scale_1/total", each(4.0)),)
    return EnergyDay(mine, on, "v1", edges, tuple(range(24)), None, "north_china", meters, output)


def production_of(mine: str, on: date) -> ProductionDay:
    """A day of three named shifts and of one machine that produced a half of its planned time."""
    start = start_of(on)
    names = (("1", "夜班", "night"), ("2", "早班", "morning"), ("3", "中班", "afternoon"))
    stretches = tuple((*own, start + at * 8 * HOUR, start + (at + 1) * 8 * HOUR) for at, own in enumerate(names))
    tonnes = Buckets((32.0,) * 3, (0.0,) * 3, (8 * HOUR,) * 3, (8 * HOUR,) * 3)
    times = {key: Times(8 * HOUR, 8 * HOUR, 5 * HOUR, 3 * HOUR, 4 * HOUR, 4 * HOUR) for key, _, _ in names}
    return ProductionDay(
        mine,
        on,
        "v1",
        stretches,
        False,
        ((f"{mine}/scale_1/total", tonnes),),
        (MachineDay("belt_1", "belt_conveyor", times),),
    )


def findings_of(mine: str, on: date) -> FindingsDay:
    """A day with one finding."""
    start = start_of(on)
    one = Finding(
        *("frozen", Name("信号不变", "a signal stood still"), "belt", "belt_1", "belt_1", start, start + HOUR),
        *({"same_s": 3600.0}, (f"{mine}/belt_1/speed",)),
    )
    return FindingsDay(
        mine, on, start, start + 24 * HOUR, "2026-1", "v1", {"frozen": 3}, (one,), {"belt_1": ("belt_1",)}
    )


def keep_beside(where: Place, mine: str, on: date) -> None:
    """Keep energy and production of a day."""
    at = start_of(on) + 25 * HOUR
    book.keep(where, mine, book.ENERGY, on, energy_of(mine, on).document(), BY, at=at)
    book.keep(where, mine, "findings", on, findings_of(mine, on).document(), BY, at=at)
    book.keep(where, mine, book.PRODUCTION, on, production_of(mine, on).document(), BY, at=at)
