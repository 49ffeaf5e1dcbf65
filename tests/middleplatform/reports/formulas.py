"""Reckons the formulas that our workbooks hold, so that a test may see whether they say what stands beside them."""

from __future__ import annotations

import re

from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

_FUNCTIONS = re.compile(r"(SUMPRODUCT|SUMIF|SUM|N|ISNUMBER)\(([^()]*)\)")
_CELL = re.compile(r"\b([A-Z]{1,2}[0-9]+)\b")


def value_of(sheet: Worksheet, place: str) -> object:
    """What a program that reckons would show in a cell."""
    value = sheet[place].value
    if not (isinstance(value, str) and sheet[place].data_type == "f"):
        return value
    text = value[1:]
    while found := _FUNCTIONS.search(text):
        text = text[: found.start()] + repr(_function(sheet, found[1], found[2])) + text[found.end() :]
    return eval(_CELL.sub(lambda cell: repr(value_of(sheet, cell[1])), text), {"__builtins__": {}})  # noqa: S307


def _function(sheet: Worksheet, name: str, given: str) -> float:
    parts = [each.strip() for each in given.split(",")]
    if name == "SUM":
        return sum(map(_number, _range(sheet, parts[0])))
    if name == "SUMPRODUCT":
        return sum(_number(a) * _number(b) for a, b in zip(*(_range(sheet, each) for each in parts), strict=True))
    if name == "SUMIF":
        assert parts[1] == '">=0"'
        pairs = zip(_range(sheet, parts[0]), _range(sheet, parts[2]), strict=True)
        return sum(_number(weight) for value, weight in pairs if isinstance(value, (int, float)) and value >= 0)
    value = value_of(sheet, parts[0])
    return _number(value) if name == "N" else float(isinstance(value, (int, float)))


def _range(sheet: Worksheet, text: str) -> list[object]:
    left, top, right, bottom = range_boundaries(text)
    return [
        value_of(sheet, sheet.cell(row, column).coordinate)
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    ]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
