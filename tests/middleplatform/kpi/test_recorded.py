"""What people recorded does not pass for what machines told: it is found, and counts for no more than it can."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from middleplatform.database import Place
from middleplatform.governance import manual
from middleplatform.kpi.findings_day import findings_day
from middleplatform.kpi.opened import decided
from middleplatform.kpi.utilisation_day import ahead, evidence, evidences, whole
from models.kpi.calendar import bounds
from models.quality import Quality
from models.site.model import Site
from models.utilisation.answer import told
from models.utilisation.figure import Figure
from models.utilisation.why import intervals
from tests.middleplatform.kpi.stored import CHAMBER, MINUTE, Rows, Stored, small_site

DAY = date(2026, 3, 2)
HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def site() -> Site:
    return small_site()


@pytest.fixture
def stored(tmp_path: Path):
    store = Stored(tmp_path / "store")
    yield store
    store.close()


def say(site: Site, equipment: str, role: str, value: float, start: int, end: int, quality: int = 192) -> Rows:
    """Each five minutes the same."""
    point = next(p for p in site.points if (p.equipment, p.role) == (equipment, role))
    ts = np.arange(start, end, 5 * MINUTE, dtype=np.int64)
    size = len(ts)
    return Rows(np.full(size, point.id, np.uint64), ts, np.full(size, float(value)), np.full(size, quality, np.uint8))


def figure(site: Site, stored: Stored, where: Place | None, unit: str, day: date = DAY) -> Figure:
    return next(
        u.figure for u in evidence(whole(site, day), stored.reader, where, day).mine_day().units if u.id == unit
    )


def test_a_patrol_that_nobody_ended_does_not_excuse_who_stays(stored: Stored, site: Site) -> None:
    start, end = bounds(site, DAY)
    (counted,) = [p for p in site.points if p.role == "personnel.count"]
    stored.add(say(site, counted.equipment, "personnel.count", 1, start - HOUR, end + 25 * HOUR))
    for mode in [p for p in site.points if p.role == "control.mode" and p.equipment in inside(site)]:
        stored.add(say(site, mode.equipment, "control.mode", 2, start - HOUR, end + 25 * HOUR))
    stored.patrol(site, "pump_room_1", start + 2 * HOUR, None)
    own = figure(site, stored, None, CHAMBER)
    assert own.intelligent == 30 * MINUTE
    assert figure(site, stored, None, CHAMBER, DAY + timedelta(days=1)).rate == 0.0
    (found,) = findings_day(site, stored.reader, DAY).findings
    assert (found.check, found.unit, found.start, found.end) == ("overlong", CHAMBER, start + 2 * HOUR, end)
    assert findings_day(site, stored.reader, DAY + timedelta(days=1)).findings == (), "it began before"


def inside(site: Site) -> set[str]:
    return {path.rpartition("/")[2] for path in site.chambers[CHAMBER].equipment}


def test_a_mode_that_a_person_entered_is_told_and_not_sure(stored: Stored, site: Site, tmp_path: Path) -> None:
    start, end = bounds(site, DAY)
    for role, before, value in (("belt.speed", 0, 3), ("run.state", 0, 1)):
        stored.add(say(site, "belt_102", role, before, start - 2 * HOUR, start - HOUR))
        stored.add(say(site, "belt_102", role, value, start - HOUR, end + HOUR))
    stored.add(say(site, "belt_102", "control.mode", 2, start - 2 * HOUR, start))
    stored.add(say(site, "belt_102", "control.mode", 1, start, end + HOUR))
    by_hand = figure(site, stored, tmp_path, "belt_102")
    assert by_hand.rate == 0.0
    begin = start + 6 * HOUR
    rows = say(site, "belt_102", "control.mode", 2, begin, begin + 3 * HOUR, Quality.GOOD_LOCAL_OVERRIDE)
    mode = next(p for p in site.points if (p.equipment, p.role) == ("belt_102", "control.mode"))
    entry = manual.enter_values(
        tmp_path, site.code, mode.path, manual.Told(rows.ts, rows.value, rows.quality, (None,) * len(rows)), "x", "wang"
    )
    stored.add(rows)
    assert findings_day(site, stored.reader, DAY, where=tmp_path).findings == (), "nobody approved it yet"
    manual.decide(tmp_path, site.code, entry.id, "li", approve=True)
    (found,) = [f for f in findings_day(site, stored.reader, DAY, where=tmp_path).findings if f.check == "entered"]
    assert (found.unit, found.points, found.numbers["samples"]) == ("belt_102", (mode.path,), len(rows))
    (unit,) = [u for u in evidence(whole(site, DAY), stored.reader, tmp_path, DAY).units if u.id == "belt_102"]
    at = begin + HOUR
    (interval,) = [i for i in intervals(unit.judged, start, end) if i.start <= at < i.end]
    assert interval.unsure
    words = [told(w, site, at) for w in decided(stored.reader, site, "2026-1", unit, interval, at, tmp_path)]
    assert any("控制方式（人工录入）" in each.zh and "entered by a person" in each.en for each in words)
    of = figure(site, stored, tmp_path, "belt_102")
    assert of.rate == pytest.approx(3 / 24) and of.least == 0.0
    days = evidences(site, ahead(site, stored.client, [DAY, DAY + timedelta(days=1)]), tmp_path, [DAY])
    (together,) = [u.figure for u in days[0].mine_day().units if u.id == "belt_102"]
    assert together == of
