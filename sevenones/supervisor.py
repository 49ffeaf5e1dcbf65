"""Runs programs, restarts the one that dies, and leaves nothing running when it stops.

Each program is a child in a process group of its own, told by the kernel to end when the
supervisor is gone, however that came about. Its output goes line by line to the terminal, with
its name in its colour, and to a log file that is cut off at a size.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0
STEADY_S = 20.0
"""A program that ran this long is taken to be sound: its next restart waits the first wait again."""
STOP_S = 8.0
LOG_BYTES = 20_000_000
LINE_BYTES = 64 * 1024

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Program:
    """One program: what to run. `pid` and `restarts` tell how it goes."""

    name: str
    argv: Sequence[str]
    colour: str = "white"
    environment: Mapping[str, str] = field(default_factory=dict)
    pid: int | None = None
    restarts: int = 0


class Supervisor:
    """Starts programs in order, keeps them running, stops them in reverse order."""

    def __init__(self, console: Console, logs: Path) -> None:
        self._console = console
        self._logs = logs
        self._tasks: list[tuple[Program, asyncio.Task[None]]] = []
        self._stopping = asyncio.Event()
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)

    def start(self, program: Program) -> None:
        """Start the program and keep it running until `stop`."""
        task = asyncio.create_task(self._keep(program), name=f"keep {program.name}")
        self._tasks.append((program, task))

    def programs(self) -> list[Program]:
        return [program for program, _ in self._tasks]

    async def stop(self) -> None:
        """Ask each program to end, last started first; after 8 s it is killed."""
        self._stopping.set()
        for _, task in reversed(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def say(self, name: str, colour: str, line: str) -> None:
        text = Text(f"{name:>10} ", style=colour)
        text.append("│ ", style="dim")
        text.append(line, style="")
        self._console.print(text, soft_wrap=True, highlight=False)

    async def _keep(self, program: Program) -> None:
        wait = FIRST_WAIT_S
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_once(program)
            wait = FIRST_WAIT_S if time.monotonic() - started > STEADY_S else min(wait * 2, LONGEST_WAIT_S)
            program.restarts += 1
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            self.say(
                program.name,
                "bold red",
                f"已退出（{how}），{wait:.1f} 秒后重启 · ended ({how}), restart in {wait:.1f} s",
            )
            await asyncio.sleep(wait)

    async def _run_once(self, program: Program) -> int:
        try:
            child = await asyncio.create_subprocess_exec(
                *program.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **program.environment, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                preexec_fn=_end_with_parent,
                limit=LINE_BYTES,
            )
        except OSError as error:
            self.say(program.name, "bold red", f"{program.argv[0]}: {error.strerror}")
            return 127
        program.pid = child.pid
        reader = asyncio.create_task(self._copy(program, child))
        try:
            return await child.wait()
        finally:
            if child.returncode is None:
                await self._end(child)
            program.pid = None
            with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(reader, 2)

    @staticmethod
    async def _end(child: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            await asyncio.wait_for(child.wait(), STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()

    async def _copy(self, program: Program, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None  # noqa: S101 - asked for above
        path = self._logs / f"{program.name}.log"
        with path.open("ab") as log:
            while True:
                try:
                    line = await child.stdout.readline()
                except ValueError:  # a line over the limit: the rest of it follows as further lines
                    continue
                if not line:
                    return
                if log.tell() > LOG_BYTES:
                    log.truncate(0)
                    log.seek(0)
                log.write(line)
                log.flush()
                self.say(program.name, program.colour, line.decode(errors="replace").rstrip())


def python(*arguments: str) -> tuple[str, ...]:
    """The argument vector of one of our own commands, by the interpreter that runs this."""
    return (sys.executable, "-m", "sevenones", *arguments)
