"""A kept day, opened: its intervals add up to its figures, and the values in the store say what the evidence says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.kpi.evidence import Evidence
from middleplatform.kpi.findings_day import findings_day, make
from middleplatform.kpi.opened import Opened, decided, opened
from middleplatform.kpi.utilisation_day import evidence, whole
from models.kpi.calendar import bounds
from models.kpi.day import Excluded
from models.kpi.findings import FindingsDay
from models.site.model import Site
from models.utilisation.answer import told
from models.utilisation.why import Counted, added
from models.utilisation.witness import Value
from tests.middleplatform.kpi.stored import MINUTE, Rows, Stored, small_site, worked

DAY = date(2026, 3, 2)
HOUR = 60 * MINUTE
OUT = Excluded(7, "geology", "belt", "belt_101", 0, 0)


@pytest.fixture(scope="module")
def site() -> Site:
    return small_site()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    store = Stored(tmp_path_factory.mktemp("store"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def judged(stored: Stored, site: Site) -> Evidence:
    start, end = bounds(site, DAY)
    stored.add(worked(site, start - 15 * HOUR, end + 2 * HOUR))
    stored.patrol(site, "pump_room_1", start + 3 * HOUR, start + 4 * HOUR)
    out = replace(OUT, start=start + 2 * HOUR, end=start + 3 * HOUR)
    return replace(evidence(whole(site, DAY), stored.reader, None, DAY), excluded=(out,))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return tmp_path


@pytest.fixture
def day(place: Place, site: Site, judged: Evidence) -> Opened:
    versions = book.Versions(judged.rules, judged.site, "test")
    book.keep(place, site.code, book.UTILISATION, DAY, judged.mine_day().document(), versions, judged.pack())
    found = opened(place, site.code, DAY)
    assert found is not None
    return found


def test_intervals_out_of_what_is_kept_add_up_to_the_published_figure(place: Place, site: Site, day: Opened) -> None:
    figures = {(unit.category, unit.id): unit.figure for unit in day.evidence.mine_day().units}
    assert len(figures) == 5
    for (category, unit), figure in figures.items():
        assert added(day.intervals(day.of(unit, category))) == figure, unit
    assert opened(place, site.code, date(2026, 3, 3)) is None
    assert opened(place, site.code, DAY, 2) is None
    assert opened(place, site.code, DAY, 1) == day


def test_what_is_left_out_names_its_ticket(day: Opened, site: Site) -> None:
    (part,) = day.of("belt_101")
    at = bounds(site, DAY)[0] + 2 * HOUR
    assert [each.ticket for each in day.tickets(part, at)] == [7]
    assert day.tickets(part, at - 1) == ()
    (counted,) = (i.counted for i in day.intervals([part]) if i.start <= at < i.end)
    assert counted in (Counted.EXCLUDED, Counted.EXCLUDED_INTELLIGENT, Counted.EXCLUDED_BY_HAND)


def test_the_values_in_the_store_say_what_the_evidence_says(stored: Stored, site: Site, judged: Evidence) -> None:
    """Of each unit some intervals of each kind: what its deciding clause looked at holds, does not, or is not known."""
    said: dict[Counted, bool | None] = {
        Counted.BY_HAND: False,
        Counted.NOT_PRODUCING: False,
        Counted.OPEN: None,
        Counted.BLIND: None,
        Counted.INTELLIGENT: True,
    }
    seen: set[Counted] = set()
    for part in judged.units:
        every = Opened(None, judged).intervals([part])  # type: ignore[arg-type]
        for counted, wanted in said.items():
            for interval in [each for each in every if each.counted is counted and each.us > MINUTE][:2]:
                at = (interval.start + interval.end) // 2
                found = decided(stored.reader, site, judged.rules, part, interval, at)
                assert found, (part.id, interval)
                if part.category == "chamber" and counted is not Counted.OPEN:
                    continue  # of somebody who is there, what holds is what speaks against it
                if counted is Counted.OPEN and interval.clause is not None and interval.clause.key == "start":
                    continue  # that nothing says that it runs is known, and hides how it was started
                values = [each for each in found if isinstance(each, Value)]
                assert {each.holds for each in values} == {wanted}, (part.id, interval)
                assert all(told(each, site, at).zh and told(each, site, at).en for each in found)
                assert all(each.told_at is None or each.told_at <= at for each in values)
                seen.add(counted)
    assert seen == set(said)


def belt(site: Site, start: int, end: int, **told: float) -> Rows:
    """A belt whose points said one value all the while, each five minutes."""
    parts = []
    for role, value in told.items():
        point = next(p for p in site.points if p.equipment == "belt_102" and p.role == role.replace("__", "."))
        ts = np.arange(start, end, 5 * MINUTE, dtype=np.int64)
        size = len(ts)
        parts.append(Rows(np.full(size, point.id, np.uint64), ts, np.full(size, value), np.full(size, 192, np.uint8)))
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))


def test_findings_of_a_day_out_of_the_store(stored: Stored, site: Site, judged: Evidence) -> None:
    other = date(2026, 4, 8)
    start, end = bounds(site, other)
    assert findings_day(site, stored.reader, other).findings == ()
    stored.add(belt(site, start, start + 6 * HOUR, belt__speed=3, drive__power=1, control__mode=2, belt__mass_total=70))
    found = findings_day(site, stored.reader, other)
    assert {(each.check, each.equipment) for each in found.findings} == {
        (check, "belt_102") for check in ("speed_without_power", "zero_load", "frozen")
    }
    assert all(start <= each.start < each.end <= end for each in found.findings)
    assert found.units == {"belt_102": ("belt_102",)}
    assert found.asked["zero_load"] == 4
    document = make(site, stored.reader, "", other)
    assert FindingsDay.read(document) == found
    stored.add(belt(site, start + HOUR, start + 2 * HOUR, belt__speed=3, drive__power=1))  # told again, late
    assert make(site, stored.reader, "", other) == document
