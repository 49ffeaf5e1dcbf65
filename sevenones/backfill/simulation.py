"""The simulating half: a process of its own that runs the mine in blocks and hands over what its points are.

Blocks lie in shared memory, a few of them, so that neither half waits long for the other and memory stays bounded.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.site.model import Connection, Point
from sevenones.backfill.held import Held
from sevenones.backfill.span import BackfillError
from simulators.engine.block import Block, Picks

STEPS = 600
"""Of a block."""
RUN = 300
"""Steps that are simulated in one go. A block of all channels is written and read again: half as long it stays in the
processor's cache, and a step costs a twentieth less."""
SLOTS = 16
"""Blocks on their way: as many as are simulated while the other half writes a large part to disk. 11 MB each for a
mine of 2,200 points."""
ENDS_S = 20.0
"""So long the mine may take to write what is left of its truth."""


class Runs(Protocol):
    """What is simulated: an Engine is one. `close`, where it has one, is called at the end."""

    def run(self, steps: int) -> Block: ...


@dataclass(frozen=True)
class Job:
    """What the process needs. `make`: a function of a module, which builds the mine from `given` (both travel to
    the process). Its channels are what `points` name."""

    make: Callable[..., Runs]
    given: dict[str, Any]
    points: tuple[Point, ...]
    connections: tuple[Connection, ...]
    steps: int
    step_us: int


@dataclass
class Told:
    """What the mine itself knows of the time that was simulated."""

    unknown: list[str] = field(default_factory=list)
    producing_s: dict[str, float] = field(default_factory=dict)
    intelligent_s: dict[str, float] = field(default_factory=dict)
    simulating_s: float = 0.0
    _counted: list[str] = field(default_factory=list, repr=False)

    def add(self, block: Block, dt: float) -> None:
        if not self._counted:
            self._counted = [name for name in block.columns if name.endswith(("!producing", "!intelligent"))]
        seconds = block.pick(self._counted).sum(axis=0) * dt
        for name, more in zip(self._counted, seconds.tolist(), strict=True):
            equipment, _, key = name.partition("!")
            sums = self.producing_s if key == "producing" else self.intelligent_s
            sums[equipment] = sums.get(equipment, 0.0) + more


@contextlib.contextmanager
def simulated(job: Job) -> Iterator[Iterator[tuple[int, NDArray[np.float64], Told]]]:
    """Blocks of what was simulated, in order: the first step's time µs, [steps, points] in the points' units, and what
    is known so far. A block holds until the next is asked for. Raises BackfillError when the process fails."""
    context = get_context("spawn")
    width = max(1, len(job.points))
    memory = SharedMemory(create=True, size=SLOTS * STEPS * width * 8)
    ours, theirs = context.Pipe()
    process = context.Process(target=_simulate, args=(job, memory.name, theirs), daemon=True)
    try:
        process.start()
        theirs.close()
        ring = np.ndarray((SLOTS, STEPS, width), np.float64, memory.buf)

        def blocks() -> Iterator[tuple[int, NDArray[np.float64], Told]]:
            for number in range(-(-job.steps // STEPS)):
                try:
                    told = ours.recv()
                except EOFError:
                    raise BackfillError("模拟进程意外结束 · the simulating process ended unexpectedly") from None
                if isinstance(told, str):
                    raise BackfillError(f"模拟失败 · the simulation failed: {told}")
                first, steps, known = told
                yield first, ring[number % SLOTS, :steps, : len(job.points)], known
                with contextlib.suppress(BrokenPipeError):
                    ours.send(number)

        yield blocks()
    finally:
        ours.close()
        process.join(ENDS_S)
        if process.is_alive():
            process.terminate()
            process.join(ENDS_S)
        with contextlib.suppress(BufferError):
            ring = None  # type: ignore[assignment]
            memory.close()
        memory.unlink()


def _simulate(job: Job, memory_name: str, pipe: Pipe) -> None:
    """The process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory, engine = SharedMemory(memory_name), None
    try:
        engine = job.make(**job.given)
        held = Held(job.points, job.connections)
        # The mine itself lives to the end, and its steps leave hardly anything that refers to itself.
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        ring = np.ndarray((SLOTS, STEPS, max(1, len(job.points))), np.float64, memory.buf)
        told = Told()
        picks: Picks | None = None
        for number, begin in enumerate(range(0, job.steps, STEPS)):
            steps = min(STEPS, job.steps - begin)
            if number >= SLOTS:
                pipe.recv()  # the half that reads has done with this slot
            slot = ring[number % SLOTS, :steps, : len(job.points)]
            first = 0
            for at in range(0, steps, RUN):
                started = time.process_time()
                block = engine.run(min(RUN, steps - at))
                if picks is None:
                    told.unknown, picks = held.unknown(block.columns), Picks(block.columns, held.names)
                told.add(block, job.step_us / 1e6)
                told.simulating_s += time.process_time() - started
                picks.into(slot[at : at + RUN], block)
                first = first or int(block.ts[0])
            pipe.send((first, steps, told))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # told to the other half, whose user sees it
        with contextlib.suppress(OSError):
            pipe.send(f"{type(error).__name__}: {error}")
    else:
        with contextlib.suppress(EOFError, OSError):
            while True:
                pipe.recv()
    finally:
        if hasattr(engine, "close"):
            engine.close()
        ring = None  # type: ignore[assignment]
        with contextlib.suppress(BufferError):
            memory.close()
