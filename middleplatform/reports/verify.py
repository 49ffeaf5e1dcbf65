"""Whether a report is what was recorded under its code, and whether its days still say what it says."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from middleplatform.database import Place
from middleplatform.reports import making, record, xlsx
from middleplatform.reports.language import Language
from middleplatform.reports.record import Report
from models.kpi.day import digest
from models.report.build import ReportRefused
from models.report.content import Content, code_of, normal_code
from models.report.numbers import different
from models.site.model import Name

MOST_BYTES = 32 << 20
"""Of a file that is looked at."""
MOST_UNPACKED = 256 << 20
TOLD = 20
"""Differences that are named."""
_CODE = re.compile("[A-Z2-7]{4}(-[A-Z2-7]{4}){4}")


@dataclass(frozen=True, slots=True)
class Difference:
    """`where`: the sheet and cell, or the part of the file; `says`: what stands there, `should`: what was recorded."""

    where: str
    says: str
    should: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`report`: None for a code that nobody recorded. `differences`: between the file and what was recorded, up to
    TOLD of the `differing` that there are. `same`: whether the very days that it was made of say the same to the last
    digit; None where they are not all kept any more, of which `why` tells. `newer`: (mine, section, day) of which a
    newer revision is kept since. `received`: by mine, how many of its days came ready-made, without evidence that they
    could be reckoned from. `reworded`: the figures are the same, and this program would say them in other words.
    `programs`: the one that made the report, and this one."""

    code: str
    report: Report | None
    differences: tuple[Difference, ...] = ()
    same: bool | None = None
    why: Name | None = None
    newer: tuple[tuple[str, str, date], ...] = field(default=())
    received: Mapping[str, int] = field(default_factory=dict)
    reworded: bool = False
    programs: tuple[str, str] = ("", "")
    differing: int = 0

    @property
    def good(self) -> bool:
        """The file, where there is one, is as recorded, and so are the figures."""
        return self.report is not None and not self.differences and self.same is True


class NoReport(Exception):
    """What was given is neither a code nor a file of a report. `zh`, `en`: why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def verify_code(where: Place, code: str) -> Verdict:
    """What is recorded under a code, however it is typed. Raises NoReport."""
    normal = normal_code(code)
    if normal is None:
        raise NoReport(
            "不是验证码：五组、每组四个字母或数字 2-7", "this is no code: five groups of four of A-Z and 2-7"
        )
    report = record.find(where, normal)
    return Verdict(normal, None) if report is None else _figures(where, report, ())


def verify_file(where: Place, raw: bytes) -> Verdict:
    """A workbook or PDF against what is recorded under the code that it carries. Raises NoReport."""
    if len(raw) > MOST_BYTES:
        raise NoReport(f"文件超过 {MOST_BYTES >> 20} MB", f"the file is larger than {MOST_BYTES >> 20} MB")
    if raw.startswith(b"%PDF-"):
        return _pdf(where, raw)
    if raw.startswith(b"PK"):
        return _workbook(where, raw)
    raise NoReport("既不是 XLSX 也不是 PDF", "this is neither an XLSX nor a PDF")


def _pdf(where: Place, raw: bytes) -> Verdict:
    from middleplatform.reports import pdf
    from middleplatform.reports.attached import attached
    from middleplatform.reports.fonts import FontMissing

    try:
        document = attached(raw)
    except ValueError as wrong:
        raise NoReport("PDF 内附的内容无法读取", str(wrong)) from wrong
    if document is None:
        raise NoReport("PDF 内没有报表内容", "the PDF carries no report's content")
    code = code_of(document)
    report = record.find(where, code)
    if report is None:
        return Verdict(code, None)
    content = record.content_of(where, code)
    try:
        same = any(pdf.draw(content, language, report.made_at) == raw for language in Language)
    except FontMissing as missing:
        return _figures(where, report, (Difference("PDF", "?", str(missing)),))
    if same:
        return _figures(where, report, ())
    words = "the pages are not those that this program draws of the recorded content: changed, or of another version"
    return _figures(where, report, (Difference("PDF", digest_of(raw), f"页面与记录内容所绘不同 · {words}"),))


def _workbook(where: Place, raw: bytes) -> Verdict:
    given = _cells(raw)
    texts = (each[1] for cells in given.values() for each in cells.values() if isinstance(each[1], str))
    code = next((each for each in texts if _CODE.fullmatch(each)), None)
    if code is None:
        raise NoReport("工作簿内没有验证码", "the workbook carries no verification code")
    report = record.find(where, code)
    if report is None:
        return Verdict(code, None)
    content = record.content_of(where, code)
    drawn = xlsx.draw(content, _language(given, content), report.made_at)
    if drawn == raw:
        return _figures(where, report, ())
    return _figures(where, report, tuple(_compare(given, _cells(drawn))) or (_another(raw, drawn),))


def _another(raw: bytes, drawn: bytes) -> Difference:
    """Of a file in which all that is compared is as recorded. What else it shows (pictures, colours, conditional
    formats) is not compared, and may be anything."""
    words = "its cells are as recorded, but it is not the very file: saved anew, changed, or of another version"
    return Difference("XLSX", digest_of(raw), f"{digest_of(drawn)} 单元格与记录相同，但不是原文件 · {words}")


def _language(given: dict[str, Cells], content: Content) -> Language:
    """What its title is in, or the names of most of its sheets."""
    titles = {cells["A1"][1] for cells in given.values() if "A1" in cells}
    own = {each: [each.say(content.title), *(each.say(table.title) for table in content.tables)] for each in Language}
    return max(own, key=lambda each: len(titles.intersection(own[each])))


Cells = dict[str, tuple[str, object]]
"""By address: what kind of cell it is, formula or not, and what stands in it; beside it what decides what a reader sees
of it: its format, the value kept under a formula, which rows and columns are hidden, and the sheet."""
KEPT = " value"
"""Behind the address of a formula: what a program shows that does not reckon it."""


def _cells(raw: bytes) -> dict[str, Cells]:
    """By sheet. Raises NoReport."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise NoReport("工作簿过大", "the workbook is too large")
        book, shown = (load_workbook(io.BytesIO(raw), data_only=only) for only in (False, True))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, OSError, SyntaxError) as wrong:
        raise NoReport("工作簿无法读取", f"the workbook cannot be read: {wrong}") from wrong
    return {sheet.title: dict(_of_sheet(sheet, shown[sheet.title])) for sheet in book.worksheets}


def _of_sheet(sheet: Worksheet, shown: Worksheet) -> Iterator[tuple[str, tuple[str, object]]]:
    if sheet.sheet_state != "visible":
        yield "sheet", ("state", sheet.sheet_state)
    for what, each in (("column", sheet.column_dimensions), ("row", sheet.row_dimensions)):
        yield from ((f"{what} {key}", ("state", "hidden")) for key, own in each.items() if own.hidden)
    for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value not in (None, "")):
        yield cell.coordinate, ("formula" if cell.data_type == "f" else "value", cell.value)
        if cell.number_format != "General":
            yield f"{cell.coordinate} format", ("format", cell.number_format)
        if cell.data_type == "f" and (kept := shown[cell.coordinate].value) is not None:
            yield f"{cell.coordinate}{KEPT}", ("value", kept)


def _compare(given: dict[str, Cells], should: dict[str, Cells]) -> list[Difference]:
    found = [Difference(sheet, "—", "sheet") for sheet in should if sheet not in given]
    found += [Difference(sheet, "sheet", "—") for sheet in given if sheet not in should]
    for sheet, cells in should.items():
        own = given.get(sheet, {})
        for place in [*cells, *(each for each in own if each not in cells)]:
            if place.endswith(KEPT) and place not in own:
                continue  # a program that saves it anew may leave it out
            if not _equal(own.get(place), cells.get(place)):
                found.append(Difference(f"{sheet}!{place}", _told(own.get(place)), _told(cells.get(place))))
    return found


def _equal(one: tuple[str, object] | None, other: tuple[str, object] | None) -> bool:
    """A program that saves a workbook anew may write 1 for 1.0, and keep 15 digits of a number."""
    if one is None or other is None or one[0] != other[0]:
        return one == other
    a, b = one[1], other[1]
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or f"{a:.14e}" == f"{b:.14e}"
    return a == b


def _told(cell: tuple[str, object] | None) -> str:
    return "—" if cell is None else str(cell[1])[:80]


def _figures(where: Place, report: Report, differences: tuple[Difference, ...]) -> Verdict:
    """Whether the days say it still."""
    content: Content = record.content_of(where, report.code)
    since = tuple(making.newer(where, content))
    why, reworded = None, False
    try:
        said, now = making.again(where, report)
        reworded = said.document() != now.document()
        found = [*different(said, now)] if reworded else []
        whole = _whole(where, report)
        same: bool | None = whole and not found
        if not whole:
            why = Name("记录本身被改动，与验证码不符", "the record itself was changed: it is not that of its code")
        elif found:
            at = ", ".join(found[:5])
            why = Name(f"由同样的日数据重算，结果不同：{at}", f"the same days do not give the same figures: {at}")
    except LookupError as gone:
        same, why = None, Name(f"所依据的日数据已不在：{gone}", f"a day that it was made of is not kept: {gone}")
    except ReportRefused as refused:
        same, why = False, Name(refused.zh, refused.en)
    programs = (content.versions.get("program", ""), making.program())
    received = making.received(where, content)
    told, reworded = differences[:TOLD], same is True and reworded
    return Verdict(report.code, report, told, same, why, since, received, reworded, programs, len(differences))


def _whole(where: Place, report: Report) -> bool:
    """Whether what is recorded is what its code and digest were made of."""
    document = record.document_of(where, report.code)
    return digest(document) == report.digest and code_of(document) == report.code


def digest_of(raw: bytes) -> str:
    """Of a file, short."""
    return hashlib.sha256(raw).hexdigest()[:16]
