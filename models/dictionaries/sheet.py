"""The rows of an uploaded table, CSV or XLSX: plain cells only, and bounded in every direction.

A table may come from anywhere: what could make a program that opens it calculate, fetch or unpack without end
is refused with its cell and the reason.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from models.dictionaries.shape import MAX_ENTRIES, MAX_TEXT
from models.site.problems import Problems
from models.site.tables import letter

MAX_BYTES = 2 << 20
"""Of a file as it comes."""
MAX_UNPACKED = 32 << 20
MAX_TAGS = 1_500_000
"""Signs `<` in all of a workbook: two for each row, six for each cell. Rows without anything in them are small, and
each takes its time."""
MAX_PARTS = 200
"""Files within a workbook."""
MAX_COLUMNS = 40
MAX_ROWS = MAX_ENTRIES + 100
"""Rows with the heading and comments."""
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9.]+$)")
_ACTIVE = re.compile(r"vbaProject|externalLinks/|connections\.xml|embeddings/|activeX/|customXml/", re.IGNORECASE)

Rows = Iterator[tuple[int, list[str]]]
"""Row numbers from 1, and their cells' text."""


def rows(data: bytes, suffix: str, file: str, problems: Problems) -> Rows:
    """The rows that are not empty, until a mistake that makes the rest worthless."""
    found = _csv(data, file, problems) if suffix == ".csv" else _xlsx(data, file, problems)
    for number, cells in found:
        if number > MAX_ROWS:
            problems.add(file, number, f"超过 {MAX_ROWS} 行，请拆分 · over {MAX_ROWS} rows: split the table")
            return
        if len(cells) > MAX_COLUMNS:
            problems.add(file, number, f"超过 {MAX_COLUMNS} 列 · over {MAX_COLUMNS} columns")
            return
        good = True
        for index, cell in enumerate(cells):
            if message := _wrong(cell):
                problems.add(file, f"{letter(index)}{number}", message)
                good = False
        if good and any(cells):
            yield number, cells


def _wrong(text: str) -> str | None:
    if len(text) > MAX_TEXT:
        return f"超过 {MAX_TEXT} 个字符 · over {MAX_TEXT} characters"
    if _FORMULA.match(text):
        return "看起来是公式，字典只收文字 · looks like a formula: a dictionary takes plain text only"
    return None


def _csv(data: bytes, file: str, problems: Problems) -> Rows:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        problems.add(
            file, "", "既不是 UTF-8 也不是 GBK：请另存为 'CSV UTF-8' · is neither UTF-8 nor GBK: save it as 'CSV UTF-8'"
        )
        return
    if "\0" in text:
        problems.add(file, "", "不是 CSV 文件 · has NUL characters: it is not a CSV file")
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for number, cells in enumerate(reader, 1):
            # A tab or line end at a cell's start is one of the ways to hide a formula: only blanks go.
            yield number, [cell.strip(" ") for cell in cells]
    except csv.Error as error:
        problems.add(file, reader.line_num, f"不是 CSV：{error} · not CSV: {error}")


def _xlsx(data: bytes, file: str, problems: Problems) -> Rows:
    if message := _unsafe(data):
        problems.add(file, "", message)
        return
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1), 1):
            texts: list[str] = []
            for cell in cells:
                if cell.data_type == "f":
                    where = f"{letter(len(texts))}{number}"
                    problems.add(file, where, "是公式，请改为数值 · holds a formula: put its value there instead")
                    return
                texts.append(_text(cell.value))
            while texts and not texts[-1]:
                texts.pop()
            yield number, texts
        book.close()
    except Exception as error:  # openpyxl raises whatever its parts met in a broken file
        problems.add(file, "", _unreadable(error))


def _unreadable(error: Exception) -> str:
    why = f"{error!s:.200}"
    return f"不是可读的 Excel 工作簿（.xlsx）：{why} · is not an Excel workbook (.xlsx) that can be read: {why}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip(" ")


def _unsafe(data: bytes) -> str | None:
    """Why a workbook is not opened. An archive's entry never gives more bytes than the size it declares."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_PARTS:
                count = len(entries)
                return f"内含 {count} 个文件，最多 {MAX_PARTS} 个 · holds {count} files, at most {MAX_PARTS}"
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED:
                return (
                    f"解压后 {unpacked / 1e6:.0f} MB，最多 {MAX_UNPACKED / 1e6:.0f} MB · "
                    f"unpacks to {unpacked / 1e6:.0f} MB, at most {MAX_UNPACKED / 1e6:.0f} MB are read"
                )
            return _unsafe_parts(archive, entries)
    except Exception as error:  # a broken archive may break anywhere
        return _unreadable(error)


def _unsafe_parts(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> str | None:
    """Why a workbook's files are not read."""
    tags = 0
    for entry in entries:
        if _ACTIVE.search(entry.filename):
            name = entry.filename[:80]
            return f"含宏、外部链接或嵌入对象：{name} · holds macros, links or embedded objects: {name}"
        text = archive.read(entry)
        if entry.filename.endswith((".xml", ".rels")) and b"<!" in text[:4096].replace(b"<!--", b""):
            name = entry.filename[:80]
            return f"{name} 含文档类型声明，工作簿不应有 · {name} declares a document type, which workbooks do not"
        tags += text.count(b"<")
        if tags > MAX_TAGS:
            return "行或单元格过多，请拆分 · has too many rows or cells, empty ones too: split the table"
    return None
