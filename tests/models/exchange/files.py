"""Exchange files for tests, and the plainest reader of them that there can be."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from models.exchange import Profile

ZONE = ZoneInfo("Asia/Shanghai")
MINE = "610802019211"
SENT = "2026-09-23 10:13:19"


def point(number: int = 200, sensor: str = "0003", value_type: str = "MN") -> str:
    return f"{MINE}01{value_type}{sensor}{number:08d}"


def micros(text: str) -> int:
    """µs UTC of a local time."""
    form = "%Y%m%d%H%M%S" if len(text) == 14 else "%Y-%m-%d %H:%M:%S"
    return int(datetime.strptime(text, form).replace(tzinfo=ZONE).timestamp()) * 1_000_000


def header(kind: str, profile: Profile, sent: str = SENT) -> dict[str, str]:
    given = {"mine": MINE, "mine_name": "示例煤矿", "sent": sent}
    return {column.name: given.get(column.name, "") for column in profile.layouts[kind].header}


def cdss(number: int = 200, value: str = "12.3", state: str = "0", time: str = SENT) -> dict[str, str]:
    return {
        "point": point(number),
        "type_name": "温度",
        "place": "东翼回风巷",
        "value": value,
        "unit": "℃",
        "state": state,
        "time": time,
    }


def plainly(text: str, profile: Profile, kind: str) -> list[dict[str, object]]:
    """The records of a file in which nothing is wrong, one value at a time."""
    body = text.removesuffix(profile.file_end)
    found = []
    for record in body.split(profile.record_end)[1:-1]:
        row: dict[str, object] = {}
        parts = record.split(profile.field_end)
        for number, column in enumerate(profile.layouts[kind].fields):
            part = parts[number] if number < len(parts) else ""
            if column.kind in ("number", "int"):
                row[column.name] = float(part) if part else math.nan
            elif column.kind == "time":
                row[column.name] = micros(part) if part else 0
            else:
                row[column.name] = part
        found.append(row)
    return found
