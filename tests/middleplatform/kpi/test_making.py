"""Figures that are made as a mine goes on: each closed day once, and again just what something touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from middleplatform.audit.log import entries
from middleplatform.database import connect
from middleplatform.database.tables.kpi import kpi_days
from middleplatform.kpi import book
from middleplatform.kpi.making import Making
from middleplatform.kpi.sections import Made, Section, sections
from middleplatform.kpi.state import STALE_S, trouble
from middleplatform.kpi.wishes import wish
from middleplatform.store.errors import StoreError, StoreUnavailable
from middleplatform.tickets import book as tickets
from models.kpi.calendar import bounds, days
from models.kpi.day import MineDay
from models.site.model import Name, Shift
from models.utilisation import rules
from models.utilisation.signal import hold
from sevenones.commands import kpi
from tests.middleplatform.kpi.stored import MINUTE, Stored, small_site, worked

FIRST = date(2026, 3, 2)
LAST = FIRST + timedelta(days=2)
TODAY = LAST + timedelta(days=1)
HOUR = 60 * MINUTE


def all_points(site, day):
    """Of a section that is made of all that the site tells."""
    return {point.id: (hold(point), hold(point)) for point in site.points}


@pytest.fixture(scope="module")
def site():
    return small_site()


@pytest.fixture
def stored(site, tmp_path):
    """Three days and six hours of today, rolled up."""
    store = Stored(tmp_path / "store")
    start, _ = bounds(site, FIRST)
    store.now = bounds(site, TODAY)[0] + 6 * HOUR
    store.add(worked(site, start, store.now))
    store.roll_up()
    yield store
    store.close()


class Stage:
    """Makes figures, and says of which days each section was made."""

    def __init__(self, where, site, stored) -> None:
        self.where, self.site, self.stored = where, site, stored
        self.calls: list[tuple[str, date]] = []
        self.begin()

    def begin(self) -> None:
        """As another process that starts."""
        own = tuple(self._watched(each) for each in (sections()[0], Section("energy", _counted, all_points)))
        self.making = Making(self.where, self.site, self.stored.client, lambda: self.stored.now, own)

    def _watched(self, section):
        def make(parts, reader, where, day, until):
            self.calls.append((section.name, day))
            return section.make(parts, reader, where, day, until)

        return replace(section, make=make)

    def round(self) -> list[tuple[str, date]]:
        """What was made in it, in the order of the days."""
        self.calls.clear()
        self.making.round()
        return sorted(self.calls, key=lambda each: (each[1], each[0]))

    def kept(self, section="utilisation"):
        return book.read(self.where, self.site.code, section, FIRST, TODAY)


def _counted(parts, reader, where, day, until):
    return Made(f'{{"parts":{len(parts)}}}')


def both(*of):
    return [(name, day) for day in of for name in ("energy", "utilisation")]


def test_closed_days_are_made_once_and_today_while_it_goes_on(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    assert stage.round() == both(*days(FIRST, TODAY))
    kept = stage.kept()
    assert [(day, each.provisional) for day, each in kept.items()] == [
        *((day, False) for day in days(FIRST, LAST)),
        (TODAY, True),
    ]
    assert MineDay.read(kept[TODAY].document).end == stored.now - MINUTE
    assert stage.making.state.due == 0
    stored.now += MINUTE
    assert stage.round() == [], "nothing came"
    stored.add(worked(site, stored.now, stored.now + 10 * MINUTE, seed=4))
    stored.now += 10 * MINUTE
    assert stage.round() == both(TODAY)
    stage.begin()
    assert stage.round() == both(TODAY), "who starts anew makes what goes on, and no closed day again"
    assert [len(book.revisions(tmp_path, site.code, "utilisation", day)) for day in days(FIRST, TODAY)] == [1] * 4


def test_a_day_is_closed_an_hour_after_its_end(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    _, end = bounds(site, TODAY)
    stored.now = end + HOUR - MINUTE
    stage.begin()
    stage.round()
    assert stage.kept()[TODAY].provisional
    stored.now = end + HOUR + MINUTE
    assert ("utilisation", TODAY) in stage.round(), "also by who runs on past midnight"
    assert not stage.kept()[TODAY].provisional


def test_late_data_touches_just_its_days_and_sections(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    noon = bounds(site, FIRST)[0] + 12 * HOUR

    def late(equipment, role):
        (point,) = (p for p in site.points if p.equipment == equipment and p.role == role)
        rows = worked(site, noon, noon + HOUR, seed=9)
        rows = rows.at(rows.point == point.id)
        stored.add(replace(rows, quality=np.zeros(len(rows), np.uint8)))
        stored.roll_up()
        return stage.round()

    before = stage.kept()
    assert late("roadheader_1", "control.mode") == both(FIRST)
    after = stage.kept()
    assert (before[FIRST].revision, after[FIRST].revision) == (1, 2)
    assert stage.round() == []
    # Which belts' runs began when is looked up for a week; of what a belt conveyed only that day's is asked.
    assert late("belt_101", "run.state") == sorted(
        [*both(FIRST), ("utilisation", LAST - timedelta(days=1)), ("utilisation", LAST)],
        key=lambda each: (each[1], each[0]),
    )
    assert late("belt_101", "belt.mass_total") == both(FIRST)
    # Energy alone is made of a point that no category reads.
    other = next(p for p in site.points if p.role not in str([p.role for p in _needed(site)]))
    rows = worked(site, noon, noon + HOUR, seed=9)
    stored.add(replace(rows.at(np.arange(3)), point=np.full(3, other.id, np.uint64)))
    stored.roll_up()
    assert stage.round() == [("energy", FIRST), ("energy", TODAY)], "and today, of which it had never told anything"


def test_a_day_before_all_data_is_not_made_and_one_that_is_filled_in_later_is(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    start = bounds(site, FIRST)[0]
    stored.add(worked(site, start, start + HOUR, seed=9))
    stored.roll_up()
    assert set(both(FIRST)) <= set(stage.round())
    before = FIRST - timedelta(days=1)
    assert not book.read(tmp_path, site.code, "energy", before, before), "its reach alone goes there"
    stored.add(worked(site, start - 12 * HOUR, start - 11 * HOUR, seed=9))
    stored.roll_up()
    assert set(both(before)) <= set(stage.round())


def _needed(site):
    from models.utilisation.rules import standard
    from models.utilisation.units import units

    return [p for u in units(site, standard().versions[-1]) for points in u.points.values() for p in points]


@pytest.mark.proof
def test_killed_in_the_middle_it_goes_on_and_makes_the_same(tmp_path, site, stored):
    whole = Stage(tmp_path / "whole", site, stored)
    whole.round()
    stage = Stage(tmp_path / "killed", site, stored)
    stage.making.round(lambda: len(stage.calls) < 4)
    assert stage.making.state.due > 0
    stage.begin()
    stage.round()
    assert {day: each.digest for day, each in stage.kept().items()} == {
        day: each.digest for day, each in whole.kept().items()
    }
    # Late data is looked at again when the process dies before all is made of it.
    noon = bounds(site, FIRST)[0] + 12 * HOUR
    stored.add(worked(site, noon, noon + HOUR, seed=9))
    stage.making.round(lambda: False)
    stage.begin()
    assert set(both(FIRST)) <= set(stage.round())
    assert stage.kept()[FIRST].revision == 2


@pytest.mark.proof
def test_without_the_store_nothing_is_made_and_nothing_lost(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    noon = bounds(site, FIRST)[0] + 12 * HOUR
    stored.add(worked(site, noon, noon + HOUR, seed=9))
    real = stage.making.client
    stage.making.client = _Away()
    with pytest.raises(StoreUnavailable):
        stage.round()
    stage.making.client = real
    assert set(both(FIRST)) <= set(stage.round())


class _Away:
    def __getattr__(self, name):
        raise StoreUnavailable("the store does not answer")


def test_a_changed_site_touches_no_day_that_is_over(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    before = stage.kept()
    other = replace(
        site,
        version="v2",
        points=tuple(p for p in site.points if p.equipment != "bolter_1"),
        equipment={name: each for name, each in site.equipment.items() if name != "bolter_1"},
    )
    at = stored.now
    stage.site = other
    stage.begin()
    stage.making.adopt(other)
    stored.now += 2 * HOUR
    stored.add(worked(site, at, stored.now, seed=2))
    assert stage.round() == both(TODAY)
    after = stage.kept()
    assert all(before[day] == after[day] for day in days(FIRST, LAST))
    units = {unit.id: unit for unit in MineDay.read(after[TODAY].document).units}
    assert units["belt_101"].figure.calendar > units["bolter_1"].figure.calendar == 6 * HOUR
    # A day before it that is made again is judged by the site that it had.
    noon = bounds(site, FIRST)[0] + 12 * HOUR
    stored.add(worked(site, noon, noon + HOUR, seed=9))
    stage.round()
    again = stage.kept()[FIRST]
    assert again.revision == 2 and again.versions.site == site.version[:64]
    assert "bolter_1" in {unit.id for unit in MineDay.read(again.document).units}


def test_other_silences_change_no_day_that_is_over(tmp_path, site, stored):
    """Nor that the site has a point no more: how long values held then is the site's of that day."""
    stage = Stage(tmp_path, site, stored)
    stored.adopt(site)
    stage.round()
    before = stage.kept()
    other = replace(
        site,
        version="v2",
        points=tuple(replace(p, silence_s=30.0) for p in site.points if p.equipment != "belt_102"),
        equipment={name: each for name, each in site.equipment.items() if name != "belt_102"},
    )
    stored.adopt(other)
    stage.site = other
    for rolled_up in (False, True):
        if rolled_up:
            stored.roll_up()
        stage.begin()
        stage.making.adopt(other)
        wish(tmp_path, site.code, [FIRST])
        assert {day for _, day in stage.round() if day < TODAY} == {FIRST}, "as somebody wished"
        after = stage.kept()
        assert all(before[day] == after[day] for day in days(FIRST, LAST))
    assert MineDay.read(after[FIRST].document).units[0].figure.coverage > 0.9


def test_changed_shifts_take_no_hour_from_the_days_that_are_over(tmp_path, site, stored):
    """The first shift begins at six from today on: the days before keep their hours, also when they are made again, and
    yesterday lasts until today begins."""
    stage = Stage(tmp_path, site, stored)
    stage.round()
    before = stage.kept()
    shifts = (
        *(
            Shift(Name(f"{at}班", f"shift {at}"), f"{6 + 8 * at:02}:00", f"{(14 + 8 * at) % 24:02}:00")
            for at in (0, 1, 2)
        ),
    )
    other = replace(site, version="v2", shifts=shifts)
    start, end = bounds(site, TODAY)
    stage.site = other
    stage.begin()
    stage.making.adopt(other)
    spans_of = [(day, stage.making._calendar().bounds(day)) for day in days(FIRST, TODAY + timedelta(days=1))]
    assert [b - a for _, (a, b) in spans_of] == [24 * HOUR, 24 * HOUR, 24 * HOUR, 30 * HOUR, 24 * HOUR]
    assert all(own[1] == following[0] for (_, own), (_, following) in pairwise(spans_of))
    assert stage.making._calendar().day_of(end + 5 * HOUR) == TODAY
    assert stage.making._calendar().day_of(end + 6 * HOUR) == TODAY + timedelta(days=1)
    wish(tmp_path, site.code, days(FIRST, LAST))
    stage.round()
    assert stage.kept()[FIRST] == before[FIRST] and stage.kept()[LAST] == before[LAST]
    stored.add(worked(site, stored.now, end + 6 * HOUR, seed=4))
    stored.now = end + 8 * HOUR
    stage.round()
    made = MineDay.read(stage.kept()[TODAY].document)
    assert (made.start, made.end) == (start, end + 6 * HOUR)
    assert {unit.figure.calendar for unit in made.units} == {30 * HOUR}


@pytest.mark.proof
def test_a_patrol_that_is_told_late_makes_its_day_again(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    stored.patrol(site, "pump_room_1", bounds(site, LAST)[0] + HOUR, bounds(site, LAST)[0] + 3 * HOUR)
    stored.now += 2 * HOUR
    assert stage.round() == [("utilisation", LAST)]


def test_an_exclusion_that_is_approved_makes_its_day_again(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    start = bounds(site, LAST)[0] + 2 * HOUR
    what = (tickets.Kind.EXCLUDED_TIME, "olga", "fault zone", [f"{site.code}/belt_101"], start, start + 5 * HOUR)
    ticket = tickets.open_ticket(tmp_path, site.code, *what, cause="geology")
    assert stage.round() == [], "nobody approved it"
    tickets.decide(tmp_path, site.code, ticket.id, "ivan", approve=True)
    stage.making._asked["tickets"] = 0  # the store's clock is another one than that of tickets
    assert ("utilisation", LAST) in stage.round()
    again = MineDay.read(stage.kept()[LAST].document)
    assert [(each.ticket, each.unit) for each in again.excluded] == [(ticket.id, "belt_101")]
    assert {u.id: u.figure.excluded for u in again.units if u.figure.excluded} == {"belt_101": 5 * HOUR}
    assert stage.kept()[LAST].revision == 2


def test_days_are_made_again_when_somebody_wishes_so_and_verified(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    command = CliRunner()

    def run(*words):
        return command.invoke(kpi.app, [*words, "--home", str(tmp_path)])

    assert run("remake", str(FIRST), str(FIRST)).exit_code == 0
    stage.begin()
    assert set(both(FIRST)) <= set(stage.round()), "and who starts anew knows of it"
    assert stage.round() == [] and stage.kept()[FIRST].revision == 1
    assert entries(tmp_path, what="kpi.")[0].what == "kpi.remake"
    answer = run("verify", str(FIRST), str(LAST))
    assert answer.exit_code == 0 and answer.stdout.count("逐位相同") == 3, answer.stdout
    assert run("verify", str(TODAY + timedelta(days=9))).exit_code == 1, "nothing is there"
    with connect(tmp_path).begin() as connection:
        other = stage.kept()[LAST].document.replace('"start":', '"start": ')
        connection.execute(update(kpi_days).where(kpi_days.c.day == str(LAST)).values(document=other))
        packed = book.evidence(tmp_path, site.code, "utilisation", LAST - timedelta(days=1), 1)
        day = kpi_days.c.day == str(LAST - timedelta(days=1))
        connection.execute(update(kpi_days).where(day).values(evidence=packed[: len(packed) // 2]))
    answer = run("verify", str(FIRST), str(LAST))
    assert answer.exit_code == 1
    assert [line[0] for line in answer.stdout.splitlines()] == ["✓", "✗", "✗"]


@pytest.fixture
def other_rules(tmp_path, monkeypatch):
    """Puts other rules in place of the file's, under the same version's name."""

    def put(old, new):
        text = rules.FILE.read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "rules.yaml").write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.setattr(rules, "FILE", tmp_path / "rules.yaml")
        rules.standard.cache_clear()

    yield put
    monkeypatch.undo()
    rules.standard.cache_clear()


def test_other_rules_under_the_same_name_verify_nothing_and_make_the_days_again(tmp_path, site, stored, other_rules):
    stage = Stage(tmp_path, site, stored)
    stage.round()
    before = stage.kept()[FIRST]
    name = rules.standard().at(FIRST).version
    other_rules("is: [2, 3]", "is: [1, 2, 3]")
    assert rules.standard().at(FIRST).version == name
    answer = CliRunner().invoke(kpi.app, ["verify", str(FIRST), "--home", str(tmp_path)])
    assert answer.exit_code == 1 and "say something else now" in answer.stdout, answer.stdout
    stage.begin()
    assert set(both(*days(FIRST, LAST))) - set(stage.round()) == {("energy", day) for day in days(FIRST, LAST)}
    after = stage.kept()[FIRST]
    assert (after.revision, after.versions.rules) == (2, name)
    assert after.versions.rules_digest != before.versions.rules_digest
    answer = CliRunner().invoke(kpi.app, ["verify", str(FIRST), "--home", str(tmp_path)])
    assert answer.exit_code == 0, answer.stdout


def test_words_are_no_part_of_what_rules_say(other_rules):
    before = rules.standard().versions[-1].digest
    other_rules("{zh: 三机协同, ", "{zh: 三机, ")
    assert rules.standard().versions[-1].digest == before


def test_rules_with_mistakes_are_refused(tmp_path):
    command = CliRunner()
    assert command.invoke(kpi.app, ["rules"]).exit_code == 0
    text = rules.FILE.read_text(encoding="utf-8")
    for old, new, words in (
        ("role: belt.speed", "role: belt.sped", "there is no role 'belt.sped'"),
        ("\n        chambers: true", "\n        chambers: false", "one of the two"),
        ("weight: 0.2", "weight: 0.3", "add up to 1"),
    ):
        (tmp_path / "rules.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
        answer = command.invoke(kpi.app, ["rules", str(tmp_path / "rules.yaml")])
        assert answer.exit_code == 1 and words in answer.output and "rules.yaml" in answer.output, answer.output


def test_a_maker_that_fails_keeps_nobody_waiting_and_is_told(tmp_path, site, stored):
    stage = Stage(tmp_path, site, stored)

    def broken(parts, reader, where, day, until):
        raise StoreError("that is too much")

    stage.making.sections["energy"] = Section("energy", broken, all_points)
    stage.round()
    assert list(stage.kept()) == list(days(FIRST, TODAY))
    assert len(stage.making.state.broken) == 4 and "too much" in stage.making.state.broken[0]
    ((zh, en),) = trouble(tmp_path, site.code, stored.now)
    assert "4" in zh and "4 figures cannot be made" in en
    stale = trouble(tmp_path, site.code, stored.now + round(2 * STALE_S * 1e6))
    assert "stale" in stale[0][1] and "陈旧" in stale[0][0]
