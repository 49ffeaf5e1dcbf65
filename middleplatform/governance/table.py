"""Tables for people: CSV and XLSX in which no cell becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it. What they would calculate gets a ' before it."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(heading)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode("utf-8-sig")


def as_xlsx(heading: Sequence[str], rows: Iterable[Sequence[object]], title: str) -> bytes:
    """One sheet, its heading frozen; text stays text, numbers and times stay what they are."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    sheet.append(list(heading))
    for row in rows:
        cells = []
        for value in row:
            if isinstance(value, str):
                cell = WriteOnlyCell(sheet, "".join(c for c in value if c.isprintable()))
                cell.data_type = "s"  # or a text that begins with = would be a formula
                cells.append(cell)
            else:
                cells.append(value)
        sheet.append(cells)
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def _inert(text: str) -> str:
    if text.startswith(_ACTIVE):
        try:
            float(text)
        except ValueError:
            return f"'{text}"
    return text
