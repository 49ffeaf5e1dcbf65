"""Buckets as a sheet for people: numbers stay numbers, times are told by the mine's clock."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import pyarrow as pa

from middleplatform.governance import table as tables

MEDIA = tables.MEDIA["xlsx"]
MOST_ROWS = 50_000
"""More is no sheet that anybody reads, and takes seconds to write."""


def as_xlsx(table: pa.Table, zone: str) -> bytes:
    """One sheet of a flat table, its heading frozen; ids stay text, as a spreadsheet would lose digits of them."""
    clock = ZoneInfo(zone)
    columns = []
    for name in table.schema.names:
        column = table.column(name)
        if name == "time":
            columns.append([each.astimezone(clock).replace(tzinfo=None) for each in column.to_pylist()])
        elif name != "ts":
            columns.append([str(each) if name == "id" else _cell(each) for each in column.to_pylist()])
    heading = [name for name in table.schema.names if name != "ts"]
    return tables.as_xlsx(heading, zip(*columns, strict=True), "history")


def _cell(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
