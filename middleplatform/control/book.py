"""The runs of sequences in the relational store: asked for by people, driven by one process at a time.

A person's word (start, abort, pause, resume) is a row that the driver acts upon, so that it does not matter which
process it was said to. Each is audited in its own transaction.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from middleplatform.alarms.book import write as announce
from middleplatform.audit.log import note
from middleplatform.control import left_running
from middleplatform.control.progress import Deed, Line, Phase, Progress
from middleplatform.database import Place, connect
from middleplatform.database.tables.sequences import sequence_drivers as drivers
from middleplatform.database.tables.sequences import sequence_journal as journal
from middleplatform.database.tables.sequences import sequence_runs as runs
from models import sequence as sequences
from models.sequence import Direction
from models.site.model import Name

LONGEST = 500
"""Characters of a note."""
_WORDS = 1000
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


class SequenceError(Exception):
    """What cannot be done with a sequence: `code` for programs, and why in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.code, self.zh, self.en = code, zh, en


class NotTheDriver(Exception):
    """Another process drives the runs of this mine."""


class Wish(StrEnum):
    """What a person wants of a run."""

    ABORT = "abort"
    PAUSE = "pause"
    RESUME = "resume"
    REPEAT = "repeat"
    """Resume, and give the command that got stuck again."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `seen`: when it was last driven. Times µs UTC."""

    id: int
    mine: str
    sequence: sequences.Sequence
    who: str
    note: str
    at: int
    progress: Progress
    seen: int
    ended: int | None
    wish: Wish | None
    wish_who: str
    unreadable: str = ""
    """Why its definition or progress cannot be read, as after another version of the program; it has no steps then."""

    @property
    def phase(self) -> Phase:
        return self.progress.phase


@dataclass(frozen=True, slots=True)
class Held:
    """The lease of the one who drives: until when (µs UTC), and the runs that have not ended."""

    until: int
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Written:
    """A line of a journal as it is kept. `at`: µs UTC."""

    number: int
    at: int
    line: Line


def ask(where: Place, mine: str, sequence: sequences.Sequence, who: str, words: str = "") -> int:
    """Ask for a run; its number. Raises SequenceError while another run has one of its points."""
    _check(words)
    now = _now()
    row = {
        "mine": mine, "sequence": sequence.id, "definition": _json(sequence.as_json()), "who": who,
        "note": words.strip() or None, "at": now, "phase": str(Phase.ASKED), "progress": _json(Progress().as_json()),
        "seen": now,
    }  # fmt: skip
    with connect(where).begin() as connection:
        _alone(connection, mine)
        for other in _open(connection, mine):
            shared = sequence.writes() & _run(other).sequence.writes()
            if shared:
                point = sequences.short(min(shared))
                raise SequenceError(
                    "busy",
                    f"运行 {other.id}（{other.sequence}，{other.who}）正在控制 {point}",
                    f"run {other.id} ({other.sequence}, {other.who}) has hold of {point}",
                )
        key = connection.execute(insert(runs).values(row)).inserted_primary_key
        number = 0 if key is None else int(key[0])
        _write(connection, number, [Line(Deed.ASK, who=who)], now)
        note(connection, "sequence.start", f"{mine}: {sequence.id} #{number}", after={"note": words}, who=who)
    return number


def wish(where: Place, mine: str, number: int, what: Wish, who: str) -> Run:
    """Say what is wanted of a run. An abort stands above everything else that is wanted. Raises SequenceError."""
    with connect(where).begin() as connection:
        _alone(connection, mine)
        run = _one(connection, mine, number)
        if run.phase.ended:
            raise SequenceError("ended", f"运行 {number} 已结束", f"run {number} has ended")
        if what in (Wish.RESUME, Wish.REPEAT) and not run.phase.waits:
            raise SequenceError("not_held", f"运行 {number} 未暂停", f"run {number} is neither held nor paused")
        if what is Wish.PAUSE and run.phase not in (Phase.WARNING, Phase.RUNNING):
            raise SequenceError("not_running", f"运行 {number} 不在进行", f"run {number} is {run.phase}, not running")
        if run.wish is not Wish.ABORT:
            connection.execute(update(runs).where(runs.c.id == number).values(wish=str(what), wish_who=who))
        note(connection, f"sequence.{what}", f"{mine}: {run.sequence.id} #{number}", who=who)
        return _one(connection, mine, number)


def find(where: Place, mine: str, number: int) -> Run:
    """Raises SequenceError when there is none."""
    with connect(where).connect() as connection:
        return _one(connection, mine, number)


def listed(where: Place, mine: str, *, going: bool = False, before: int | None = None, limit: int = 100) -> list[Run]:
    """The newest first, those whose number is below `before`; with `going`, those that have not ended."""
    query = select(runs).where(runs.c.mine == mine).order_by(runs.c.id.desc()).limit(limit)
    if going:
        query = query.where(runs.c.ended.is_(None))
    if before is not None:
        query = query.where(runs.c.id < before)
    with connect(where).connect() as connection:
        return [_run(row) for row in connection.execute(query)]


def lines(where: Place, run: int, *, after: int = 0, limit: int = 1000) -> list[Written]:
    """The journal of a run in its order, from behind the line `after`."""
    query = select(journal).where(journal.c.run == run, journal.c.number > after).order_by(journal.c.number)
    with connect(where).connect() as connection:
        return [_written(row) for row in connection.execute(query.limit(limit))]


def newest_line(where: Place) -> int:
    """The number of the last line of all journals, 0 for none."""
    with connect(where).connect() as connection:
        return connection.execute(select(func.max(journal.c.number))).scalar() or 0


def news(where: Place, mine: str, after: int, limit: int = 1000) -> list[tuple[int, Written]]:
    """Lines of all journals of a mine behind the line `after`, in their order, each with the number of its run."""
    query = (
        select(journal)
        .join(runs, runs.c.id == journal.c.run)
        .where(runs.c.mine == mine, journal.c.number > after)
        .order_by(journal.c.number)
        .limit(limit)
    )
    with connect(where).connect() as connection:
        return [(row.run, _written(row)) for row in connection.execute(query)]


# ---- for whoever drives them


def take(where: Place, mine: str, owner: str, now: int, for_us: int) -> Held:
    """The runs that have not ended, for the one who drives them until `now` + `for_us` at the most. Raises
    NotTheDriver."""
    with connect(where).connect() as connection:
        driver = connection.execute(select(drivers).where(drivers.c.mine == mine)).first()
        going = [_run(row) for row in _open(connection, mine)]
    # What is left of the lease is what a command has, so that it is renewed early while there is something to drive.
    least = for_us * (4 if going else 2) // 5
    if driver is not None and driver.owner == owner and driver.until - now > least:
        return Held(driver.until, going)
    with connect(where).begin() as connection:
        free = or_(drivers.c.owner == owner, drivers.c.until < now)
        held = update(drivers).where(drivers.c.mine == mine, free).values(owner=owner, until=now + for_us)
        if not connection.execute(held).rowcount:
            if connection.execute(select(drivers).where(drivers.c.mine == mine)).first() is not None:
                raise NotTheDriver(mine)
            connection.execute(insert(drivers).values(mine=mine, owner=owner, until=now + for_us))
        return Held(now + for_us, [_run(row) for row in _open(connection, mine)])


def seen(where: Place, mine: str, driven: Collection[int], owner: str, now: int) -> None:
    """Write down that runs have been driven: after it was done, for who takes over judges by it how long nobody
    watched. Raises NotTheDriver."""
    with connect(where).begin() as connection:
        _hold(connection, mine, owner)
        connection.execute(update(runs).where(runs.c.id.in_(driven)).values(seen=now))


def give_up(where: Place, run: Run, words: Name, owner: str, now: int) -> None:
    """End a run that cannot be read, so that its points are free again: what it has started runs on, which is an
    alarm. Raises NotTheDriver."""
    ended = Progress(phase=Phase.ABORTED, reason=words)
    with connect(where).begin() as connection:
        _hold(connection, run.mine, owner)
        before = connection.execute(select(runs.c.phase, runs.c.progress).where(runs.c.id == run.id)).one()
        row = {"phase": str(ended.phase), "progress": _json(ended.as_json()), "seen": now, "ended": now}
        connection.execute(update(runs).where(runs.c.id == run.id).values(row))
        _write(connection, run.id, [Line(Deed.FAIL, words), Line(Deed.END, words)], now)
        if before.phase != Phase.ASKED:
            announce(connection, run.mine, left_running.raised_unread(run.mine, run.id, run.sequence, words, now), now)
        facts = {"phase": before.phase, "progress": before.progress[:_WORDS]}
        what = f"{run.mine}: {run.sequence.id} #{run.id}"
        note(connection, "sequence.end", what, before=facts, after={"why": words.en}, who=run.who)


def keep(
    where: Place, run: Run, progress: Progress, told: Sequence[Line], owner: str, now: int, *, done: Wish | None = None
) -> None:
    """Write down how far a run is and what it did, all or nothing; `done`: the wish that was acted upon. A stop of
    the way back that was not confirmed is an alarm. Raises NotTheDriver, and nothing is written, when another process
    has taken over."""
    with connect(where).begin() as connection:
        _hold(connection, run.mine, owner)
        row: dict[str, Any] = {"phase": str(progress.phase), "progress": _json(progress.as_json()), "seen": now}
        if progress.phase.ended:
            row["ended"] = now
        connection.execute(update(runs).where(runs.c.id == run.id).values(row))
        if done is not None:
            fulfilled = update(runs).where(runs.c.id == run.id, runs.c.wish == str(done))
            connection.execute(fulfilled.values(wish=None, wish_who=None))
        _write(connection, run.id, told, now)
        missed = [step for step in progress.missed if step not in run.progress.missed]
        announce(connection, run.mine, left_running.raised(run.id, run.sequence, missed, told, now), now)
        if progress.phase.ended:
            after = {"phase": str(progress.phase), "why": progress.reason.en}
            note(connection, "sequence.end", f"{run.mine}: {run.sequence.id} #{run.id}", after=after, who=run.who)


# ---- rows


def _alone(connection: Connection, mine: str) -> None:
    """Let nobody else ask or wish until the transaction ends: two would otherwise both find their points free."""
    held = update(drivers).where(drivers.c.mine == mine).values(mine=mine)
    if not connection.execute(held).rowcount:
        connection.execute(insert(drivers).values(mine=mine, owner="", until=0))


def _hold(connection: Connection, mine: str, owner: str) -> None:
    """Let nobody take over until the transaction ends. Raises NotTheDriver when somebody has."""
    held = update(drivers).where(drivers.c.mine == mine, drivers.c.owner == owner).values(mine=mine)
    if not connection.execute(held).rowcount:
        raise NotTheDriver(mine)


def _open(connection: Connection, mine: str) -> Sequence[Row[Any]]:
    return connection.execute(select(runs).where(runs.c.mine == mine, runs.c.ended.is_(None))).all()


def _write(connection: Connection, run: int, told: Sequence[Line], now: int) -> None:
    if told:
        connection.execute(
            insert(journal),
            [
                {
                    "run": run, "at": now, "what": str(line.what), "step": line.step, "command": line.number,
                    "point": line.point, "value": line.value, "outcome": line.outcome, "who": line.who,
                    "zh": line.words.zh[:_WORDS], "en": line.words.en[:_WORDS],
                }
                for line in told
            ],
        )  # fmt: skip


def _one(connection: Connection, mine: str, number: int) -> Run:
    row = connection.execute(select(runs).where(runs.c.id == number, runs.c.mine == mine)).first()
    if row is None:
        raise SequenceError("unknown_run", f"没有运行 {number}", f"there is no run {number}")
    return _run(row)


def _run(row: Row[Any]) -> Run:
    wrong: list[str] = []
    try:
        sequence = sequences.Sequence.of_json(json.loads(row.definition))
    except _UNREADABLE as error:
        wrong.append(repr(error)[:200])
        sequence = sequences.Sequence(row.sequence, Name(row.sequence, row.sequence), Direction.STOP, (), ())
    try:
        progress = Progress.of_json(json.loads(row.progress))
    except _UNREADABLE as error:
        wrong.append(repr(error)[:200])
        progress = Progress(phase=Phase(row.phase))
    wanted = None if row.wish is None else Wish(row.wish)
    return Run(
        row.id, row.mine, sequence, row.who, row.note or "", row.at, progress, row.seen, row.ended, wanted,
        row.wish_who or "", "; ".join(wrong),
    )  # fmt: skip


def _written(row: Row[Any]) -> Written:
    words = Name(row.zh, row.en)
    line = Line(Deed(row.what), words, row.step, row.command, row.point, row.value, row.outcome, row.who)
    return Written(row.number, row.at, line)


def _check(words: str) -> None:
    if len(words) > LONGEST:
        raise SequenceError("invalid_note", f"说明最多 {LONGEST} 字", f"a note has at most {LONGEST} characters")


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _now() -> int:
    return time.time_ns() // 1000
