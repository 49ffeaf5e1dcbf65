"""Drives the runs of a mine's sequences: looks at the points, ticks each run, writes down what it did, and gives its
commands.

Guarantee: a command is in the journal, on disk, before it is given; the same command is given once. One process drives
at a time (a lease in the relational store), and takes over where another left off. No command outlives the lease under
which it was decided: whatever delays this process, it is carried out before another one may drive, or never. A run that
cannot be driven stops nobody else's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.control import book
from middleplatform.control.book import NotTheDriver, Run, Wish
from middleplatform.control.machine import Machine, Told
from middleplatform.control.progress import Deed, Give, Line, Phase
from middleplatform.database import DatabaseError, Place
from models.command import MAX_WHO, Answer, Command, Outcome
from models.sequence import Look
from models.site.model import Name, Site

log = structlog.get_logger("sequences")

TICK_S = 0.2
"""How often points are looked at; an answer to a command is acted upon at once."""
LEASE_S = 5.0
WITHIN_S = 5.0
"""A command is carried out within this time of the look at the points that it was decided upon, or never."""
SEEN_US = 1_000_000
"""How often it is written down that a run is driven."""
AGAIN_S = 10.0
"""A run that cannot be driven is told of so often."""

LATE = Name("已过截止时间，未发出", "its deadline has passed: it was not given")

Send = Callable[[str, Command], Awaitable[Answer]]
"""Give a command to the gateway of that name. Raises OSError or TimeoutError when no answer comes: then nobody knows
what came of it."""


@dataclass(slots=True)
class _Going:
    """A run that this process drives. `driven`: when it last was, µs UTC."""

    run: Run
    machine: Machine
    driven: int
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
        self._until = 0
        """When the lease runs out."""
        self._seen = 0
        self._told: dict[int, float] = {}
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
            except (DatabaseError, SQLAlchemyError) as error:
                log.error("sequences_not_driven", reason=str(error)[:500])
            except Exception:
                log.exception("sequences_not_driven")
            try:
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def turn(self) -> None:
        """One look at all runs. Raises NotTheDriver, DatabaseError, SQLAlchemyError."""
        now = self._clock()
        held = await asyncio.to_thread(book.take, self._where, self._site.code, self._owner, now, self._lease_us)
        self._until = held.until
        if not self.drives:
            log.info("sequences_driven", runs=len(held.runs))
            self.drives = True
        if held.runs:
            self._refresh()
        for run in held.runs:
            try:
                await self._drive(run)
            except NotTheDriver:
                raise
            except Exception as error:
                await self._broken(run, error)
        for ended in self._going.keys() - {run.id for run in held.runs}:
            del self._going[ended]
        await self._say_seen(self._clock())

    async def _say_seen(self, now: int) -> None:
        if self._going and now - self._seen > SEEN_US:
            # Not later than what was driven: who takes over counts from there how long nobody watched.
            at = min(known.driven for known in self._going.values())
            await asyncio.to_thread(book.seen, self._where, self._site.code, [*self._going], self._owner, at)
            self._seen = now

    async def _broken(self, run: Run, error: Exception) -> None:
        """A run that could not be driven holds, if it can be written down, and the others go on. One on its way back
        tries on."""
        self._going.pop(run.id, None)
        clock = time.monotonic()
        if clock - self._told.get(run.id, -AGAIN_S) >= AGAIN_S:
            self._told[run.id] = clock
            log.error("sequence_not_driven", run=run.id, sequence=run.sequence.id, exc_info=error)
        if isinstance(error, DatabaseError | SQLAlchemyError) or run.phase not in (
            Phase.ASKED,
            Phase.WARNING,
            Phase.RUNNING,
        ):
            return
        words = Name(f"无法继续：{error!r}"[:300], f"it cannot be driven: {error!r}"[:300])
        held = run.progress.but(phase=Phase.HELD, reason=words)
        facts = (self._where, run, held, [Line(Deed.HOLD, words)], self._owner, self._clock())
        try:
            await asyncio.to_thread(book.keep, *facts)
        except (DatabaseError, SQLAlchemyError) as failed:
            log.error("sequence_not_held", run=run.id, reason=str(failed)[:500])

    def _leave(self) -> None:
        """Another process drives: what this one knows of the runs may be old."""
        if self.drives:
            log.warning("sequences_left", reason="another process drives them")
        self.drives = False
        self._going.clear()

    async def _drive(self, run: Run) -> None:
        if run.unreadable:
            await self._give_up(run)
            return
        now, known = self._clock(), self._going.get(run.id)
        told: list[Told] = []
        if known is not None and now - known.driven > 3 * self._lease_us // 2:
            known = None  # this process stood still for so long that another one may have driven, and gone
        if known is None:
            known = _Going(run, Machine(run.sequence, run.progress), now)
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
        known.driven = now
        self._going[run.id] = known
        if lines:
            self._wake.set()  # what happened may let the next thing happen at once
        deadline = min(now + round(WITHIN_S * 1e6), self._until)
        for each in told:
            if each.give is not None:
                self._give(known, each.give, deadline)

    async def _give_up(self, run: Run) -> None:
        words = Name(
            f"运行无法读取，已结束；已启动的设备仍在运行，请现场确认：{run.unreadable}",
            f"the run cannot be read and has ended; what it started runs on, go and look: {run.unreadable}",
        )
        log.error("sequence_given_up", run=run.id, sequence=run.sequence.id, reason=run.unreadable)
        await asyncio.to_thread(book.give_up, self._where, run, words, self._owner, self._clock())

    async def _keep(self, run: Run, machine: Machine, lines: list[Line]) -> None:
        facts = (self._where, run, machine.progress, lines, self._owner, self._clock())
        await asyncio.to_thread(book.keep, *facts, done=run.wish)
        for line in lines:
            log.info("sequence", run=run.id, sequence=run.sequence.id, what=str(line.what), step=line.step,
                     point=line.point, outcome=line.outcome, reason=line.words.en)  # fmt: skip

    def _give(self, known: _Going, give: Give, deadline: int) -> None:
        task = asyncio.create_task(self._given(known, give, deadline), name=f"sequence-{known.run.id}-{give.number}")
        self._giving.add(task)
        task.add_done_callback(self._giving.discard)

    async def _given(self, known: _Going, give: Give, deadline: int) -> None:
        run = known.run
        who = f"{(known.machine.progress.who or run.who)[: MAX_WHO - 16]} #{run.id}"
        command = Command(f"seq-{run.id}-{give.number}-{self._owner}", give.point, give.value, who, deadline)
        gateway = self._gateways.get(give.point)
        if self._clock() > deadline:
            answer = (Outcome.FAILED, LATE)
        elif gateway is None:
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
