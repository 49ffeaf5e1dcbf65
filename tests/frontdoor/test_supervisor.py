"""The supervisor with real children: it restarts who dies, waits longer for who keeps dying, leaves nothing."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import psutil
from rich.console import Console

from sevenones import supervisor as module
from sevenones.supervisor import Program, Supervisor

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
)


@asynccontextmanager
async def supervised(folder, *programs):
    screen = io.StringIO()
    supervisor = Supervisor(Console(file=screen, width=200), folder)
    for program in programs:
        supervisor.start(program)
    try:
        yield supervisor, screen
    finally:
        await supervisor.stop()


async def until(condition, within=15.0):
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.02)
    return found


async def test_who_is_killed_is_started_again_and_the_others_go_on(tmp_path):
    one, two = Program("one", SLEEPER), Program("two", SLEEPER)
    async with supervised(tmp_path, one, two) as (_, screen):
        await until(lambda: one.pid and two.pid)
        first, other = one.pid, two.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: one.pid not in (None, first))
        assert two.pid == other and (one.restarts, two.restarts) == (1, 0)
        assert "SIGKILL" in screen.getvalue()
        pids = [one.pid, two.pid]
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_who_keeps_dying_is_started_ever_more_slowly(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.05)
    program = Program("dying", (sys.executable, "-c", "raise SystemExit(3)"))
    async with supervised(tmp_path, program) as (_, screen):
        await until(lambda: program.restarts >= 3)
    waits = [line for line in screen.getvalue().splitlines() if "exit code 3" in line]
    assert ["0.1 s" in waits[0], "0.2 s" in waits[1], "0.4 s" in waits[2]] == [True] * 3, waits


async def test_a_program_that_is_not_there_is_named(tmp_path):
    program = Program("missing", ("/no/such/program",))
    async with supervised(tmp_path, program) as (_, screen):
        await until(lambda: "/no/such/program: No such file" in screen.getvalue())


async def test_who_does_not_want_to_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STOP_S", 0.5)
    program = Program("stubborn", STUBBORN)
    async with supervised(tmp_path, program) as (_, screen):
        await until(lambda: "up" in screen.getvalue())
        pid = program.pid
    assert not psutil.pid_exists(pid)


async def test_output_goes_to_a_log_that_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOG_BYTES", 10_000)
    talker = "import time\nfor k in range(2000): print('line', k, 'x' * 50)\nprint('last', flush=True); time.sleep(600)"
    program = Program("talker", (sys.executable, "-c", talker))
    async with supervised(tmp_path, program) as (_, screen):
        await until(lambda: "│ last" in screen.getvalue())
        log = tmp_path / "talker.log"
        await until(lambda: log.read_text().endswith("last\n"))
        assert log.stat().st_size < 20_000


def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    script = (
        "import asyncio, sys; from pathlib import Path; from rich.console import Console\n"
        "from sevenones.supervisor import Program, Supervisor\n"
        "async def main():\n"
        "    s = Supervisor(Console(), Path(sys.argv[1]))\n"
        "    p = Program('child', (sys.executable, '-c', 'import time; time.sleep(600)'))\n"
        "    s.start(p)\n"
        "    while p.pid is None: await asyncio.sleep(0.01)\n"
        "    print(p.pid, flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlives its killed supervisor"
        time.sleep(0.05)
