"""A simulated database, in SQLite and PostgreSQL, read by the real adapter."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.site.model import Kind, Point
from simulators.devices.device import DeviceError
from simulators.devices.sql import SqlView
from tests.postgres import Postgres, postgres
from tests.protocols.sql.source import Reader
from tests.simulators.points import connection, point
from tests.simulators.reading import until

__all__ = ["postgres"]

NAMED = [
    point("tonnes", "WB1", "", unit="t", factor=0.5, order=""),
    point("state", "WB1#note", "text", kind=Kind.TEXT, order=""),
    point("weight", "WB2", "", unit="t", order=""),
]
COLUMNS = [
    point("level", "level_m", "", unit="m", order=""),
    point("run", "run", "bool", kind=Kind.STATE, order=""),
    point("word", "word", "text", kind=Kind.TEXT, order=""),
]
BY_NAME = {"view": "readings", "key": "id", "time": "at", "name": "tag", "value": "value"}
BY_COLUMN = {"view": "pump_log", "key": "id", "time": "at"}


def made(url: str, folder: Path, points: Sequence[Point], **more: Any) -> SqlView:
    facts = {"url": url, "poll_s": 0.05, "timeout_s": 5, "state_dir": str(folder / "state"), "start": "beginning"}
    return SqlView(connection("c1", "sql", {**facts, **more}), points)


def reader(device: SqlView) -> Reader:
    from tests.simulators.reading import tags

    return Reader(dict(device.connection.settings), tags(device.points))


async def show(device: SqlView, ts: int, *values: float, texts: Sequence[str] = ("", "", "")) -> np.ndarray:
    shown = device.hold(np.array(values, float), texts)
    await device.serve(device.stamp(ts), np.ones(len(values), bool))
    return shown


def now() -> int:
    return time.time_ns() // 1_000_000_000 * 1_000_000 - 60_000_000


def of(there: Reader, row: int) -> list[tuple[float, int, int]]:
    """Value, quality and time of all that came of one point."""
    return [(value, quality, ts) for index, value, quality, ts, _ in there.rows() if index == row]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/made/mine.db"
    server: Postgres = request.getfixturevalue("postgres")
    server.execute("DROP TABLE IF EXISTS readings, pump_log, by_time")
    return server.url()


async def test_rows_of_names_come_each_once_at_their_times(url: str, tmp_path: Path) -> None:
    device = made(url, tmp_path, NAMED, **BY_NAME)
    begin = now()
    await show(device, begin, 10.0, math.nan, 7.25, texts=["", "毛重", ""])
    await device.start()
    try:
        async with reader(device) as there:
            for n in range(1, 30):
                shown = await show(device, begin + n * 1_000_000, 10.0 + n, math.nan, 7.25, texts=["", "皮重", ""])
            assert shown[[0, 2]].tolist() == [39.0, 7.25]
            await there.until(lambda: len(of(there, 0)) == 30, "30 rows")
            assert of(there, 0) == [(20.0 + 2 * n, 192, begin + n * 1_000_000) for n in range(30)]
            said = {text for each in there.deliveries for text in (each.reading.text or []) if text.as_py()}
            assert {text.as_py() for text in said} == {"毛重", "皮重"}
            # No value is a NULL, and so bad.
            await show(device, begin + 40_000_000, math.nan, math.nan, 8.0)
            await there.until(lambda: of(there, 0)[-1][1] < 64, "no value is bad")
    finally:
        await device.close()
    assert device.rows == 62


@pytest.mark.parametrize("facts", [BY_COLUMN, {"view": "by_time", "key": "at", "time": "at"}])
async def test_a_column_a_point_by_a_number_or_a_time(url: str, tmp_path: Path, facts: dict[str, str]) -> None:
    device = made(url, tmp_path, COLUMNS, **facts)
    begin = now()
    await device.start()
    try:
        async with reader(device) as there:
            for n in range(5):
                await show(device, begin + n * 1_000_000, 2.0 + n / 4, n % 2, math.nan, texts=["", "", "远控"])
            await there.until(lambda: len(of(there, 0)) == 5, "5 rows")
            assert of(there, 0) == [(2.0 + n / 4, 192, begin + n * 1_000_000) for n in range(5)]
            assert [value for value, _, _ in of(there, 1)] == [0, 1, 0, 1, 0]
    finally:
        await device.close()


async def test_quality_words_and_faults(tmp_path: Path) -> None:
    words = {"quality": "state", "quality_map": {"OK": 192, "ERR": 0}}
    device = made(f"sqlite:///{tmp_path}/mine.db", tmp_path, NAMED, **BY_NAME, **words)
    await device.start()
    begin = now()
    try:
        async with reader(device) as there:
            await show(device, begin, 1.0, math.nan, math.nan)
            await there.until(lambda: bool(of(there, 0) and of(there, 2)), "both")
            assert of(there, 0)[0][1] == 192 and of(there, 2)[0][1] < 64
            for kind in ("hang", "loss"):
                device.fault(kind, 1)
                await show(device, begin + 1_000_000, 2.0, math.nan, 1.0)
                device.fault(kind, 0)
            device.fault("cut", 1)
            await show(device, begin + 2_000_000, 3.0, math.nan, 1.0)
            await asyncio.sleep(0.2)
            assert device.rows == 2
            device.fault("cut", 0)
            await until(lambda: device.rows == 4, "what waited comes")
            device.fault("clock_jump", -3600)
            await show(device, begin + 3_000_000, 4.0, math.nan, 1.0)
            await there.until(lambda: of(there, 0)[-1][0] == 8.0, "the jump")
            assert [(value, ts - begin) for value, _, ts in of(there, 0)] == [
                (2.0, 0), (6.0, 2_000_000), (8.0, 3_000_000 - 3_600_000_000)
            ]  # fmt: skip
    finally:
        await device.close()


async def test_what_cannot_be_filled_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="needs a view to fill"):
        made("sqlite://", tmp_path, NAMED, query="SELECT 1", key="id", time="at")
    with pytest.raises(DeviceError, match="is no name of a column"):
        made("sqlite://", tmp_path, [point("a", "x; DROP TABLE y", "")], **BY_COLUMN)
    device = made("postgresql://nobody:x@127.0.0.1:1/x", tmp_path, COLUMNS, **BY_COLUMN)
    with pytest.raises(DeviceError, match="connection 'c1': its database cannot be filled"):
        await device.start()
