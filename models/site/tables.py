"""Point tables: CSV (UTF-8, or GBK as a Chinese Excel saves it) and XLSX, row by row with cells."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from models.site.problems import Problems, hinted
from models.site.schema import Binding
from models.site.yamlfile import scalar

COLUMNS = ("equipment", "point", *Binding.model_fields)
MAX_ROWS = 1_000_000
MAX_COLUMNS = 200
MAX_UNPACKED = 1024 * 1024 * 1024
_FORMULA = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"([^>]*)>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
"""In a sheet's XML, a cell that has a formula and no value."""

_CHINESE = {
    "设备": "equipment", "设备编号": "equipment", "测点": "point", "点名": "point", "连接": "connection",
    "分组": "group", "地址": "address", "类型": "type", "数据类型": "type", "字节序": "order", "倍率": "scale",
    "系数": "scale", "偏移": "offset", "偏移量": "offset", "单位": "unit", "下限": "low", "上限": "high",
    "死区": "dead_band", "静默": "silence", "最长静默": "silence", "中文名": "name_zh", "名称": "name_zh",
    "英文名": "name_en", "选项": "options", "空值": "no_value", "无效值": "no_value", "翻转": "rollover",
    "翻转值": "rollover", "冻结": "frozen", "心跳": "heartbeat", "跳变": "jump", "标定曲线": "curve",
    "防抖": "debounce", "表达式": "expression",
}  # fmt: skip


@dataclass(slots=True)
class Header:
    """Which column is what. `columns` maps a column's index to its field."""

    file: str
    sheet: str
    columns: dict[int, str]
    letters: dict[str, str]
    width: int

    def cell(self, field: str, row: int) -> str:
        """Where a field of a row stands, `C7` or `Sheet2!C7`; the row's first cell when it has no column."""
        return f"{self.sheet}{self.letters.get(field, 'A')}{row}"


@dataclass(slots=True)
class Row:
    """A row's cells that are not empty, by field."""

    header: Header
    number: int
    values: dict[str, Any]

    @property
    def file(self) -> str:
        return self.header.file

    def where(self, field: str) -> str:
        return self.header.cell(field, self.number)


def letter(index: int) -> str:
    """The column's name in a spreadsheet: 0 → A, 26 → AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


Grid = Iterator[tuple[str, Iterable[Sequence[Any]]]]
"""The sheets of a file: what their cells' names begin with (`Sheet2!` where there are several), and their rows."""


def grids(data: bytes, suffix: str, file: str, problems: Problems) -> Grid:
    """The sheets of a file by its suffix, .csv or .xlsx, with all their cells as they are."""
    return _csv_grid(data, file, problems) if suffix.lower() == ".csv" else _xlsx_grid(data, file, problems)


def read_csv(data: bytes, file: str, problems: Problems) -> Iterator[Row]:
    """The rows of a CSV file."""
    for sheet, records in _csv_grid(data, file, problems):
        yield from _rows(records, file, sheet, problems)


def read_xlsx(data: bytes, file: str, problems: Problems) -> Iterator[Row]:
    """The rows of all sheets of a workbook; a sheet whose name begins with # is left out."""
    for sheet, records in _xlsx_grid(data, file, problems):
        yield from _rows(records, file, sheet, problems)


def _csv_grid(data: bytes, file: str, problems: Problems) -> Grid:
    text = _decode(data, file, problems)
    if text is None:
        return
    if "\0" in text:
        problems.add(file, "", "含 NUL 字符：不是 CSV 文件 · has NUL characters: it is not a CSV file")
        return
    yield "", _csv_records(csv.reader(io.StringIO(text, newline="")), file, problems)


def _decode(data: bytes, file: str, problems: Problems) -> str | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.add(
            file,
            "",
            "是 UTF-16（Excel 的 'Unicode 文本'）：请另存为 'CSV UTF-8' · "
            "is UTF-16 (Excel's 'Unicode text'): save it as 'CSV UTF-8'",
        )
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    problems.add(
        file, "", "既不是 UTF-8 也不是 GBK：请另存为 'CSV UTF-8' · is neither UTF-8 nor GBK: save it as 'CSV UTF-8'"
    )
    return None


def _csv_records(reader: Any, file: str, problems: Problems) -> Iterator[Sequence[Any]]:
    try:
        yield from reader
    except csv.Error as error:
        problems.add(file, reader.line_num, f"不是 CSV：{error} · not CSV: {error}")


def _xlsx_grid(data: bytes, file: str, problems: Problems) -> Grid:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            size, most = f"{unpacked / 1e6:.0f} MB", f"{MAX_UNPACKED / 1e6:.0f} MB"
            message = f"解压后有 {size}，最多读取 {most} · unpacks to {size}, at most {most} are read"
            problems.add(file, "", message)
            return
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if not sheet.title.startswith("#")]
        for sheet in sheets:
            sheet.reset_dimensions()
            prefix = f"{sheet.title}!" if len(sheets) > 1 else ""
            for cell in _uncalculated(data, sheet._worksheet_path):
                problems.add(
                    file,
                    f"{prefix}{cell}",
                    "公式没有算出的值：用 Excel 打开并保存，或直接写数 · a formula whose value was never calculated: "
                    "open and save the file in Excel, or write the number itself",
                )
            yield prefix, sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)
        book.close()
    except Exception as error:  # openpyxl raises whatever its parts met in a broken file
        problems.add(
            file,
            "",
            f"不是可读的 Excel 工作簿（.xlsx）：{error} · is not an Excel workbook (.xlsx) that can be read: {error}",
        )


def _uncalculated(data: bytes, path: str) -> Iterator[str]:
    """The cells with a formula for which the file holds no value: they would read as empty, a scale as 1."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for cell in _FORMULA.finditer(archive.read(path.lstrip("/"))):
            if b't="str"' not in cell[2]:  # an empty text is a value
                yield cell[1].decode()


def _rows(records: Iterable[Sequence[Any]], file: str, sheet: str, problems: Problems) -> Iterator[Row]:
    header: Header | None = None
    for number, record in enumerate(records, 1):
        if number > MAX_ROWS:
            problems.add(file, f"{sheet}A{number}", f"超过 {MAX_ROWS} 行 · has more than {MAX_ROWS} rows")
            return
        first = next((cell for cell in record if cell not in (None, "")), None)
        if first is None or (isinstance(first, str) and first.lstrip().startswith("#")):
            continue
        if header is None:
            header = _header(record, file, sheet, number, problems)
            if header is None:
                return
            continue
        values = _values(record, header, number, problems)
        if values is not None:
            yield Row(header, number, values)


def _header(record: Sequence[Any], file: str, sheet: str, number: int, problems: Problems) -> Header | None:
    header = Header(file, sheet, {}, {}, len(record))
    bad = False
    for index, cell in enumerate(record):
        if cell in (None, ""):
            continue
        title = str(cell).strip()
        field = _CHINESE.get(title, title.lower().replace(" ", "_"))
        where = f"{sheet}{letter(index)}{number}"
        if field not in COLUMNS:
            problems.add(file, where, hinted(f"没有列 '{title}'", f"unknown column '{title}'", field, COLUMNS))
        elif field in header.letters:
            problems.add(file, where, f"列 '{field}' 出现两次 · the column '{field}' is here twice")
        else:
            header.columns[index] = field
            header.letters[field] = letter(index)
    for field in ("equipment", "point"):
        if field not in header.letters:
            bad = True
            zh = "；工作表名以 # 开头则不读取该表" if sheet else ""
            hint = "; begin a sheet's name with # to leave it out" if sheet else ""
            message = f"表中没有列 '{field}'{zh} · the table has no column '{field}'{hint}"
            problems.add(file, f"{sheet}A{number}", message)
    return None if bad else header


def _values(record: Sequence[Any], header: Header, number: int, problems: Problems) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    good = True
    columns = header.columns
    for index, cell in enumerate(record):
        if cell is None or cell == "":
            continue
        field = columns.get(index)
        if field is None:
            if index >= header.width:
                good = False
                where = f"{header.sheet}{letter(index)}{number}"
                problems.add(header.file, where, "单元格超出最后一列 · a cell beyond the last column")
            continue
        if type(cell) is str:
            cell = cell.strip()  # noqa: PLW2901
            if not cell:
                continue
        elif type(cell) is float and cell.is_integer():
            cell = int(cell)  # noqa: PLW2901
        elif type(cell) is not int and type(cell) is not float:
            good = False
            zh, what = ("逻辑值", "true or false") if type(cell) is bool else ("日期", "a date")
            message = (
                f"Excel 已把该单元格变成{zh}：请设为文本格式后重新填写 · "
                f"Excel has made {what} of this cell: format it as text and write it again"
            )
            problems.add(header.file, header.cell(field, number), message)
            continue
        values[field] = cell
    if "options" in values:
        try:
            values["options"] = options(str(values["options"]))
        except ValueError as error:
            good = False
            problems.add(header.file, header.cell("options", number), str(error))
    return values if good else None


def options(text: str) -> dict[str, Any]:
    """A cell of options: `time=ts; qos=1`, or a JSON object. Raises ValueError."""
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"选项不是 JSON：{error} · the options are not JSON: {error}") from error
        return dict(found)
    result: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.replace("；", ";").split(";"))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"'{part}' 不是 time=ts 这样的选项 · '{part}' is not an option such as time=ts")
        result[key.strip()] = scalar(value.strip())
    return result
