"""`sevenones simulate fault`, `faults`, `check`, `truth` as a user runs them, on the demonstration mine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import simulators
from models.site import load
from simulators.engine.block import Block
from simulators.truth import read_truth
from simulators.truth.records import TruthWriter, read_intervals
from tests.gateway.folders import sevenones
from tests.ports import free_port
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(300)
DEMO = Path(simulators.__file__).parent / "mines" / "demo"
SCENARIOS = Path(simulators.__file__).parent / "scenarios"


def environment() -> dict[str, str]:
    return {
        "SEVENONES_MODBUS_PORT": str(free_port()),
        "SEVENONES_OPCUA_PORT": str(free_port()),
        "SEVENONES_MQTT_PORT": str(free_port()),
        "SEVENONES_OPCUA_PASSWORD": "opcua",
        "SEVENONES_MQTT_PASSWORD": "mqtt",
    }


async def test_faults_in_a_mine_that_runs(tmp_path: Path):
    around = environment()
    site = load(DEMO, environment=around)
    async with mine_bus(tmp_path, site.code) as server:
        words = ("simulate", "--site", str(DEMO), "--home", str(tmp_path), "--bus", server.url)
        mine = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sevenones", *words),
            env={**os.environ, **around},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        where = ("--home", str(tmp_path), "--bus", server.url)
        try:
            deadline = time.monotonic() + 150
            while True:
                code, said = await sevenones("simulate", "fault", "freeze", "belt_101/tension", "--for", "5min", *where)
                if code == 0:
                    break
                assert "no simulator answers" in said, said
                assert time.monotonic() < deadline
            assert "已发生 · done: 恒值" in said and "300 s" in said and "应发现 · expected" in said
            code, said = await sevenones("simulate", "faults", "--running", *where)
            assert code == 0 and said.split()[:2] == ["freeze", "belt_101/tension"]
            for request, refused in (
                (("belt_slipp", "belt_101"), "did you mean 'belt_slip'"),
                (("belt_slip", "nothing"), "cannot have belt_slip"),
                (("link_loss", "belt_plc", "--amount", "3"), "must be 0.01 … 1"),
                (("freeze", "belt_101/tension", "--for", "soon"), "is no time span"),
            ):
                code, said = await sevenones("simulate", "fault", *request, *where)
                assert code == 1 and refused in said, said
            frozen_us = time.time_ns() // 1000
            point = next(p for p in site.points if p.path.endswith("belt_101/tension"))
            await asyncio.sleep(4)
            code, said = await sevenones("simulate", "fault", "freeze", "belt_101/tension", "--end", *where)
            assert code == 0 and "已结束 · ended" in said
            thawed_us = time.time_ns() // 1000
            await asyncio.sleep(4)
        finally:
            if mine.returncode is None:
                mine.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(mine.wait(), 120) == 0
    table = read_truth(tmp_path, "belt_101")
    ts, values = (table[name].to_numpy() for name in ("ts", "value"))
    mine_rows = table["point"].to_numpy() == point.id
    told = ts[mine_rows]
    assert not ((told > frozen_us) & (told < frozen_us + 4_000_000)).any(), "it moved while it was frozen"
    assert (told > thawed_us).any(), "it never moved again"
    assert np.isfinite(values[mine_rows]).all()
    done = read_intervals(tmp_path).to_pylist()
    assert {"belt_101", "shearer_3205"} <= {row["equipment"] for row in done}, "what machines did is told too"
    code, said = await sevenones("simulate", "truth", "--home", str(tmp_path), "--mine", "demo")
    assert code == 0 and "皮带集中控制" in said, said


async def test_no_simulator_is_said_in_plain_words(tmp_path: Path):
    code, said = await sevenones("simulate", "fault", "belt_slip", "belt_101", "--home", str(tmp_path))
    assert code == 1 and "cannot connect" in said
    async with mine_bus(tmp_path) as server:
        words = ("simulate", "fault", "belt_slip", "belt_101", "--home", str(tmp_path), "--bus", server.url)
        code, said = await sevenones(*words)
        assert code == 1 and "no simulator answers" in said


async def test_the_catalogue_is_listed_and_one_fault_explained():
    code, said = await sevenones("simulate", "faults")
    assert code == 0 and len(said.splitlines()) > 30 and "瓦斯涌出增大 · Gas rise" in said
    code, said = await sevenones("simulate", "faults", "belt_slip")
    assert code == 0 and "slip → 1 ≤ 15 s" in said
    code, said = await sevenones("simulate", "faults", "gas_rice")
    assert code == 1 and "did you mean 'gas_rise'" in said


async def test_scenarios_are_checked_before_anything_starts(tmp_path: Path):
    code, said = await sevenones("simulate", "check", str(SCENARIOS / "a_quiet_shift.yaml"))
    assert code == 0 and "平稳的一班 · A quiet shift" in said
    wrong = tmp_path / "wrong.yaml"
    text = (SCENARIOS / "a_bad_shift.yaml").read_text("utf-8")
    wrong.write_text(text.replace("target: belt_104", "target: belt_904"), "utf-8")
    for words in (("check", str(wrong)), ("--scenario", str(wrong), "--home", str(tmp_path / "home"))):
        code, said = await sevenones("simulate", *words)
        assert code == 1 and "there is no equipment 'belt_904'; did you mean 'belt_104'?" in said, said
    assert not (tmp_path / "home").exists()
    both = ("--scenario", str(SCENARIOS / "a_quiet_shift.yaml"), "--mine", "low")
    code, said = await sevenones("simulate", *both)
    assert code == 1 and "the scenario names its mine" in said


async def test_the_truth_is_shown_beside_what_the_mine_declares(tmp_path: Path):
    code, said = await sevenones("simulate", "truth", "--home", str(tmp_path), "--mine", "middle")
    assert code == 1 and "there is no truth" in said
    names = ("belt_101!producing", "belt_101!intelligent", "belt_101!tonnes", "shearer_1!producing", "shearer_1!tonnes")
    columns = {name: column for column, name in enumerate(names)}
    start, steps = 1_772_409_600_000_000, 100
    values = np.zeros((steps, 5))
    values[:, 0], values[:60, 1], values[:, 3] = 1.0, 1.0, 1.0
    values[:, 2], values[:, 4] = np.arange(1.0, 101.0), np.arange(1.0, 101.0) * 1.5
    writer = TruthWriter(tmp_path, columns, start)
    writer.take(Block(start + 1_000_000 * np.arange(1, steps + 1, dtype=np.int64), values, columns))
    writer.close()
    code, said = await sevenones("simulate", "truth", "--home", str(tmp_path), "--mine", "middle", "--equipment")
    assert code == 0, said
    assert "60.00 %" in said and "63.00 %" in said, "the belts' own, and the declared"
    assert "55.00 %" in said, "what the mine declares"
    assert "150.0 t" in said and "100.0 t" in said and "50.0 t" in said
    assert "08:00:00 … 2026-03-02 08:01:40" in said
