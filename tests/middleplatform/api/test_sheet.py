"""History as a sheet: whatever a device's text holds, it stays text and leaves the sheet whole."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import openpyxl
import pyarrow as pa

from middleplatform.api.sheet import as_xlsx


def test_numbers_stay_numbers_and_hostile_text_stays_text():
    table = pa.table(
        {
            "id": pa.array([2**63 + 1], pa.uint64()),
            "time": pa.array([datetime(2026, 3, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "ts": [1],
            "value": [3.25],
            "nothing": [float("nan")],
            "text": ["=1+1\x00"],
        }
    )
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(table, "Asia/Shanghai"))).active
    heading, row = sheet.iter_rows()
    assert [cell.value for cell in heading] == ["id", "time", "value", "nothing", "text"]
    assert [cell.value for cell in row] == [str(2**63 + 1), datetime(2026, 3, 1, 8), 3.25, None, "=1+1"]
    assert row[-1].data_type == "s"
