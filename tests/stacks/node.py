"""Starts one of this folder's programs: a protocol's other end, written on a stack that is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MISSING
from tests.needs import program

HERE = Path(__file__).parent


@asynccontextmanager
async def stack(script: str, *arguments: str, within_s: float = 30.0) -> AsyncIterator[Stack]:
    """Run `script` with node until the block ends. It prints one JSON object as its first line when it
    is ready, and one a line for what it has to tell afterwards."""
    node = program("node")
    if not (HERE / "node_modules").is_dir():
        pytest.skip(f"{MISSING}tests/stacks/node_modules; `make install` makes it")
    process = await asyncio.create_subprocess_exec(
        node, script, *arguments, cwd=HERE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    running = Stack(process)
    try:
        running.ready = await running.tell(within_s)
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
            await process.stdin.wait_closed()


class Stack:
    """A running program: `ready` is what it said first."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.ready: dict[str, Any] = {}

    async def tell(self, within_s: float = 10.0) -> dict[str, Any]:
        """The next object that it prints."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), within_s)
        assert line, "the program ended without a word; run it by hand to see why"
        told: dict[str, Any] = json.loads(line)
        return told

    async def ask(self, **words: Any) -> None:
        """Send it one object as a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        await self.process.stdin.drain()
