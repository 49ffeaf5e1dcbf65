"""A day's production out of what a mine told and its alarm journal."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from middleplatform.alarms.book import record
from middleplatform.alarms.condition import Change, Position
from middleplatform.alarms.watched import extend
from middleplatform.database import connect
from middleplatform.kpi.production_day import make, production_day, reaches
from middleplatform.kpi.raised import raised
from models.alarms.finding import Act
from models.production.day import ProductionDay
from models.production.figure import by_machine, output, output_by_shift, pareto
from models.production.stoppages import NO_ALARM, NO_JOURNAL
from models.site.model import Name, Shift
from tests.middleplatform.kpi.worked import BASIS, CODE, DAY, HOUR, Heard, S, Told, day_of_work, every, path_of, site

START, END = day_of_work()
NEXT = DAY + timedelta(days=1)
SHIFTS = tuple(
    Shift(Name(name, name), f"{begin:02}:00", f"{(begin + 8) % 24:02}:00")
    for name, begin in (("night", 0), ("morning", 8), ("afternoon", 16))
)
MINE = site(replace(BASIS, maintenance={"belt_1": (2,), "shearer_1": (2,)}), shifts=SHIFTS)
MIN = 60 * S


def at(hours: float) -> int:
    return START + round(hours * HOUR)


def states(*stands: tuple[float, float], until: float = 24.1, without: Any = ()) -> list[tuple[int, float]]:
    """Ran but for these hours of the day."""
    spans = [(at(a), at(b)) for a, b in stands]
    rows = every(START - 300 * S, at(until), lambda h: 0, without=[(at(a), at(b)) for a, b in without])
    # 0.1 h before the day begins the telling begins; a stop may begin and end on any telling.
    return [(ts, 0.0 if any(a <= ts < b for a, b in spans) else 1.0) for ts, _ in rows]


TOLD: Told = {
    "belt_1/running": states((3, 4), (9, 10), (20, 22)),
    "belt_1/hours": every(START - 300 * S, END + 300 * S, lambda h: 100 + h * 20 / 24),
    "belt_1/total": every(START - 300 * S, END + 300 * S, lambda h: 800 * h),
    "scale_1/total": every(START - 300 * S, END + 300 * S, lambda h: 800 * h),
    "shearer_1/running": states((0, 12)),
    "shearer_1/webs": every(START - 300 * S, END + 300 * S, lambda h: float(int(h / 2))),
    "header_1/running": states(),
    "header_1/advance": every(START - 300 * S, END + 300 * S, lambda h: 0.5 * h),
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relational store with its tables, made once."""
    home = tmp_path_factory.mktemp("tables")
    connect(home).dispose()  # all of it is in the one file then
    return home / "platform.db"


@pytest.fixture
def home(tables: Path, tmp_path: Path) -> Path:
    shutil.copy(tables, tmp_path)
    return tmp_path


def line(rule: str, subject: str, act: Act, hours: float, note: str | None = None) -> Change:
    return Change(rule, path_of(subject), act, at(hours), 1, 2, note=note)


def watch(home: Path, since: int = START, until: int = END + 24 * HOUR) -> Path:
    """The alarm process judged all of that time."""
    with connect(home).begin() as connection:
        extend(connection, CODE, since, until)
    return home


def journal(home: Path, *changes: Change) -> Path:
    watch(home)
    assert record(home, CODE, Position("alarms", "samples", 1, changes[-1].ts), changes)
    return home


SLIP = (
    line("protection.slip", "belt_1/slip", Act.RAISE, 3 - 5 / 3600, "首出 · first out"),
    line("protection.slip", "belt_1/slip", Act.RETURN, 3.2),
    line("protection.pull_cord", "belt_1/cord", Act.RAISE, 20),
    line("protection.pull_cord", "belt_1/cord", Act.RETURN, 21),
)


def made(where: Path, told: Told = TOLD, day: Any = DAY) -> ProductionDay:
    return production_day(MINE, Heard(told), where, day)  # type: ignore[arg-type]


def test_a_day_comes_back_as_it_was_kept(home: Path) -> None:
    where = journal(home, *SLIP)
    document = make(MINE, Heard(TOLD), where, DAY)  # type: ignore[arg-type]
    assert ProductionDay.read(document) == made(where)
    assert ProductionDay.read(document).document() == document


def test_what_was_raised_cut_and_driven_by_shift(home: Path) -> None:
    day = made(home)
    assert output([day]).value == pytest.approx(19_200)
    assert {key: each.value for key, each in output_by_shift([day]).items()} == pytest.approx(
        {"1": 6400, "2": 6400, "3": 6400}
    )
    machines = by_machine([day])
    assert machines["shearer_1"].counts["webs"].value == pytest.approx(12, abs=0.01)
    assert machines["header_1"].counts["advance"].value == pytest.approx(12)
    assert machines["belt_1"].counts["run_time"].value == pytest.approx(20)
    assert machines["belt_1"].times.running / HOUR == pytest.approx(20), "what the machine itself counted, and we did"


def test_the_three_times_and_what_follows_from_them(home: Path) -> None:
    belt = by_machine([made(home)])["belt_1"]
    assert [each / HOUR for each in (belt.times.calendar, belt.times.planned, belt.times.producing)] == pytest.approx(
        [24, 16, 13]
    )
    assert belt.availability == pytest.approx(13 / 16), "the standstill in its maintenance shift is none of production"
    assert belt.coverage == pytest.approx(1.0)
    # 12,800 t in the two shifts of production, in 13 hours at 1,000 t/h.
    assert belt.effectiveness.value == pytest.approx(12_800 / 13_000)
    assert belt.equipment_effectiveness(0.5) == pytest.approx(13 / 16 * 12.8 / 13 / 2)
    assert belt.equipment_effectiveness(None) is None
    assert by_machine([made(home)])["header_1"].effectiveness.value is None, "nobody said what it is rated at"


def test_failures_of_a_day_and_their_rates(home: Path) -> None:
    told = by_machine([made(journal(home, *SLIP))])["belt_1"].reliability
    assert told is not None
    assert (told.failures, told.unclear, told.ran_on) == (1, 0, 0), "a pulled cord is no failure of the belt"
    assert told.mtbf_h == pytest.approx(20)
    assert told.mttr_h == pytest.approx(1), "between its alarm and its stop it ran for 5 s"
    assert told.rate == pytest.approx(50)


def test_why_machines_stood_the_costliest_first(home: Path) -> None:
    lines = pareto([made(journal(home, *SLIP))])
    assert [(each.equipment, each.cause, each.stops, each.lost_us // HOUR) for each in lines] == [
        ("shearer_1", NO_ALARM, 1, 8), ("belt_1", "protection.pull_cord", 1, 2), ("belt_1", "protection.slip", 1, 1),
    ]  # fmt: skip
    assert [each.upto for each in lines] == pytest.approx([8 / 11, 10 / 11, 1])


def test_without_a_journal_failures_are_unknown_and_not_none(home: Path, tables: Path) -> None:
    day = made(home)
    assert not day.journal
    assert by_machine([day])["belt_1"].reliability is None
    assert {each.cause for each in pareto([day]) if each.equipment == "belt_1"} == {NO_JOURNAL}
    old = line("protection.slip", "belt_1/slip", Act.RAISE, -9000)
    assert record(home, CODE, Position("alarms", "samples", 1, 1), [old])
    for since, until in ((START - 9000 * HOUR, START - 8999 * HOUR), (START, END - HOUR), (END, END + HOUR)):
        stopped = made(watch(home, since, until))
        assert not stopped.journal, "what was judged on other days, or on most of this one, says nothing of all of it"
        assert by_machine([stopped])["belt_1"].reliability is None
    quiet = by_machine([made(watch(home, END - HOUR, END))])["belt_1"].reliability
    assert quiet is not None
    assert quiet.failures == 0, "somebody watched, and there was nothing"
    other = home / "kept"
    other.mkdir()
    shutil.copy(tables, other)
    kept = by_machine([day, made(journal(other, *SLIP))])["belt_1"].reliability
    assert kept is not None
    assert (kept.days, kept.failures) == (1, 1), "of the days of which alarms were kept"


def test_a_stop_and_a_failure_over_midnight_are_one(home: Path) -> None:
    tear = line("protection.tear", "belt_1/slip", Act.RAISE, 23)
    told = TOLD | {
        "belt_1/running": states((23, 25), until=48.1),
        "shearer_1/running": states(until=48.1),
        "header_1/running": states(until=48.1),
    }
    where = journal(home, tear, line("protection.tear", "belt_1/slip", Act.RETURN, 24.5))
    first, second = made(where, told), made(where, told, NEXT)
    stops = [each for day in (first, second) for machine in day.machines for each in machine.stoppages]
    assert [(each.cause, each.lost_us // MIN, each.new) for each in stops] == [
        ("protection.tear", 60, True),
        ("protection.tear", 60, False),
    ]
    both = by_machine([first, second])["belt_1"].reliability
    assert both is not None
    assert (both.failures, both.down_us // MIN) == (1, 120)
    assert both.mttr_h == pytest.approx(2)
    assert pareto([first, second])[0].stops == 1


def test_a_failure_that_is_still_open_lasts_to_the_end_of_each_day(home: Path) -> None:
    told = TOLD | {"belt_1/running": states((23, 49), until=48.1)}
    where = journal(home, line("protection.tear", "belt_1/slip", Act.RAISE, 23))
    days = [made(where, told), made(where, told, NEXT)]
    assert [each.down_us // MIN for day in days for each in day.machines if each.id == "belt_1"] == [60, 16 * 60]
    assert [len(each.failures) for day in days for each in day.machines if each.id == "belt_1"] == [1, 0]


def test_a_day_that_is_not_over_is_told_up_to_where_it_is_known(home: Path) -> None:
    told = {name: [row for row in rows if row[0] < at(21)] for name, rows in TOLD.items()}
    where = journal(home, line("protection.tear", "belt_1/slip", Act.RAISE, 20))
    belt = by_machine([made(where, told)])["belt_1"]
    assert belt.reliability is not None
    assert belt.reliability.down_us // MIN == 60, "not to midnight"
    assert belt.coverage == pytest.approx(13 / 16, abs=0.001)
    assert pareto([made(where, told)])[1].lost_us // MIN == 60


def test_of_a_machine_that_told_nothing_nothing_is_known(home: Path) -> None:
    where = journal(home, *SLIP)
    silent = by_machine([made(where, TOLD | {"belt_1/running": [], "belt_1/total": [], "belt_1/hours": []})])["belt_1"]
    assert silent.availability is None
    assert silent.coverage == 0.0
    assert silent.counts["tonnes"].facts()["value"] is None
    assert silent.reliability is not None
    assert (silent.reliability.failures, silent.reliability.unclear) == (0, 1)
    assert silent.reliability.rate is None
    assert silent.effectiveness.value is None


def test_what_nobody_heard_is_neither_production_nor_a_stop(home: Path) -> None:
    told = TOLD | {"belt_1/running": states(without=[(17, 19)])}
    belt = by_machine([made(journal(home, *SLIP), told)])["belt_1"]
    assert belt.availability == 1.0
    assert belt.coverage == pytest.approx(14 / 16, abs=0.002)
    assert all(each.equipment != "belt_1" for each in pareto([made(home, told)]))


def test_a_site_without_shifts_plans_the_whole_day(home: Path) -> None:
    day = production_day(site(BASIS), Heard(TOLD), home, DAY)  # type: ignore[arg-type]
    belt = by_machine([day])["belt_1"]
    assert belt.times.planned == belt.times.calendar == 24 * HOUR
    assert belt.availability == pytest.approx(20 / 24)


def test_it_is_made_of_what_it_says_that_it_is_made_of(home: Path) -> None:
    known = {point.id: point.path.split("/", 1)[1] for point in MINE.points}
    assert {known[number] for number in reaches(MINE, DAY)} == {*TOLD, "belt_2/running"}


def test_a_caller_sees_only_what_is_in_his_sight(home: Path) -> None:
    day = made(journal(home, *SLIP))
    seen = day.seen({path_of("belt_1/total")}, {"shearer_1", "belt_1"})
    assert [machine.id for machine in seen.machines] == ["belt_1", "shearer_1"]
    assert seen.output == ()
    cut = [each.by for machine in day.seen((), {"belt_1"}).machines for each in machine.stoppages]
    assert set(cut) == {"belt_1"}
    assert NO_ALARM not in cut


def test_told_in_another_order_and_twice_the_document_is_the_same(home: Path) -> None:
    where = journal(home, *SLIP)
    chance = random.Random(3)
    mixed: Told = {}
    for name, rows in TOLD.items():
        mixed[name] = [*rows, *rows[::7]]
        chance.shuffle(mixed[name])
    assert made(where, mixed).document() == made(where).document()


def test_the_journal_is_read_as_what_lasted_when(home: Path) -> None:
    lines = (
        line("protection.tear", "belt_1/slip", Act.RAISE, -32 * 24),
        line("protection.slip", "belt_1/slip", Act.RAISE, -30 * 24),
        line("protection.slip", "belt_1/slip", Act.RAISE, 1),
        line("protection.slip", "belt_1/slip", Act.RETURN, 2),
        line("protection.slip", "belt_1/slip", Act.RETURN, 3),
        line("protection.slip", "belt_2/slip", Act.RAISE, -3),
        line("protection.slip", "belt_2/slip", Act.RETURN, -2),
        line("link.offline", "gone_1/online", Act.RAISE, 1),
        line("protection.pull_cord", "belt_1/cord", Act.RAISE, 5, "首出 · first out"),
    )
    found = raised(
        journal(home, *lines), MINE, ("protection.tear", "protection.slip", "protection.pull_cord"), START, END
    )
    assert found is not None
    assert [(each.rule, (each.begin - START) // HOUR, each.end, each.first) for each in found.pop("belt_1")] == [
        ("protection.slip", -720, at(2), False),
        ("protection.pull_cord", 5, None, True),
    ], "raised again it lasted; what is older than a month is taken as over"
    assert found == {}, "what had returned before, and what is of no machine of the site, is not there"
