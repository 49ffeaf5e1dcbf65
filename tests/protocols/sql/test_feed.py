"""Which rows are new: none is lost and none is taken for new twice, whatever order they come in."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from protocols.adapter import LinkLost
from tests.protocols.sql.source import Reader, Source, tag

CH4 = [tag(0, "CH4")]


@pytest.fixture
def source(postgres):
    return Source(postgres)


async def test_new_rows_come_once_and_after_a_restart_from_where_it_was(source, tmp_path):
    source.add("CH4", 1)
    settings = source.settings(tmp_path, overlap_rows=0)
    async with Reader(settings, CH4) as reader:
        await reader.has(1)
        source.add("CH4", 2)
        source.add("CO", 99)
        await reader.has(1, 2)
        await reader.until(lambda: list(tmp_path.glob("*.json")), "the position is kept")
        await asyncio.sleep(0.3)
        assert reader.values() == [1, 2]
    source.add("CH4", 3)
    source.add("CH4", 4)
    async with Reader(settings, CH4) as reader:
        await reader.until(lambda: 4 in reader.values(), "what came meanwhile")
        assert 3 in reader.values() and 1 not in reader.values()


async def test_what_was_not_acknowledged_comes_again(source, tmp_path):
    settings = source.settings(tmp_path, overlap_rows=0, start="beginning")
    for value in range(5):
        source.add("CH4", value)
    async with Reader(settings, CH4, hold=True) as reader:
        await reader.has(0, 1, 2, 3, 4)
        await asyncio.sleep(0.2)
        assert not list(tmp_path.glob("*.json")), "nothing is acknowledged, so nothing is noted"
    async with Reader(settings, CH4) as reader:
        await reader.has(0, 1, 2, 3, 4)


async def test_mess_22_a_row_that_is_committed_late_with_a_lower_key_is_found(source, tmp_path):
    async with Reader(source.settings(tmp_path), CH4) as reader:
        with source.connect() as slow:
            slow.autocommit = False
            slow.execute("INSERT INTO raw (name, value) VALUES ('CH4', 1)")
            source.add("CH4", 2)
            await reader.has(2)
            await asyncio.sleep(0.2)
            slow.commit()
        await reader.has(2, 1)
        assert reader.adapter.counters()["late_rows_total"] == 1


async def test_a_changed_row_is_told_again(source, tmp_path):
    source.add("CH4", 1)
    async with Reader(source.settings(tmp_path), CH4) as reader:
        await reader.has(1)
        source.do("UPDATE raw SET value = 7")
        await reader.has(1, 7)


async def test_a_row_that_holds_nan_is_new_once_and_minus_two_is_not_minus_one(source, tmp_path):
    """Every NaN that is read has another hash, and -1 has the same as -2."""
    source.add("CH4", float("nan"))
    source.add("CH4", -1)
    async with Reader(source.settings(tmp_path), CH4) as reader:
        await reader.until(lambda: -1 in reader.values(), "the rows")
        await asyncio.sleep(0.4)
        assert reader.adapter.counters()["rows_total"] == 2
        source.do("UPDATE raw SET value = -2 WHERE value = -1")
        await reader.until(lambda: -2 in reader.values(), "the change")


async def test_rows_of_one_second_are_all_taken_though_the_key_is_the_time(source, tmp_path):
    second = datetime(2026, 9, 23, 10, 0, tzinfo=UTC)
    for value in range(35):
        source.add("CH4", value, at=second + timedelta(seconds=value // 25))
    settings = source.settings(tmp_path, key="at", start="beginning", rows_per_poll=10, overlap_s=0)
    async with Reader(settings, CH4) as reader:
        await reader.has(*range(35))
        source.add("CH4", 100, at=second + timedelta(seconds=1))
        await reader.has(*range(35), 100)


async def test_a_late_row_within_the_overlap_is_found_where_the_key_is_the_time(source, tmp_path):
    now = datetime.now(UTC).replace(microsecond=0)
    source.add("CH4", 1, at=now)
    async with Reader(source.settings(tmp_path, key="at", overlap_s=60), CH4) as reader:
        await reader.has(1)
        source.add("CH4", 2, at=now - timedelta(seconds=50))
        source.add("CH4", 3, at=now - timedelta(seconds=90))  # behind the overlap: not looked for
        await reader.has(1, 2)
        await asyncio.sleep(0.2)
        assert 3 not in reader.values()


async def test_a_row_of_the_far_future_does_not_hide_those_of_now(source, tmp_path):
    now = datetime.now(UTC)
    source.add("CH4", 1, at=now)
    source.add("CH4", 66, at=now + timedelta(days=400))
    async with Reader(source.settings(tmp_path, key="at"), CH4) as reader:
        await reader.has(1)
        await reader.until(lambda: reader.adapter.counters()["future_keys_total"] == 1, "counted")
        source.add("CH4", 2, at=now + timedelta(seconds=1))
        await reader.has(1, 2)
        assert "has to wait" in reader.adapter.findings()[0].reason


async def test_keys_that_begin_again_are_noticed(source, tmp_path):
    source.do("SELECT setval('raw_id_seq', 50000)")
    source.add("CH4", 1)
    async with Reader(source.settings(tmp_path), CH4) as reader:
        await reader.has(1)
        source.do("TRUNCATE raw RESTART IDENTITY")
        await asyncio.sleep(0.2)
        source.add("CH4", 2)
        source.add("CH4", 3)
        await reader.has(1, 2, 3)
        assert reader.adapter.counters()["key_resets_total"] == 1
        assert [one.kind for one in reader.adapter.findings()] == ["keys begin again"]


async def test_an_empty_view_is_waited_on(source, tmp_path):
    async with Reader(source.settings(tmp_path), CH4) as reader:
        await asyncio.sleep(0.3)
        source.add("CH4", 5)
        await reader.has(5)


async def test_a_damaged_position_is_not_guessed(source, tmp_path):
    settings = source.settings(tmp_path)
    async with Reader(settings, CH4) as reader:
        source.add("CH4", 5)
        await reader.has(5)
        await reader.until(lambda: list(tmp_path.glob("*.json")), "the position is kept")
    (kept,) = tmp_path.glob("*.json")
    assert "reads" not in kept.read_text(), "the password is not in it"
    kept.write_text('{"kind": "int", "key": "')
    async with Reader(settings, CH4) as reader:
        with pytest.raises(LinkLost, match="remove it to begin"):
            await asyncio.wait_for(reader.task, 30)


@pytest.mark.proof
async def test_kill_9_again_and_again_loses_no_row(source, tmp_path):
    """With no overlap: what was not acknowledged comes because of the position alone."""
    out = tmp_path / "out"
    order = json.dumps(source.settings(tmp_path, overlap_rows=0, start="beginning", rows_per_poll=10, timeout_s=10))
    source.add("CH4", 0)
    written = 1

    def taken() -> set[int]:
        return {int(line) for line in out.read_text().split()} if out.exists() else set()

    async def start():
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.protocols.sql.consumer", order, str(out)
        )

    for _ in range(5):
        before = len(taken())
        child = await start()
        deadline = time.monotonic() + 40
        while len(taken()) < before + 12:
            assert time.monotonic() < deadline and child.returncode is None
            if written < before + 60:
                source.add("CH4", written)
                written += 1
            await asyncio.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        await child.wait()
    child = await start()
    deadline = time.monotonic() + 40
    while taken() != set(range(written)):
        assert time.monotonic() < deadline, f"lost: {set(range(written)) - taken()}"
        await asyncio.sleep(0.05)
    child.kill()
    await child.wait()
