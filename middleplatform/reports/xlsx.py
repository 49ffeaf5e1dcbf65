"""A report as a workbook: real numbers, formulas where a reader would check, charts; each table on a sheet."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from middleplatform.reports import wording
from middleplatform.reports.language import FORMATS, NOT_KNOWN, Language, shown
from models.report.content import Chart, Column, Content, Form, Table, Total, Value
from models.site.model import Name

HEAD = 3
"""The row of a table's headings; above it stand its title and its note."""
NARROW, WIDEST = 11, 60
A4 = 9
_HEADING = PatternFill("solid", fgColor="1F3864")
_SUM = PatternFill("solid", fgColor="E7ECF5")
_LINE = Border(bottom=Side(style="thin", color="BFBFBF"))
_KEYS = re.compile(r"\{([a-z_0-9]+)\}")


def draw(content: Content, language: Language, made_at: int) -> bytes:
    """The workbook's bytes, the same for the same content. `made_at`: µs UTC."""
    book = Workbook()
    at = datetime.fromtimestamp(made_at // 1_000_000, UTC).replace(tzinfo=None)
    book.properties.creator = "sevenones"
    book.properties.title = language.say(content.title)
    book.properties.identifier = content.code
    book.properties.created = book.properties.modified = at
    sheet = book.active
    sheet.title = _sheet_name(wording.SUMMARY, language)
    _summary(sheet, content, language, at)
    reckoned = {}
    for number, table in enumerate(content.tables, start=1):
        own = _table(book.create_sheet(_sheet_name(table.title, language, number)), table, language)
        reckoned[f"xl/worksheets/sheet{number + 1}.xml"] = own
    for sheet in book.worksheets:
        _for_print(sheet, content, language)
    return _settled(book, at, reckoned)


def _summary(sheet: Worksheet, content: Content, language: Language, at: datetime) -> None:
    say = language.say
    sheet.column_dimensions["A"].width = 34
    for letter, width in zip("BCDE", (26, 22, 14, 44), strict=True):
        sheet.column_dimensions[letter].width = width
    _text(sheet.cell(1, 1), say(content.title)).font = Font(bold=True, size=16)
    facts = (
        (wording.PERIOD, wording.period_of(content)),
        (wording.MINES, say(wording.mines_of(content))),
        (wording.MADE, f"{at:%Y-%m-%d %H:%M} UTC"),
        (wording.CODE, content.code),
    )
    row = 2
    for name, words in facts:
        row += 1
        _text(sheet.cell(row, 1), say(name)).font = Font(bold=True)
        _text(sheet.cell(row, 2), words)
    row += 2
    headings = (wording.KEY_FIGURES, wording.VALUE, wording.BOUNDS, wording.COVERAGE, wording.REMARK)
    for column, name in enumerate(headings, start=1):
        _heading(sheet.cell(row, column), say(name))
    for key in content.keys:
        row += 1
        _text(sheet.cell(row, 1), say(key.title))
        _value(sheet.cell(row, 2), key.value, key.form, language).alignment = Alignment(horizontal="right")
        bounds = "" if key.bounds is None else " – ".join(shown(each, key.form, language) for each in key.bounds)
        _text(sheet.cell(row, 3), bounds).alignment = Alignment(horizontal="right")
        if key.coverage is not None:
            _value(sheet.cell(row, 4), key.coverage, Form.SHARE, language)
        _text(sheet.cell(row, 5), "" if key.words is None else say(key.words)).alignment = _WRAPPED
    paragraphs = [(wording.DEFINITIONS, [say(each) for each in content.definitions])]
    if content.left_out:
        paragraphs.append((wording.LEFT_OUT, [say(each) for each in content.left_out]))
    versions = [f"{say(wording.version_words(key))}: {words}" for key, words in sorted(content.versions.items())]
    sources = f"{say(wording.SOURCES)}: {say(wording.sources_of(content))}"
    paragraphs.append((wording.VERSIONS, [*versions, sources, say(wording.CHECK)]))
    for title, texts in paragraphs:
        row += 2
        _text(sheet.cell(row, 1), say(title)).font = Font(bold=True, size=12)
        for text in texts:
            row += 1
            sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=5)
            _text(sheet.cell(row, 1), text).alignment = _WRAPPED
            sheet.row_dimensions[row].height = 15 * (1 + _width(text) // 135)


def _table(sheet: Worksheet, table: Table, language: Language) -> dict[str, Value]:
    """By address, what its formulas come to."""
    reckoned: dict[str, Value] = {}
    _text(sheet.cell(1, 1), language.say(table.title)).font = Font(bold=True, size=13)
    note = "" if table.note is None else language.say(table.note)
    _text(sheet.cell(2, 1), note).font = Font(italic=True, color="595959")
    letters = {column.key: get_column_letter(at) for at, column in enumerate(table.columns, start=1)}
    for at, column in enumerate(table.columns, start=1):
        _heading(sheet.cell(HEAD, at), language.say(column.title, "\n"))
        sheet.column_dimensions[get_column_letter(at)].width = _column_width(table, at - 1, language)
    sheet.row_dimensions[HEAD].height = 48 if language is not Language.ZH else 32
    for row, cells in enumerate(table.rows, start=HEAD + 1):
        for at, (column, value) in enumerate(zip(table.columns, cells, strict=True), start=1):
            cell = sheet.cell(row, at)
            _value(cell, value, column.form, language)
            if column.formula and value is not None:
                cell.value = formula(column.formula, letters, row)
                reckoned[cell.coordinate] = value
            cell.border = _LINE
    last = HEAD + len(table.rows)
    if table.total is not None:
        last += 1
        for at, (column, value) in enumerate(zip(table.columns, table.total, strict=True), start=1):
            cell = sheet.cell(last, at)
            if value is not None:
                _value(cell, value, column.form, language)
                if words := total_formula(table, column, letters):
                    cell.value = words
                    reckoned[cell.coordinate] = value
            cell.font, cell.fill = Font(bold=True), _SUM
    if not table.rows:
        last += 1
        _text(sheet.cell(last, 1), language.say(wording.NOTHING))
    sheet.freeze_panes = sheet.cell(HEAD + 1, 2)
    sheet.print_title_rows = f"{HEAD}:{HEAD}"
    if table.rows and table.chart is not None:
        _chart(sheet, table, table.chart, language, last)
    return reckoned


def formula(text: str, letters: dict[str, str], row: int) -> str:
    """A column's formula at a row."""
    return "=" + _KEYS.sub(lambda found: f"{letters[found[1]]}{row}", text)


def total_formula(table: Table, column: Column, letters: dict[str, str]) -> str:
    """How the last row follows from those above; "" for a column whose total does not."""
    first, last, own = HEAD + 1, HEAD + len(table.rows), letters[column.key]
    here = f"{own}{first}:{own}{last}"
    match column.total:
        case Total.SUM:
            return f"=SUM({here})"
        case Total.FORMULA:
            return formula(column.formula, letters, last + 1)
        case Total.WEIGHTED:
            weights = f"{letters['weight']}{first}:{letters['weight']}{last}"
            return f'=SUMPRODUCT({weights},{here})/SUMIF({here},">=0",{weights})'
        case _:
            return ""


def _chart(sheet: Worksheet, table: Table, drawn: Chart, language: Language, last: int) -> None:
    keys = [column.key for column in table.columns]
    chart = LineChart() if drawn.line else BarChart()
    chart.title = language.say(drawn.title)
    chart.height, chart.width = 8.5, 24
    chart.y_axis.number_format = FORMATS[Form.SHARE]
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
    chart.x_axis.delete = chart.y_axis.delete = False
    rows = {"min_row": HEAD, "max_row": HEAD + len(table.rows)}
    for key in drawn.series:
        chart.add_data(Reference(sheet, min_col=keys.index(key) + 1, **rows), titles_from_data=True)
    labels = Reference(sheet, min_col=keys.index(drawn.label) + 1, min_row=HEAD + 1, max_row=rows["max_row"])
    chart.set_categories(labels)
    sheet.add_chart(chart, f"A{last + 3}")


def _for_print(sheet: Worksheet, content: Content, language: Language) -> None:
    sheet.page_setup.paperSize = A4
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.left.text = f"{language.say(wording.CODE)} {content.code}"
    sheet.oddFooter.right.text = {
        Language.ZH: "第 &P 页 / 共 &N 页",
        Language.EN: "page &P of &N",
        Language.BOTH: "第 &P 页 / 共 &N 页 page &P of &N",
    }[language]


_WRAPPED = Alignment(wrap_text=True, vertical="top")


def _heading(cell: Cell, words: str) -> None:
    _text(cell, words)
    cell.font, cell.fill = Font(bold=True, color="FFFFFF"), _HEADING
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")


def _value(cell: Cell, value: Value, form: Form, language: Language) -> Cell:
    """A number stays one, with a format; anything else is text."""
    if isinstance(value, (int, float)):
        cell.value, cell.number_format = value, FORMATS[form]
        return cell
    _text(cell, NOT_KNOWN if value is None else language.say(value) if isinstance(value, Name) else value)
    cell.alignment = Alignment(
        vertical="top", wrap_text=form is Form.TEXT, horizontal="left" if form is Form.TEXT else "right"
    )
    return cell


def _text(cell: Cell, words: str) -> Cell:
    """Text, whatever it begins with: a name such as =1+1 is no formula, not even when somebody edits the cell."""
    cell.value = _ILLEGAL.sub("�", words)
    cell.data_type = "s"
    cell.quotePrefix = words.startswith(("=", "+", "-", "@"))
    return cell


_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML cannot hold."""


def _column_width(table: Table, at: int, language: Language) -> float:
    """Room for what stands in it; Chinese takes two places a letter."""
    column = table.columns[at]
    cells = [row[at] for row in table.rows] + ([] if table.total is None else [table.total[at]])
    longest = max((_width(shown(each, column.form, language)) for each in cells), default=0)
    headings = max(_width(line) for line in language.say(column.title, "\n").split("\n"))
    return min(max(NARROW if not column.wide else 0, longest + 2, min(headings, 16) + 2), WIDEST)


def _width(text: str) -> int:
    return sum(1 + (ord(each) > 0x2E7F) for each in text)


def _sheet_name(title: Name, language: Language, number: int = 0) -> str:
    """At most 31 characters, none that a sheet's name cannot hold, and no two the same."""
    short = title.en if language is Language.EN else title.zh
    words = re.sub(r"[\[\]:*?/\\']", " ", short)
    return (f"{number} {words}" if number else words)[:31].strip()


_FORMULA = re.compile(rb'(<c r="([A-Z]+[0-9]+)"[^>]*><f>[^<]*</f>)<v ?(?:/>|></v>)')


def _settled(book: Workbook, at: datetime, reckoned: Mapping[str, Mapping[str, Value]]) -> bytes:
    """The workbook's bytes with times that do not depend on when it was written, and under each formula what it comes
    to, for programs that show a workbook and do not reckon. `reckoned`: by the sheet's part and the cell's address."""
    raw, out = io.BytesIO(), io.BytesIO()
    book.save(raw)
    stamp = max(at, datetime(1980, 1, 1)).timetuple()[:6]
    modified = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(<)")
    with zipfile.ZipFile(raw) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            content = given.read(name)
            if name == "docProps/core.xml":
                content = modified.sub(rb"\g<1>" + f"{at:%Y-%m-%dT%H:%M:%SZ}".encode() + rb"\g<2>", content)
            if own := reckoned.get(name):
                content = _FORMULA.sub(partial(_with_value, own), content)
            info = zipfile.ZipInfo(name, stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, content)
    return out.getvalue()


def _with_value(own: Mapping[str, Value], found: re.Match[bytes]) -> bytes:
    return found[1] + f"<v>{own[found[2].decode()]!r}</v>".encode()
