"""The exchange files of a simulated monitoring system, read by the real adapter, through a gateway too."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bus import subjects
from models.site.model import Kind, Name
from protocols.adapter import Delivery
from simulators.devices.device import DeviceError
from simulators.devices.kj import KjFolder
from tests.gateway.sites import CODE
from tests.protocols.gatewaychild import Child, Stream, running
from tests.servers import mine_bus
from tests.simulators.points import connection, point
from tests.simulators.reading import adapter, tags, until

MINE = "140581999000"
GAS, FAN, TEMP = f"{MINE}01MN004300000001", f"{MINE}01KG100100000002", f"{MINE}01MN000300000003"
STATION, AREA, BASE = f"{MINE}00001", f"{MINE}0001", f"{MINE}0001000007"
POINTS = [
    point("ch4", GAS, "", unit="%", name=Name("甲烷；T1", "methane"), low=0.0, high=4.0),
    point("state", f"CDSS:{GAS}#state", "", kind=Kind.STATE),
    point("fan", FAN, "", kind=Kind.STATE),
    point("temp", TEMP, "", unit="degC"),
    point("max", f"TJSJ:{GAS}#max", "", unit="%"),
    point("run", f"FZSS:{STATION}#run", "", kind=Kind.STATE),
    point("people", "RYSS:*", ""),
    point("area", f"RYSS:{AREA}", ""),
    point("base", f"RYSS:{BASE}", ""),
    point("leaders", "RYSS:*#leaders", ""),
]
FIRST = (0.42, 0, 1, 26.5, math.nan, 0, 30, 12, 5, 3)


def now() -> int:
    return time.time_ns() // 1_000_000_000 * 1_000_000


class Receiver:
    """The adapter at work, and all that it delivered."""

    def __init__(self, device: KjFolder) -> None:
        self.adapter = adapter(device.connection)
        self.tags = tags(device.points)
        self.latest: dict[int, tuple[float, int, int]] = {}
        self.events: list[Any] = []

    async def __aenter__(self) -> Receiver:
        await self.adapter.connect()
        self.task = asyncio.create_task(self.adapter.subscribe(self.tags, self._deliver))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.adapter.close()

    async def _deliver(self, delivery: Delivery) -> None:
        reading = delivery.reading
        if reading.ts is not None:
            columns = (reading.index, reading.value, reading.quality, reading.ts)
            for index, *row in zip(*(column.tolist() for column in columns), strict=True):
                self.latest[index] = (row[0], row[1], row[2])
        self.events += delivery.events
        delivery.acknowledge()

    def __getitem__(self, key: str) -> tuple[float, int, int]:
        row = next(n for n, p in enumerate(POINTS) if p.key == key)
        return self.latest.get(row, (math.nan, 0, 0))


def made(folder: Path, encoding: str = "utf-8", **more: Any) -> KjFolder:
    facts = {"folder": str(folder), "mine": MINE, "encoding": encoding, "poll_s": 0.02, "timeout_s": 5, **more}
    return KjFolder(connection("c1", "kj", facts), POINTS, "试验矿")


async def show(device: KjFolder, ts: int, *values: float) -> np.ndarray:
    shown = device.hold(np.array(values, float), [""] * len(values))
    await device.serve(device.stamp(ts), np.ones(len(values), bool))
    return shown


@pytest.mark.parametrize(("encoding", "profile"), [("utf-8", "nmsa"), ("gbk", "nmsa"), ("gb18030", "nmsa-n")])
async def test_every_type_of_file_is_read_for_what_it_says(tmp_path: Path, encoding: str, profile: str) -> None:
    device = made(tmp_path, encoding, profile=profile)
    await device.prepare()
    async with Receiver(device) as there:
        ts = now()
        shown = await show(device, ts, *FIRST)
        assert shown[[0, 6]].tolist() == [0.42, 30]
        await until(lambda: not list(tmp_path.glob("*.txt")) and there["people"][1] == 192, "all is taken")
        assert [there[key][0] for key in ("ch4", "state", "fan", "temp", "max", "run")] == [0.42, 0, 1, 26.5, 0.42, 0]
        assert [there[key][0] for key in ("people", "area", "leaders")] == [30, 12, 3]
        assert there["base"][0] == 5
        assert there["ch4"][1:] == (192, ts) and there["people"][2] == ts
        counters = there.adapter.counters()
        assert counters["bad_records_total"] == counters["refused_files_total"] == counters["partial_files_total"] == 0
        assert counters["files_total"] == device.files >= 5
        # Calibration: the value is uncertain and an exception runs, until the state is normal again.
        await show(device, ts + 1_000_000, 1.02, 4, 1, *FIRST[3:])
        await until(lambda: there["ch4"][0] == 1.02 and bool(there.events), "the calibration")
        assert 64 <= there["ch4"][1] < 192
        await show(device, ts + 2_000_000, 0.40, 0, 1, *FIRST[3:])
        await until(lambda: len(there.events) == 2, "the end of the exception")
        first, last = there.events
        assert first.key == last.key and last.end == ts + 2_000_000 and first.start == ts + 1_000_000
        # No value at all: the sensor is broken.
        await show(device, ts + 3_000_000, math.nan, 0, 1, *FIRST[3:])
        await until(lambda: there["ch4"][1] < 64, "no value is bad")


async def test_two_files_of_one_second_have_two_names_and_appear_whole(tmp_path: Path) -> None:
    device = made(tmp_path)
    await device.prepare()
    ts = now()
    for _ in range(2):
        await show(device, ts, *FIRST)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len([name for name in files if "_CDSS_" in name]) == 2
    assert not [name for name in files if name.endswith(".part")]
    for path in tmp_path.glob("*.txt"):
        text = path.read_text("utf-8")
        assert text.endswith("~||") and "；" not in text and text.startswith(f"{MINE};试验矿;")


async def test_faults_of_the_system_and_of_the_way_to_the_folder(tmp_path: Path) -> None:
    device = made(tmp_path)
    await device.prepare()

    def names() -> list[str]:
        return [path.name for path in tmp_path.glob("*_CDSS_*.txt")]

    ts = now() - 100_000_000
    device.fault("hang", 1)
    await show(device, ts, *FIRST)
    assert not names()
    device.fault("hang", 0)
    device.fault("cut", 1)
    for n in range(3):
        await show(device, ts + n * 1_000_000, *FIRST)
    assert not names()
    device.fault("cut", 0)
    assert len(names()) == 3, "what waited comes all at once"
    device.fault("loss", 1)
    await show(device, ts + 4_000_000, *FIRST)
    device.fault("loss", 0)
    assert len(names()) == 3
    device.fault("clock_jump", 7200)
    await show(device, ts + 5_000_000, *FIRST)
    device.fault("clock_jump", 0)
    device.fault("garbage", 1)
    await show(device, ts + 6_000_000, *FIRST)
    device.fault("garbage", 0)
    device.fault("delay", 2.0)
    await show(device, ts + 7_000_000, *FIRST)
    assert len(names()) == 5
    await until(lambda: len(names()) == 6, "it comes late")
    device.fault("delay", 0)
    async with Receiver(device) as there:
        await until(lambda: not list(tmp_path.glob("*.txt")), "all is taken or refused")
        counters = there.adapter.counters()
        assert counters["refused_files_total"] >= 2, "the rubbish, and what is from the future"
        assert there["ch4"][0] == 0.42
    await device.close()


async def test_a_folder_that_goes_away_costs_files_and_nothing_else(tmp_path: Path) -> None:
    device = made(tmp_path / "inbox")
    await device.prepare()
    await show(device, now(), *FIRST)
    there = device.files
    (tmp_path / "inbox").rename(tmp_path / "away")
    await show(device, now() + 1_000_000, *FIRST)
    assert device.files == there
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceError, match="cannot be made"):
        await made(tmp_path / "file" / "inbox").prepare()


def test_addresses_that_no_file_has_are_refused() -> None:
    with pytest.raises(DeviceError, match="in no exchange file"):
        KjFolder(connection("c1", "kj", {"folder": "x", "mine": MINE}), [point("a", "CDSS:abc#colour", "")])


async def test_through_a_gateway_each_value_once_at_its_time(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    facts = {"folder": str(inbox), "mine": MINE, "poll_s": 0.05, "timeout_s": 10}
    device = KjFolder(connection("c1", "kj", facts), POINTS[:1])
    await device.prepare()
    sent: dict[int, float] = {}
    async with mine_bus(tmp_path / "bus", CODE) as server, await server.connect("store") as store:
        stream = Stream(await store.consumer(subjects.SAMPLES, "store"))
        async with running(Child(server, "kj", facts, {"ch4": GAS})) as child:
            await child.start()
            begin = now() - 60_000_000
            for n in range(20):
                value = round(0.3 + n / 100, 2)
                await show(device, begin + n * 1_000_000, value)
                sent[begin + n * 1_000_000] = value
            await until(lambda: not list(inbox.glob("*.txt")), "all is put away", 40)
            await stream.read()
            rows = stream.of("ch4")
            good = rows.take(rows.quality == 192)
            assert dict(zip(good.ts.tolist(), good.value.tolist(), strict=True)) == sent
