"""The mine of a backfill, in two processes: one steps it, this one completes what follows from each step.

A mine takes more than a core, and its parts depend on each other within a step; but what only follows from a step
(temperatures, noise, counters, the truth's intervals) need not be computed where it was made. So a process of its own
goes through the steps and writes each block into shared memory, a few blocks ahead, so that neither waits long for the
other and memory stays bounded; a mine made alike completes them here.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import time
from collections.abc import Callable, Iterator, Mapping
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
"""That are handed on together."""
RUN = 300
"""Steps of a block of all channels, which is written and read again; it divides `STEPS`."""
SLOTS = 12
"""Blocks on their way: as many as are stepped while this process writes a large part to disk. 12 MB each for a mine of
2,200 points."""
ENDS_S = 20.0
"""So long the other process may take to end."""

Values = NDArray[np.float64]


class Halves(Protocol):
    """What is simulated, made alike in both processes. `close`, where it has one, is called at the end in this one."""

    columns: Mapping[str, int]

    def step(self, values: Values) -> Any:
        """Go on by the rows of `values` [steps, columns], all NaN; what `follow` is to be given, which travels."""

    def follow(self, values: Values, told: Any) -> Block:
        """Complete what the other half's `step` has written, block by block in their order."""


@dataclass(frozen=True)
class Job:
    """`make`: a function of a module, which builds the mine from `given` (both travel to the process). Its channels are
    what `points` name."""

    make: Callable[..., Halves]
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
    """CPU of both halves."""
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
def simulated(job: Job) -> Iterator[Iterator[tuple[int, Values, Told]]]:
    """Blocks of what was simulated, in order: the first step's time µs, [steps, points] in the points' units, and what
    is known so far. A block holds until the next is asked for. Raises BackfillError when the mine cannot be made, or
    the process fails."""
    mine = _made(job)
    context = get_context("spawn")
    width = max(1, len(mine.columns))
    memory = SharedMemory(create=True, size=SLOTS * RUN * width * 8)
    ours, theirs = context.Pipe()
    process = context.Process(target=_step, args=(job, memory.name, theirs), daemon=True)
    try:
        process.start()
        theirs.close()
        ring = np.ndarray((SLOTS, RUN, width), np.float64, memory.buf)
        yield _blocks(job, mine, ring, ours)
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
        if hasattr(mine, "close"):
            mine.close()


def _made(job: Job) -> Halves:
    try:
        return job.make(**job.given)
    except Exception as error:
        raise BackfillError(f"模拟失败 · the simulation failed: {type(error).__name__}: {error}") from error


def _blocks(job: Job, mine: Halves, ring: NDArray[np.float64], pipe: Pipe) -> Iterator[tuple[int, Values, Told]]:
    held = Held(job.points, job.connections)
    told = Told(held.unknown(mine.columns))
    picks = Picks(mine.columns, held.names)
    out = np.empty((STEPS, len(job.points)))
    number = 0
    for begin in range(0, job.steps, STEPS):
        steps = min(STEPS, job.steps - begin)
        first = 0
        for at in range(0, steps, RUN):
            rows = min(RUN, steps - at)
            said, took_s = _next(pipe)
            began = time.process_time()
            block = mine.follow(ring[number % SLOTS, :rows, : len(mine.columns)], said)
            picks.into(out[at : at + rows], block)
            told.add(block, job.step_us / 1e6)
            told.simulating_s += took_s + time.process_time() - began
            first = first or int(block.ts[0])
            number += 1
            with contextlib.suppress(BrokenPipeError):
                pipe.send(None)  # this slot is done with
        yield first, out[:steps], told


def _next(pipe: Pipe) -> tuple[Any, float]:
    try:
        said = pipe.recv()
    except EOFError:
        raise BackfillError("模拟进程意外结束 · the simulating process ended unexpectedly") from None
    if isinstance(said, str):
        raise BackfillError(f"模拟失败 · the simulation failed: {said}")
    found: tuple[Any, float] = said
    return found


def _step(job: Job, memory_name: str, pipe: Pipe) -> None:
    """The process that goes through the steps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory = SharedMemory(memory_name)
    try:
        mine = job.make(**job.given)
        # The mine itself lives to the end, and its steps leave hardly anything that refers to itself.
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        ring = np.ndarray((SLOTS, RUN, max(1, len(mine.columns))), np.float64, memory.buf)
        for number, at in enumerate(range(0, job.steps, RUN)):
            rows = min(RUN, job.steps - at)
            if number >= SLOTS:
                pipe.recv()  # the half that follows has done with this slot
            began = time.process_time()
            slot = ring[number % SLOTS, :rows, : len(mine.columns)]
            slot[:] = np.nan
            told = mine.step(slot)
            pipe.send((told, time.process_time() - began))
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
        ring = slot = None  # type: ignore[assignment]
        with contextlib.suppress(BufferError):
            memory.close()
