"""A report is what was recorded under its code: a changed cell is named, and newer days are told."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, update

from middleplatform.database import connect
from middleplatform.database.tables.kpi import kpi_days
from middleplatform.database.tables.reports import kpi_reports
from middleplatform.kpi import book
from middleplatform.reports import making, record, verify, xlsx
from middleplatform.reports.language import Language
from middleplatform.reports.making import File
from models.kpi.mine import Standing
from models.report import words as said_in
from models.report.build import Order, ReportRefused
from models.report.content import Column, Content, Kind, code_of, normal_code
from models.report.numbers import different
from models.site.model import Name
from models.utilisation.figure import Figure
from tests.middleplatform.kpi.made import FIRST, HOUR, ONE, THREE, TWO, day_of, keep_day, keep_mine, march
from tests.middleplatform.reports.orders import ALL, AT, BUREAU, DAY, LAST, MONTH


def resaved(raw: bytes, **cells: object) -> bytes:
    """A workbook that somebody opened and saved, with some cells of its second sheet changed."""
    found = load_workbook(io.BytesIO(raw))
    for place, value in cells.items():
        found.worksheets[1][place] = value
    out = io.BytesIO()
    found.save(out)
    return out.getvalue()


def test_a_report_made_twice_has_one_code_and_one_record(place):
    keep_mine(place, ONE, march(2))
    first = making.make(place, DAY, "zhang", at=AT)
    again = making.make(place, DAY, "wang", at=AT + 5)
    assert first.report == again.report and first.report.who == "zhang"
    assert record.content_of(place, first.report.code) == first.content
    assert [each.code for each in record.listed(place)] == [first.report.code]
    found = verify.verify_code(place, f" {first.report.code.lower().replace('-', ' ')} ")
    assert found.good and found.newer == ()


def test_newer_revisions_and_days_are_told_and_the_report_still_stands(place):
    keep_mine(place, ONE, march(3))
    made = making.make(place, MONTH, "zhang", at=AT)
    keep_day(place, day_of(ONE, march(2)[1], seed=1), later=HOUR)
    keep_day(place, day_of(ONE, march(4)[3]), later=HOUR)
    found = verify.verify_code(place, made.report.code)
    assert found.good, "the days that it was made of are kept, as older revisions"
    assert [day for _, _, day in found.newer] == [march(2)[1], march(4)[3]]
    now = making.make(place, MONTH, "zhang", at=AT + 1)
    assert now.report.code != made.report.code


@pytest.mark.parametrize("language", Language)
def test_a_workbook_as_drawn_is_good_and_one_saved_anew_is_told_as_another_file(city, language):
    made = making.make(city, BUREAU, "zhang", at=AT)
    raw = making.draw(made.content, File.XLSX, language, made.report.made_at)
    found = verify.verify_file(city, raw)
    assert (found.good, found.differences) == (True, ()), found
    saved = verify.verify_file(city, resaved(raw))
    assert not saved.good, "what else it shows, such as a picture over a cell, is not compared"
    (only,) = saved.differences
    assert only.where == "XLSX" and "cells are as recorded" in only.should


def repacked(raw: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook one part of which somebody changed by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            before = given.read(name)
            after = change(before) if name == part else before
            assert name != part or after != before
            made.writestr(name, after)
    return out.getvalue()


def test_what_a_reader_would_see_otherwise_is_found_though_the_cells_are_the_same(city):
    made = making.make(city, DAY, "zhang", at=AT)
    raw = making.draw(made.content, File.XLSX, Language.ZH, made.report.made_at)
    spoilt = load_workbook(io.BytesIO(raw))
    summary, first, second = spoilt.worksheets[:3]
    summary["B9"].number_format = '"99.9%"'
    first.row_dimensions[5].hidden = True
    first.column_dimensions["C"].hidden = True
    second.sheet_state = "hidden"
    out = io.BytesIO()
    spoilt.save(out)
    found = verify.verify_file(city, out.getvalue())
    told = {each.where for each in found.differences}
    assert not found.good
    assert told == {
        *(f"{summary.title}!B9 format", f"{first.title}!row 5", f"{first.title}!column C", f"{second.title}!sheet")
    }
    values = repacked(raw, "xl/worksheets/sheet2.xml", lambda text: re.sub(rb"</f><v>[^<]*", b"</f><v>0.99", text))
    forged = verify.verify_file(city, values)
    assert not forged.good and all(each.says == "0.99" for each in forged.differences)
    assert len(forged.differences) > 3 and all(each.where.endswith(" value") for each in forged.differences)


def test_a_changed_cell_is_found_and_named(city):
    made = making.make(city, BUREAU, "zhang", at=AT)
    raw = making.draw(made.content, File.XLSX, Language.ZH, made.report.made_at)
    (sheet,) = (each.title for each in load_workbook(io.BytesIO(raw)).worksheets[1:2])
    nearly = float(made.content.tables[0].rows[0][11]) + 1e-9
    found = verify.verify_file(city, resaved(raw, D4=99, K5=0.99, L4=nearly, Z90="added"))
    told = {each.where: (each.says, each.should) for each in found.differences}
    assert list(told) == [f"{sheet}!{place}" for place in ("D4", "L4", "K5", "Z90")], "the last digits count"
    assert told[f"{sheet}!D4"] == ("99", "31") and told[f"{sheet}!Z90"] == ("added", "—")
    assert told[f"{sheet}!K5"][0] == "0.99" and told[f"{sheet}!K5"][1].startswith("=(")
    assert not found.good


def test_all_that_differs_is_counted_though_the_first_alone_are_named(city):
    made = making.make(city, BUREAU, "zhang", at=AT)
    raw = making.draw(made.content, File.XLSX, Language.ZH, made.report.made_at)
    found = verify.verify_file(city, resaved(raw, **{f"Z{row}": "added" for row in range(100, 133)}))
    assert (len(found.differences), found.differing) == (verify.TOLD, 33)
    assert verify.verify_file(city, raw).differing == 0


def test_pages_that_were_changed_are_not_those_that_were_drawn(city):
    made = making.make(city, DAY, "zhang", at=AT)
    raw = making.draw(made.content, File.PDF, Language.EN, made.report.made_at)
    assert verify.verify_file(city, raw).good
    (one,) = verify.verify_file(city, raw.replace(b"/Producer", b"/Producex")).differences
    assert one.where == "PDF"


def test_a_content_that_was_made_up_is_of_no_known_code(city):
    made = making.make(city, DAY, "zhang", at=AT)
    forged = made.content.document().replace(ONE, TWO)
    found = verify.verify_code(city, code_of(forged))
    assert found.report is None and not found.good


def test_what_is_no_report_is_refused_in_plain_words(city, tmp_path):
    for raw, words in (
        (b"hello", "neither"),
        (b"%PDF-1.4\n%%EOF", "no report"),
        (b"PK\x03\x04rubbish", "cannot be read"),
        (b"\x00" * 10, "neither"),
    ):
        with pytest.raises(verify.NoReport, match=words):
            verify.verify_file(city, raw)
    with pytest.raises(verify.NoReport, match="no code"):
        verify.verify_code(city, "not a code")
    made = making.make(city, DAY, "zhang", at=AT)
    raw = making.draw(made.content, File.XLSX, Language.ZH, made.report.made_at)
    found = load_workbook(io.BytesIO(raw))
    found.worksheets[0]["B6"] = "none"
    out = io.BytesIO()
    found.save(out)
    with pytest.raises(verify.NoReport, match="no verification code"):
        verify.verify_file(city, out.getvalue())


def test_after_an_upgrade_the_figures_count_and_not_the_words(city, monkeypatch):
    made = making.make(city, BUREAU, "zhang", at=AT)
    assert not verify.verify_code(city, made.report.code).reworded
    monkeypatch.setitem(said_in.STANDING, Standing.MET, Name("已达到", "reached"))
    monkeypatch.setattr(making, "program", lambda: "99.1")
    found = verify.verify_code(city, made.report.code)
    assert found.good and found.reworded and found.programs == (made.content.versions["program"], "99.1")
    monkeypatch.setattr(Figure, "rate", property(lambda own: 0.9))
    otherwise = verify.verify_code(city, made.report.code)
    assert not otherwise.good and not otherwise.reworded and otherwise.why is not None
    assert "the same figures: " in otherwise.why.en


def test_what_an_upgrade_adds_is_no_difference_and_a_changed_cell_or_row_is(city):
    said = making.make(city, BUREAU, "zhang", at=AT).content
    table = said.tables[0]
    more = replace(
        table, columns=(Column("new", Name("新", "new")), *table.columns), rows=tuple((7, *row) for row in table.rows),
        total=None if table.total is None else (None, *table.total),
    )  # fmt: skip
    assert [*different(said, replace(said, tables=(more, *said.tables[1:])))] == []
    last = replace(table, rows=(*table.rows[:-1], tuple(1.5 if type(v) is float else v for v in table.rows[-1])))
    assert any(each.startswith(f"{table.title.en}: ") for each in different(said, replace(said, tables=(last,))))
    fewer = replace(said, tables=(replace(table, rows=table.rows[:-1]), *said.tables[1:]))
    assert [*different(said, fewer)] == [f"{table.title.en}: rows"]
    (key, *_) = said.keys
    assert [*different(said, replace(said, keys=(replace(key, value=0.123), *said.keys[1:])))] == [key.title.en]


def test_a_record_that_was_changed_is_told(tmp_path):
    keep_mine(tmp_path, ONE, march(1))
    made = making.make(tmp_path, DAY, "zhang", at=AT)
    other = made.content.document().replace(made.content.title.en, "All is well")
    with connect(tmp_path).begin() as connection:
        connection.execute(update(kpi_reports).values(document=other))
    found = verify.verify_code(tmp_path, made.report.code)
    assert not found.good and found.why is not None and "record itself" in found.why.en


def test_days_that_are_gone_are_told(tmp_path):
    keep_mine(tmp_path, ONE, march(2))
    made = making.make(tmp_path, MONTH, "zhang", at=AT)
    with connect(tmp_path).begin() as connection:
        connection.execute(delete(kpi_days).where(kpi_days.c.day == "2026-03-02"))
    found = verify.verify_code(tmp_path, made.report.code)
    assert found.same is None and found.why is not None and "2026-03-02" in found.why.en and not found.good


def test_a_day_that_is_not_over_is_in_no_report(tmp_path):
    keep_mine(tmp_path, ONE, [])
    keep_day(tmp_path, day_of(ONE, FIRST), provisional=True)
    with pytest.raises(ReportRefused, match="no day"):
        making.make(tmp_path, DAY, "zhang", at=AT)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (Order(Kind.DAILY, (ONE,), FIRST, LAST), "one day"),
        (Order(Kind.SHIFT, (ONE,), FIRST, FIRST), "names the shift"),
        (Order(Kind.DAILY, (ONE,), FIRST, FIRST, "1"), "names the shift"),
        (Order(Kind.SHIFT, (ONE,), FIRST, FIRST, "9"), "no shift 9"),
        (Order(Kind.MONTHLY, (ONE, TWO), FIRST, LAST), "one mine"),
        (Order(Kind.MONTHLY, (), FIRST, LAST), "name the mines"),
        (Order(Kind.MONTHLY, (ONE,), LAST, FIRST), "1 to 31 days"),
        (Order(Kind.MONTHLY, ("140599999999",), FIRST, LAST), "nothing is kept"),
        (Order(Kind.DAILY, (THREE,), LAST, LAST), "no day"),
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(city, order, words):
    with pytest.raises(ReportRefused, match=words):
        making.make(city, order, "zhang", at=AT)


@pytest.mark.parametrize("kind", ALL)
def test_a_content_comes_back_as_it_was_written(city, kind):
    content = making.make(city, ALL[kind], "zhang", at=AT).content
    assert Content.read(content.document()) == content
    assert normal_code(content.code.lower()) == content.code
    for rubbish in ("", "{}", "[]", '{"kind": "daily"}', "null"):
        with pytest.raises(ValueError):
            Content.read(rubbish)


def test_figures_of_the_bureau_are_those_of_the_days(city):
    """The ranking against what the days say, reckoned apart."""
    content = making.make(city, BUREAU, "zhang", at=AT).content
    ranking = content.tables[0]
    keys = [column.key for column in ranking.columns]
    assert [row[keys.index("place")] for row in ranking.rows] == [1, 2, None]
    days = [day_of(ONE, day, 0.6) for day in march(31)]
    belts = [figure for day in days for unit in day.units if unit.category == "belt" for figure in unit.shifts.values()]
    intelligent, by_hand = (sum(getattr(f, name) for f in belts) for name in ("intelligent", "by_hand"))
    assert ranking.rows[0][keys.index("belt")] == intelligent / (intelligent + by_hand)
    kept = book.read(city, THREE, book.UTILISATION, FIRST, LAST)
    assert ranking.rows[2][keys.index("kept")] == len(kept) == 3
    assert {source.digest for source in content.sources if source.mine == THREE} == {k.digest for k in kept.values()}
    assert xlsx.HEAD == 3
