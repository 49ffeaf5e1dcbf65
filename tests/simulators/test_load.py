"""The mine that only makes load: what it serves is what its formula says, at every second."""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from models.site import load
from simulators.load import LoadMine, value_at


def test_values_are_exact_in_float32_and_change_every_second() -> None:
    points = np.arange(5000)
    seconds = 1_790_000_000 + np.arange(700)
    values = value_at(points[None, :], seconds[:, None])
    assert (np.diff(values, axis=0) != 0).all()
    assert (values.astype(np.float32) == values).all()
    assert (value_at(points, seconds[7]) == values[7]).all()
    assert (value_at(points, seconds[7], seed=2) != values[7]).any()
    assert len({tuple(column) for column in values[:5].T}) > 4900


def of_its_seconds(values: np.ndarray, points: np.ndarray, before: float, after: float, seed: int = 1) -> bool:
    """Whether each value is that of a second of the poll: of one or of two, and of more on a machine that is busy."""
    seconds = range(int(before), int(after) + 1)
    return bool(np.any([values == value_at(points, second, seed) for second in seconds], axis=0).all())


async def poll(port: int, count: int) -> tuple[np.ndarray, float, float]:
    """All `count` floats of a device, with the wall clock before and after."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    before = time.time()
    starts = range(0, 2 * count, 124)
    for start in starts:
        size = min(124, 2 * count - start)
        writer.write(struct.pack(">HHHBBHH", start, 0, 6, 1, 3, start, size))
    data = b""
    for start in starts:
        size = 2 * min(124, 2 * count - start)
        answer = await reader.readexactly(9 + size)
        assert answer[7:9] == bytes((3, size))
        data += answer[9:]
    after = time.time()
    writer.close()
    return np.frombuffer(data, ">f4").astype(float), before, after


async def test_a_hundred_devices_serve_the_values_of_the_second() -> None:
    mine = LoadMine(5000, 100, seed=3)
    await mine.start()
    try:
        checked: dict[int, set[int]] = {}
        end = time.monotonic() + 60
        while len(checked) < 3 or len(set().union(*checked.values())) < 100:
            assert time.monotonic() < end, "they are not all read"
            for number, (low, high) in enumerate(mine.ranges):
                values, before, after = await poll(mine.devices[number].port, high - low)
                # A poll over the boundary may see both seconds, each answer whole.
                assert of_its_seconds(values, np.arange(low, high), before, after, 3)
                checked.setdefault(int(before), set()).add(number)
            await asyncio.sleep(0.01)
    finally:
        await mine.close()


async def test_the_first_answer_of_a_second_has_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = LoadMine(100, 1)
    now = [1_790_000_000.2]
    monkeypatch.setattr("simulators.load.modbus.time.time", lambda: now[0])
    mine._switch()
    for instant in (1_790_000_000.999, 1_790_000_001.0, 1_790_000_005.5):
        now[0] = instant
        mine._switch()
        served = np.frombuffer(mine.devices[0].units[1].areas["hr"].image, ">f4").astype(float)
        assert (served == value_at(np.arange(100), int(instant))).all()


async def test_its_site_folder_loads_and_names_its_devices(tmp_path: Path) -> None:
    mine = LoadMine(250, 3)
    await mine.start()
    try:
        mine.write_site(tmp_path, phase_ms=[50, 200])
        site = load(tmp_path)
        assert {point.path for point in site.points} == set(mine.paths())
        assert mine.paths()[100] == mine.path(100)
        ports = [connection.settings["port"] for connection in site.connections.values()]
        assert ports == [device.port for device in mine.devices]
        phases = [connection.groups["second"].phase_s for connection in site.connections.values()]
        assert phases == [0.05, 0.2, 0.05]
        point = next(point for point in site.points if point.path == mine.path(249))
        low, high = mine.ranges[-1]
        assert (point.address, point.type, point.dead_band) == (f"hr:{2 * (high - low - 1)}", "float32", 0.0)
    finally:
        await mine.close()


def test_points_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        LoadMine(3, 4)
    with pytest.raises(ValueError, match="do not fit"):
        LoadMine(40_000, 1)
