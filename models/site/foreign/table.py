"""Point tables as files that read back as the same: CSV in UTF-8 or GBK, and XLSX."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.site.foreign.existing import Key
from models.site.tables import COLUMNS

CHINESE = {
    "equipment": "设备", "point": "测点", "connection": "连接", "group": "分组", "address": "地址", "type": "类型",
    "order": "字节序", "scale": "倍率", "offset": "偏移", "unit": "单位", "low": "下限", "high": "上限",
    "dead_band": "死区", "silence": "静默", "name_zh": "中文名", "name_en": "英文名", "options": "选项",
    "no_value": "空值", "rollover": "翻转值", "frozen": "冻结", "heartbeat": "心跳", "jump": "跳变",
    "curve": "标定曲线", "debounce": "防抖", "expression": "表达式",
}  # fmt: skip
ENCODINGS = {"utf-8": "utf-8-sig", "gbk": "gb18030"}


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns that the rows need, in the house's order; those that every table has, always."""
    always = ("equipment", "point", "connection", "group", "address", "type", "order", "scale", "unit")
    used = set(always).union(*(row.keys() for row in rows))
    return [name for name in COLUMNS if name in used]


def _cells(rows: Mapping[Key, Mapping[str, Any]], columns: Sequence[str]) -> Iterable[list[Any]]:
    for (equipment, point), values in rows.items():
        whole = {"equipment": equipment, "point": point, **values}
        yield [_cell(whole.get(name)) for name in columns]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def to_csv(rows: Mapping[Key, Mapping[str, Any]], encoding: str = "utf-8", *, chinese: bool = False) -> bytes:
    """`encoding`: utf-8 (with the mark by which Excel knows it) or gbk; a table in GBK gets Chinese headings, which
    no reader can take for UTF-8."""
    columns = columns_of(rows.values())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_headings(columns, chinese or encoding == "gbk"))
    writer.writerows(_cells(rows, columns))
    return text.getvalue().encode(ENCODINGS[encoding])


def to_xlsx(rows: Mapping[Key, Mapping[str, Any]], *, chinese: bool = False) -> bytes:
    """One sheet; texts are marked as texts, so that none becomes a formula, a number or a date."""
    import openpyxl

    columns = columns_of(rows.values())
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "points"
    for number, record in enumerate((_headings(columns, chinese), *_cells(rows, columns)), 1):
        for place, value in enumerate(record, 1):
            if value == "":
                continue
            if isinstance(value, float) and float(f"{value:.16g}") != value:
                value = repr(value)  # noqa: PLW2901 - a workbook keeps 16 digits, and this number has 17
            cell = sheet.cell(number, place, value)
            if isinstance(value, str):
                cell.data_type = "s"
                cell.number_format = "@"
    sheet.freeze_panes = "C2"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _headings(columns: Sequence[str], chinese: bool) -> list[str]:
    return [CHINESE.get(name, name) if chinese else name for name in columns]
