"""Drives the runs of a mine's sequences: looks at the points, ticks each run, writes down what it did, and gives its
commands.

Guarantee: a command is in the journal, on disk, before it is given; the same command is given once. One process drives
at a time (a lease in the relational store), and takes over where another left off.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from middleplatform.control import book
from middleplatform.control.book import NotTheDriver, Run, Wish
from middleplatform.control.machine import Machine, Told
from middleplatform.control.progress import Give, Line, Phase
from middleplatform.database import DatabaseError, Place
from models.command import MAX_WHO, Answer, Command, Outcome
from models.sequence import Look
from models.site.model import Name, Site

log = structlog.get_logger("sequences")

TICK_S = 0.2
"""How often points are looked at; an answer to a command is acted upon at once."""
LEASE_S = 5.0
WITHIN_S = 5.0
"""A command is carried out within this time, or never."""

Send = Callable[[str, Command], Awaitable[Answer]]
"""Give a command to the gateway of that name. Raises OSError or TimeoutError when no answer comes: then nobody knows
what came of it."""


@dataclass(slots=True)
class _Going:
    """A run that this process drives."""

    run: Run
    machine: Machine
    answers: list[tuple[int, Outcome, Name]] = field(default_factory=list)


class Driver:
    """`look`: what points are now; `refresh`: called before they are looked at; `clock`: µs UTC;
    `lease_s`: how long after its last sign of life another process may take over."""

    def __init__(
        self,
        site: Site,
        where: Place,
        look: Look,
        send: Send,
        refresh: Callable[[], None] = lambda: None,
        clock: Callable[[], int] | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        self._site, self._where, self._look, self._send, self._refresh = site, where, look, send, refresh
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._owner = secrets.token_hex(8)
        self._lease_us = round(lease_s * 1e6)
        self._going: dict[int, _Going] = {}
        self._giving: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._gateways = {
            point.path: site.connections[point.connection].gateway for point in site.points if point.writable
        }
        self.drives = False
        """Whether this process is the one that drives."""

    async def run(self) -> None:
        """Drive until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.turn()
            except NotTheDriver:
                self._leave()
            except DatabaseError as error:
                log.error("sequences_not_driven", reason=str(error))
            except Exception:
                log.exception("sequences_not_driven")
            try:
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def turn(self) -> None:
        """One look at all runs. Raises NotTheDriver, DatabaseError."""
        now = self._clock()
        going = await asyncio.to_thread(book.take, self._where, self._site.code, self._owner, now, self._lease_us)
        if not self.drives:
            log.info("sequences_driven", runs=len(going))
            self.drives = True
        if going:
            self._refresh()
        for run in going:
            await self._drive(run)
        for ended in self._going.keys() - {run.id for run in going}:
            del self._going[ended]

    def _leave(self) -> None:
        """Another process drives: what this one knows of the runs may be old."""
        if self.drives:
            log.warning("sequences_left", reason="another process drives them")
        self.drives = False
        self._going.clear()

    async def _drive(self, run: Run) -> None:
        now, known = self._clock(), self._going.get(run.id)
        told: list[Told] = []
        if known is None:
            known = _Going(run, Machine(run.sequence, run.progress))
            told.append(known.machine.take_over(now, max(0.0, (now - run.seen) / 1e6)))
        machine, before = known.machine, known.machine.progress
        if machine.progress.phase is Phase.ASKED and run.wish is not Wish.ABORT:
            told.append(machine.begin(now, self._look))
        answers, known.answers = known.answers, []
        told += [machine.answered(number, outcome, reason, now) for number, outcome, reason in answers]
        if run.wish is not None:
            told.append(_act(machine, run.wish, run.wish_who, now))
        told.append(machine.tick(now, self._look))
        lines = [line for each in told for line in each.lines]
        if lines or run.wish is not None or machine.progress != before:
            try:
                await self._keep(run, machine, lines)
            except BaseException:
                self._going.pop(run.id, None)  # what is on disk holds: it is taken over from there
                raise
        self._going[run.id] = known
        if lines:
            self._wake.set()  # what happened may let the next thing happen at once
        for each in told:
            if each.give is not None:
                self._give(known, each.give)

    async def _keep(self, run: Run, machine: Machine, lines: list[Line]) -> None:
        facts = (self._where, run, machine.progress, lines, self._owner, self._clock())
        await asyncio.to_thread(book.keep, *facts, done=run.wish)
        for line in lines:
            log.info("sequence", run=run.id, sequence=run.sequence.id, what=str(line.what), step=line.step,
                     point=line.point, outcome=line.outcome, reason=line.words.en)  # fmt: skip

    def _give(self, known: _Going, give: Give) -> None:
        task = asyncio.create_task(self._given(known, give), name=f"sequence-{known.run.id}-{give.number}")
        self._giving.add(task)
        task.add_done_callback(self._giving.discard)

    async def _given(self, known: _Going, give: Give) -> None:
        run = known.run
        who = f"{run.who[: MAX_WHO - 16]} #{run.id}"
        deadline = self._clock() + round(WITHIN_S * 1e6)
        command = Command(f"seq-{run.id}-{give.number}-{self._owner}", give.point, give.value, who, deadline)
        gateway = self._gateways.get(give.point)
        if gateway is None:
            answer = (Outcome.REFUSED, Name("站点中没有该可写测点", "the site has no such writable point"))
        else:
            try:
                found = await self._send(gateway, command)
                answer = (found.outcome, found.reason)
            except (OSError, TimeoutError) as error:
                answer = (Outcome.UNKNOWN, Name("网关没有应答", f"the gateway did not answer: {error}"[:200]))
            except Exception as error:
                log.exception("command_not_given", run=run.id, point=give.point)
                answer = (Outcome.UNKNOWN, Name("命令未能发出", f"it could not be given: {error!r}"[:200]))
        known.answers.append((give.number, *answer))
        self._wake.set()


def _act(machine: Machine, what: Wish, who: str, now: int) -> Told:
    if what is Wish.ABORT:
        return machine.abort(now, who)
    if what is Wish.PAUSE:
        return machine.pause(who)
    return machine.resume(now, who, repeat=what is Wish.REPEAT)
