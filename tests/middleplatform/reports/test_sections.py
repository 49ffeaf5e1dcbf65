"""Energy and production in reports: where they are kept, and said where they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from middleplatform.kpi import book
from middleplatform.reports import making, verify
from middleplatform.reports.language import Language
from middleplatform.reports.making import File
from models.alarms.standard import standards
from models.energy.day import Prices
from models.kpi.day import Excluded
from models.production.stoppages import Stoppage
from models.report import utilisation
from models.report.content import Content, Total
from models.report.energy import stoppages
from models.site.model import Name
from models.utilisation.rules import standard
from tests.middleplatform.kpi.made import (
    BY,
    FIRST,
    HOUR,
    ONE,
    TWO,
    day_of,
    energy_of,
    keep_beside,
    keep_mine,
    march,
    production_of,
)
from tests.middleplatform.reports.orders import AT, BUREAU, DAY, LAST, MONTH, SHIFT


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    found = tmp_path_factory.mktemp("sections")
    keep_mine(found, ONE, march(2))
    keep_mine(found, TWO, march(2))
    for day in march(2):
        keep_beside(found, ONE, day)
    return found


def table(content: Content, key: str) -> list[dict[str, object]]:
    (found,) = (each for each in content.tables if each.key == key)
    return [dict(zip([column.key for column in found.columns], row, strict=True)) for row in found.rows]


def test_a_day_tells_energy_production_and_what_is_known_of_it(home):
    made = making.make(home, DAY, "zhang", at=AT)
    told = table(made.content, "energy")
    kwh = 23 * 10.0
    assert told[0]["value"] == kwh and told[0]["known"] == pytest.approx(23 / 24)
    assert told[1]["value"] == pytest.approx(10 / 4)
    assert told[4]["value"] == pytest.approx(kwh * 0.6361 / 1000)
    assert [row["value"] for row in told[2:4]] == [None, None], "no price is known, and none is made up"
    assert [row["kwh"] for row in table(made.content, "systems")] == [23 * 2.5]
    (belt,) = table(made.content, "machines")
    assert belt["availability"] == 0.5 and belt["failures"] is None
    assert made.content.left_out == ()
    (found,) = table(made.content, "findings")
    assert (found["unit"].en, found["hours"], found["what"].en) == (
        "belt 1",
        1.0,
        "a signal stood still: seconds unchanged 3600",
    )
    assert [row["name"].zh for row in table(made.content, "shifts")] == ["夜班", "早班", "中班"]
    assert {source.section for source in made.content.sources} == {"utilisation", "energy", "production", "findings"}
    for file in File:
        raw = making.draw(made.content, file, Language.BOTH, made.report.made_at)
        assert verify.verify_file(home, raw).good


def test_time_that_two_tickets_leave_out_counts_once():
    day = day_of(ONE, FIRST)
    out = [Excluded(n, "geology", "face", "face_1", day.start + n * HOUR, day.start + (n + 3) * HOUR) for n in (1, 2)]
    told = utilisation.excluded([replace(day, excluded=tuple(out))], standard().versions[-1])
    assert [row[-1] for row in told.rows] == [3.0, 3.0]
    assert told.total[-1] == 4.0 and told.columns[-1].total is Total.NONE, "and no cell adds them up"


def test_a_newer_revision_of_energy_is_told(home, tmp_path):
    keep_mine(tmp_path, ONE, march(1))
    keep_beside(tmp_path, ONE, FIRST)
    made = making.make(tmp_path, DAY, "zhang", at=AT)
    book.keep(
        tmp_path,
        ONE,
        book.ENERGY,
        FIRST,
        energy_of(ONE, FIRST, 11.0).document(),
        BY,
        at=energy_of(ONE, FIRST).edges[-1] + 2 * HOUR,
    )
    found = verify.verify_code(tmp_path, made.report.code)
    assert found.good and found.newer == ((ONE, "energy", FIRST),)


def test_the_bureau_is_told_whose_energy_is_not_kept(home):
    content = making.make(home, BUREAU.__class__(BUREAU.kind, (ONE, TWO), FIRST, LAST), "zhang", at=AT).content
    rows = table(content, "energy")
    assert [row["days"] for row in rows] == [2, 0]
    assert rows[0]["kwh"] == 2 * 230 and rows[1]["kwh"] is None, "nothing heard is not zero"
    assert rows[0]["known"] == rows[0]["paired"] == pytest.approx(2 / 31 * 23 / 24), "of the month, not of two days"
    assert rows[0]["output_known"] == pytest.approx(2 / 31) and rows[1]["known"] is None
    assert "Colliery 2" in content.left_out[0].en and "Colliery 1" not in content.left_out[0].en


def test_days_that_are_missing_weigh_on_units_energy_and_cost(tmp_path):
    keep_mine(tmp_path, ONE, march(3))
    hours = ("valley",) * 8 + ("flat",) * 16
    priced = Prices("shanxi", hours, (0.5,) * 8 + (1.0,) * 16, (0.5,) * 24, (0.4,) * 24)
    for day in march(3):
        keep_beside(tmp_path, ONE, day)
        document = replace(energy_of(ONE, day), prices=priced).document()
        book.keep(tmp_path, ONE, book.ENERGY, day, document, BY, at=AT)
    content = making.make(tmp_path, MONTH, "zhang", at=AT).content
    part = pytest.approx(3 / 31 * 23 / 24)
    for unit in table(content, "units"):
        category = next(row for row in table(content, "categories") if row["category"] == unit["category"])
        assert unit["coverage"] < 0.1 and unit["coverage"] == pytest.approx(category["coverage"], abs=0.02)
        assert unit["least"] < 0.1 and unit["most"] > 0.9 and unit["blind"] >= 28 * 24
    rows = {row["what"].en: row for row in table(content, "energy")}
    assert rows["cost, by the hour's tariff"]["known"] == rows["CO₂ of electricity"]["known"] == part
    assert rows["of it in valley hours"]["value"] == 3 * 8 * 10.0
    (energy,) = (each for each in content.tables if each.key == "energy")
    assert "3 of 31 days" in energy.note.en and "shanxi, 0.4 CNY/kWh" in energy.note.en
    assert table(content, "systems")[0]["known"] == part
    assert table(content, "machines")[0]["coverage"] == pytest.approx(3 / 31)


def test_causes_are_told_by_name_and_what_is_not_shown_is_said():
    lost = [Stoppage("belt_1", 0, HOUR, HOUR + n, True, f"own.{n}", "belt_1", "control") for n in range(20)]
    slip = Stoppage("belt_1", 0, HOUR, 3 * HOUR, True, "protection.slip", "belt_1", "mechanical")
    of = production_of(ONE, FIRST)
    day = replace(of, machines=(replace(of.machines[0], stoppages=(slip, *lost)),))
    found = stoppages([day], {"belt_1": Name("一号皮带", "belt 1")}, 1)
    assert (found.rows[0][0].zh, found.rows[0][1].en) == (standards().rules["protection.slip"].name.zh, "belt 1")
    assert found.rows[1][0] == Name("own.19", "own.19"), "a site's own rule"
    assert len(found.rows) == 15 and "6 more, 6.00 h together" in found.note.en


def test_a_shift_says_where_energy_stands(home):
    content = making.make(home, SHIFT, "zhang", at=AT).content
    assert "daily report" in content.left_out[0].en
    assert "energy" not in [each.key for each in content.tables]
