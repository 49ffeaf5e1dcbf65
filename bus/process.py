"""A bus server run by this program: for tests, benches and the `bus` command's children.

It does not outlive the thread that started it, even when that is killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
from collections import deque
from typing import TextIO

import structlog

from bus.errors import ServerError
from bus.server import MIN_FREE, ServerConfig, wait_ready

_log = structlog.get_logger("bus")

RESTART_S, LONGEST_RESTART_S = 1.0, 30.0
LOOK_S = 2.0
"""How often it is looked whether a disk that was full has room again."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Run in a child before exec: it ends when its parent ends."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class ServerProcess:
    """One server: `start`, `stop`, `kill` (as a crash would) and start again on the same data."""

    def __init__(self, config: ServerConfig, log: TextIO | None = None) -> None:
        """`log` also receives the server's warnings and errors; the last of all it says is in `self.log`."""
        self.config = config
        self._copy = log
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.log: deque[str] = deque(maxlen=500)
        self.write_failed = False
        """Whether a stream could not write to the disk since the start."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self, wait_s: float = 30.0) -> None:
        """Start it and wait until it is ready. Raises ServerError with the server's last words."""
        self.write_failed = False
        self._child = await asyncio.create_subprocess_exec(
            *self.config.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self._reader = asyncio.create_task(self._read_log(self._child))
        ready = asyncio.create_task(wait_ready(self.config.url, wait_s))
        ended = asyncio.create_task(self._child.wait())
        try:
            await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await ready
            else:
                await self._reader
                words = "\n".join(list(self.log)[-5:])
                raise ServerError(f"the bus server '{self.config.name}' ended with {ended.result()}:\n{words}")
        except BaseException:
            await self.kill()
            raise
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def reload(self) -> None:
        """Let it take its configuration's file again: whose credential is gone from it is cut off, others notice
        nothing."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)

    async def keep(self, stop: asyncio.Event) -> None:
        """Keep the started server running until `stop`, then end it.

        It is started again when it ends; and when its disk was full and has room again, because a
        stream that could not write once takes nothing more until then.
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                assert self._child is not None  # noqa: S101 - started, says the caller
                ended = asyncio.create_task(self._child.wait())
                await asyncio.wait((stopping, ended), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                died = ended.done()
                ended.cancel()
                room = shutil.disk_usage(self.config.path.parent).free > MIN_FREE
                if stop.is_set() or not (died or (self.write_failed and room)):
                    continue
                _log.error("bus server restarts", name=self.config.name, died=died, disk_was_full=self.write_failed)
                await self.stop()
                await asyncio.sleep(RESTART_S)
                await self._start_again(stop)
        finally:
            stopping.cancel()
            await self.stop()

    async def _start_again(self, stop: asyncio.Event) -> None:
        wait = RESTART_S
        while not stop.is_set():
            try:
                await self.start()
            except ServerError as error:
                _log.error("bus server cannot start", name=self.config.name, error=str(error))
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_RESTART_S)
            else:
                return

    async def stop(self) -> None:
        """End it in order; by force after 10 s."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> None:
        child, reader = self._child, self._reader
        if child is not None and child.returncode is None:
            child.send_signal(number)
            try:
                async with asyncio.timeout(10):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()
        if reader is not None:
            await reader

    async def _read_log(self, child: asyncio.subprocess.Process) -> None:
        assert child.stderr is not None  # noqa: S101 - asked for above
        while line := await child.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            self.write_failed = self.write_failed or "Critical write error" in text
            if self._copy is not None and " [INF]" not in text:
                print(text, file=self._copy, flush=True)
