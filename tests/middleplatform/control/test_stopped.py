"""A driver that stands still for a while, as on a machine without memory, gives nothing once another one has taken
over."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from bus import subjects
from bus.process import die_with_parent
from middleplatform.control import book
from middleplatform.control.progress import Deed, Phase
from models.command import Answer, Command, Outcome
from models.sequence import Condition, Direction, Sequence, Step
from models.site.model import Name
from tests.middleplatform.control.drive_program import SHORT_S
from tests.middleplatform.control.line import CODE, driving, present, write_line
from tests.ports import free_port
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)
NO = Name("", "")
COMMAND, RUNNING = f"{CODE}/belt_101/command", f"{CODE}/belt_101/running"


def one_belt() -> Sequence:
    start = Step("belt", NO, ((COMMAND, 1.0),), (Condition(RUNNING, one_of=(1.0,)),))
    stop = Step("belt", NO, ((COMMAND, 2.0),), (Condition(RUNNING, one_of=(0.0,)),))
    return Sequence("one_belt", NO, Direction.START, (start,), (stop,))


async def stop(process: asyncio.subprocess.Process, home: Path) -> None:
    """Stop it, but not while it writes: SQLite would let nobody else in."""
    async with asyncio.timeout(30):
        while True:
            process.send_signal(signal.SIGSTOP)
            with closing(sqlite3.connect(home / "platform.db", timeout=0, isolation_level=None)) as store:
                try:
                    store.execute("BEGIN IMMEDIATE")
                    store.execute("ROLLBACK")
                    return
                except sqlite3.OperationalError:
                    process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.01)


async def test_a_driver_that_was_stopped_while_it_gave_a_command_gives_it_no_more(tmp_path):
    write_line(tmp_path / "site", free_port())
    signing, carried_out = tmp_path / "signing", []
    async with mine_bus(tmp_path, CODE) as running, await running.connect("gateway-edge1") as gateway:

        async def take(subject: str, data: bytes) -> bytes:
            command = Command.decode(data)
            late = time.time_ns() // 1000 > command.deadline
            if not late:
                carried_out.append(command.id)
            answer = Answer(command.id, command.point, Outcome.REFUSED if late else Outcome.DONE, NO)
            return answer.encode()

        await gateway.answer(subjects.command(CODE, "edge1"), take)
        words = ("-m", "tests.middleplatform.control.drive_program", str(tmp_path), running.url, str(signing))
        first = await asyncio.create_subprocess_exec(
            sys.executable, *words, preexec_fn=die_with_parent, stdout=asyncio.subprocess.PIPE
        )
        await first.stdout.readline()
        run = book.ask(tmp_path, CODE, one_belt(), "王工")
        async with asyncio.timeout(60):
            while not signing.exists():
                await asyncio.sleep(0.01)
        await stop(first, tmp_path)
        async with present(tmp_path, running.url) as (bus, live), driving(tmp_path, bus, live, lease_s=SHORT_S):
            async with asyncio.timeout(30):
                while book.find(tmp_path, CODE, run).phase is not Phase.HELD:
                    await asyncio.sleep(0.05)
            first.send_signal(signal.SIGCONT)
            async with asyncio.timeout(60):
                while signing.exists():
                    await asyncio.sleep(0.02)
            await asyncio.sleep(1.0)  # what is signed is given at once, or never
            assert not carried_out
            told = [each.line for each in book.lines(tmp_path, run)]
            assert [line.what for line in told].count(Deed.COMMAND) == 1
            assert book.find(tmp_path, CODE, run).phase is Phase.HELD
        first.kill()
        await first.communicate()
