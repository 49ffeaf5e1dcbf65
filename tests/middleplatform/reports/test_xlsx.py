"""Workbooks: real numbers, formulas that say what was reckoned, and text that is never a formula."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from middleplatform.reports import making, xlsx
from middleplatform.reports.language import Language
from models.report.content import Column, Content, Form, Table
from models.site.model import Name
from tests.middleplatform.reports.formulas import value_of
from tests.middleplatform.reports.orders import ALL, AT, BUREAU, MONTH


def drawn(content: Content, language: Language = Language.ZH):
    return load_workbook(io.BytesIO(xlsx.draw(content, language, AT)))


@pytest.mark.parametrize("kind", ALL)
def test_formulas_give_what_the_content_says(city, kind):
    content = making.make(city, ALL[kind], "zhang", at=AT).content
    book, checked = drawn(content), 0
    shown = load_workbook(io.BytesIO(xlsx.draw(content, Language.ZH, AT)), data_only=True)
    for table, sheet in zip(content.tables, book.worksheets[1:], strict=True):
        rows = [*table.rows] + ([] if table.total is None else [table.total])
        for at, row in enumerate(rows, start=xlsx.HEAD + 1):
            for number, value in enumerate(row, start=1):
                cell = sheet.cell(at, number)
                if isinstance(value, (int, float)):
                    assert value_of(sheet, cell.coordinate) == pytest.approx(value, rel=1e-12), (table.key, cell)
                    preview = shown[sheet.title][cell.coordinate].value
                    assert preview == pytest.approx(value, rel=1e-14), "shown where nothing is reckoned"
                    checked += cell.data_type == "f"
    assert checked > 50, "so many are formulas"


def test_a_name_that_begins_as_a_formula_stays_text(city):
    bad = ("=1+1", "+cmd", "-2", "@SUM(A1)", '=HYPERLINK("http://x")', "a\x00b")
    table = Table("t", Name("=T", "=T"), (Column("a", Name("@a", "@a")),), tuple((each,) for each in bad))
    content = replace(making.make(city, MONTH, "zhang", at=AT).content, tables=(table,), title=Name("=X", "=X"))
    book = drawn(content)
    found = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert found == []
    sheet = book.worksheets[1]
    assert [sheet.cell(xlsx.HEAD + at, 1).value for at in range(1, 6)] == list(bad[:5])
    assert all(sheet.cell(xlsx.HEAD + at, 1).quotePrefix for at in range(1, 6)), "nor is it one once it is edited"


def test_numbers_are_numbers_with_formats_and_pages_are_set_up_for_print(city):
    content = making.make(city, BUREAU, "zhang", at=AT).content
    for language in Language:
        book = drawn(content, language)
        assert len(book.worksheets) == 1 + len(content.tables)
        for sheet in book.worksheets[1:]:
            assert sheet.freeze_panes == "B4" and sheet.print_title_rows == "$3:$3"
        for sheet in book:
            assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
            assert content.code in sheet.oddFooter.left.text
    ranking = drawn(content).worksheets[1]
    heads = [cell.value for cell in ranking[xlsx.HEAD]]
    assert heads[:2] == ["名次", "煤矿"]
    rate = ranking.cell(xlsx.HEAD + 1, heads.index("使用率") + 1)
    assert (rate.data_type, rate.number_format) == ("f", "0.0%")
    assert len(ranking._charts) == 1
    assert ranking.column_dimensions["B"].width >= 2 * len("1号煤矿"), "Chinese takes two places a letter"


def test_the_same_content_is_the_same_file_and_every_language_has_its_words(city):
    content = making.make(city, BUREAU, "zhang", at=AT).content
    files = {language: xlsx.draw(content, language, AT) for language in Language}
    assert len(set(files.values())) == 3
    assert all(xlsx.draw(content, language, AT) == raw for language, raw in files.items())
    titles = [load_workbook(io.BytesIO(raw)).worksheets[0]["A1"].value for raw in files.values()]
    assert titles == [content.title.zh, content.title.en, f"{content.title.zh} {content.title.en}"]


def test_a_table_without_rows_says_so(city):
    content = making.make(city, MONTH, "zhang", at=AT).content
    empty = replace(content, tables=(Table("t", Name("空", "empty"), (Column("a", Name("列", "a"), Form.HOURS),), ()),))
    assert drawn(empty).worksheets[1]["A4"].value == "无"
