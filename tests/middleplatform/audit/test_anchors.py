"""The bus keeps what the audit log's newest entry was, and gives nobody a way to take it back."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bus import anchors as stream
from bus import subjects
from bus.errors import BusError, PublishRefused
from bus.subjects import ANCHORS
from middleplatform.audit.anchor import Anchoring, anchor, every, keep
from middleplatform.audit.log import entries, head, tell
from middleplatform.audit.verify import verify
from middleplatform.database import connect
from tests.servers import CODE, RunningBus, mine_bus


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningBus]:
    async with mine_bus(tmp_path) as found:
        yield found


async def test_the_newest_entry_is_told_once_and_read_back(running: RunningBus, tmp_path: Path) -> None:
    api, auditor = await running.connect("api"), await running.connect("auditor")
    assert await anchor(api, tmp_path, CODE) == 0, "there is nothing to tell"
    told = []
    for number in range(3):
        tell(tmp_path, "test.act", str(number))
        await anchor(api, tmp_path, CODE)
        await anchor(api, tmp_path, CODE)
        told.append(head(tmp_path))
    found = await every(auditor)
    assert [(each.number, each.digest) for each in found] == told
    assert all(abs(each.at - entry.at) < 60e6 for each, entry in zip(found, reversed(entries(tmp_path)), strict=True))
    assert verify(tmp_path, found).anchored == 3
    await api.close()
    await auditor.close()


async def test_a_log_written_anew_is_found_out_even_when_the_api_tells_the_bus_of_the_new_one(
    running: RunningBus, tmp_path: Path
) -> None:
    api, auditor = await running.connect("api"), await running.connect("auditor")
    tell(tmp_path, "test.act", "true")
    await anchor(api, tmp_path, CODE)
    with connect(tmp_path).begin() as connection:
        for statement in ("DROP TRIGGER audit_no_delete", "DELETE FROM audit"):
            connection.execute(text(statement))
        connection.execute(text("UPDATE audit_head SET number = 0, digest = :none"), {"none": "0" * 64})
    tell(tmp_path, "test.act", "forged")
    await anchor(api, tmp_path, CODE)
    assert verify(tmp_path).whole
    assert {each.kind for each in verify(tmp_path, await every(auditor)).findings} == {"rewritten"}
    await api.close()
    await auditor.close()


async def test_nobody_may_take_an_anchor_back(running: RunningBus, tmp_path: Path) -> None:
    api = await running.connect("api")
    tell(tmp_path, "test.act", "true")
    await anchor(api, tmp_path, CODE)
    await api.close()
    shrunk = {**stream.stream_config(CODE), "max_msgs": 1, "discard": "old"}
    for process in ("api", "auditor", "admin", "engineer"):
        bus = await running.connect(process)
        for verb, request in (
            (f"STREAM.MSG.DELETE.{ANCHORS}", {"seq": 1}),
            (f"STREAM.PURGE.{ANCHORS}", None),
            (f"STREAM.DELETE.{ANCHORS}", None),
            (f"STREAM.UPDATE.{ANCHORS}", shrunk),
            (f"STREAM.CREATE.{ANCHORS}", shrunk),
        ):
            with pytest.raises(BusError):
                await bus.control(verb, request, 1.0)
        if process != "api":
            with pytest.raises(BusError):
                await bus.publish(subjects.anchor(CODE), b"{}", "forged", 1.0)
        await bus.close()
    auditor = await running.connect("auditor")
    assert [each.number for each in await every(auditor)] == [1]
    await auditor.close()


async def test_the_stream_itself_refuses_to_delete_whoever_asks(running: RunningBus) -> None:
    admin = await running.connect("admin")
    config = (await admin.control(f"STREAM.INFO.{ANCHORS}", None))["config"]
    assert config["deny_delete"]
    assert config["deny_purge"]
    assert not config.get("allow_rollup_hdrs")
    await admin.close()


async def test_rubbish_in_the_stream_is_no_anchor_but_a_finding(running: RunningBus, tmp_path: Path) -> None:
    api, auditor = await running.connect("api"), await running.connect("auditor")
    tell(tmp_path, "test.act", "true")
    await api.publish(subjects.anchor(CODE), json.dumps({"number": "x"}).encode(), "a")
    await api.publish(subjects.anchor(CODE), b"[1]", "b")
    await api.publish(subjects.anchor(CODE), b"{", "c")
    findings = verify(tmp_path, await every(auditor)).findings
    assert [each.kind for each in findings] == ["forged"] * 3
    with pytest.raises(PublishRefused):
        await api.publish(subjects.anchor(CODE), b"x" * 2000, "d")
    await api.close()
    await auditor.close()


async def test_it_is_told_by_itself_and_over_a_time_without_the_bus(running: RunningBus, tmp_path: Path) -> None:
    api, auditor = await running.connect("api"), await running.connect("auditor")

    async def told() -> int:
        for _ in range(300):
            with contextlib.suppress(BusError):
                if (found := await every(auditor)) and found[-1].number == head(tmp_path)[0]:
                    return len(found)
            await asyncio.sleep(0.1)
        raise AssertionError("the newest entry was not told")

    goes = Anchoring()
    keeping = asyncio.create_task(keep(api, tmp_path, CODE, every_s=0.2, goes=goes))
    tell(tmp_path, "test.act", "one")
    assert await told() == 1
    assert goes.trouble is None
    await running.process.kill()
    tell(tmp_path, "test.act", "two")
    for _ in range(300):
        if goes.trouble is not None:
            break
        await asyncio.sleep(0.1)
    assert goes.trouble == "the newest entries are not anchored yet"
    await running.process.start()
    await told()
    for _ in range(100):
        if goes.trouble is None:
            break
        await asyncio.sleep(0.1)
    assert goes == Anchoring(2, None)
    keeping.cancel()
    tell(tmp_path, "test.act", "three")
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert (await every(auditor))[-1].number == 3, "the last one is told when the process ends"
    await api.close()
    await auditor.close()
