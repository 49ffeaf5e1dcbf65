"""Runs in the relational store, driven by one process at a time, on both databases and a simulated clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from middleplatform.audit.log import entries
from middleplatform.control import book
from middleplatform.control.book import NotTheDriver, SequenceError, Wish
from middleplatform.control.driver import LEASE_S, Driver
from middleplatform.control.progress import Deed, Give, Phase
from middleplatform.database import connect
from middleplatform.database.tables.sequences import sequence_runs as runs
from models.command import Answer, Outcome
from models.sequence import Condition
from models.site.model import Name
from tests.middleplatform.control.plant import NAMES, Fate, Plant, S, at, start_line
from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["place", "postgres"]
MINE = "140525000099"


class World:
    """The plant, the store and whoever drives; time passes by ticks of 0.2 s."""

    def __init__(self, where, plant):
        self.where, self.plant = where, plant
        self.waiting = {}
        self.commands = []
        points = tuple(SimpleNamespace(path=at(belt, "command"), writable=True, connection="plc") for belt in NAMES)
        self.site = SimpleNamespace(code=MINE, points=points, connections={"plc": SimpleNamespace(gateway="edge1")})
        self.driver = self.another()

    def another(self):
        return Driver(self.site, self.where, self.plant.look, self.send, clock=lambda: self.plant.now)

    async def send(self, gateway, command):
        assert gateway == "edge1" and command.deadline > self.plant.now
        _, run, number, _ = command.id.split("-")
        told = [each.line for each in book.lines(self.where, int(run))]
        assert any(line.what is Deed.COMMAND and line.number == int(number) for line in told), "not yet on disk"
        self.commands.append((command.point, command.value, command.who))
        future = self.waiting[int(number)] = asyncio.get_running_loop().create_future()
        self.plant.give(Give(int(number), command.point, command.value))
        return Answer(command.id, command.point, await future, Name("", ""))

    async def tick(self):
        for give, outcome in self.plant.pass_time():
            if (future := self.waiting.pop(give.number, None)) is not None:
                future.set_result(outcome)
        for _ in range(3):
            await asyncio.sleep(0)
        await self.driver.turn()
        await asyncio.sleep(0)

    async def until(self, run, *phases):
        for _ in range(600):
            if book.find(self.where, MINE, run).phase in phases:
                return book.find(self.where, MINE, run)
            await self.tick()
        raise AssertionError(book.find(self.where, MINE, run))


async def test_a_run_is_asked_for_driven_and_told_line_by_line(place):
    world = World(place, Plant())
    run = book.ask(place, MINE, start_line(), "王工", "早班开机")
    with pytest.raises(SequenceError, match="has hold of inby/command"):
        book.ask(place, MINE, start_line(), "李工")
    ended = await world.until(run, Phase.DONE)
    assert [(point, value) for point, value, _ in world.commands] == [(at(belt, "command"), 1.0) for belt in NAMES]
    assert {who for *_, who in world.commands} == {f"王工 #{run}"}
    assert ended.ended and ended.note == "早班开机" and ended.sequence == start_line()
    told = book.lines(place, run)
    assert [each.line.what for each in told][:4] == [Deed.ASK, Deed.BEGIN, Deed.WARN, Deed.STEP]
    assert book.lines(place, run, after=told[3].number) == told[4:]
    assert [each.id for each in book.listed(place, MINE)] == [run] and book.listed(place, MINE, going=True) == []
    assert {each.what for each in entries(place, what="sequence.")} == {"sequence.start", "sequence.end"}
    with pytest.raises(SequenceError, match="has ended"):
        book.wish(place, MINE, run, Wish.ABORT, "王工")
    assert book.ask(place, MINE, start_line(), "李工") != run


async def test_another_process_takes_over_once_the_first_is_silent_and_repeats_nothing(place):
    world = World(place, Plant(fates=[Fate(Outcome.UNKNOWN, answered_s=60.0, carried_out=False), Fate()]))
    run = book.ask(place, MINE, start_line(), "王工")
    while not world.commands:
        await world.tick()
    first, world.driver = world.driver, world.another()
    with pytest.raises(NotTheDriver):
        await world.driver.turn()
    world.plant.now += round((LEASE_S + 1) * S)
    held = await world.until(run, Phase.HELD)
    assert "outcome of a command is unknown: outby/command" in held.progress.reason.en
    with pytest.raises(NotTheDriver):
        await first.turn()
    for _ in range(50):
        await world.tick()
    assert len(world.commands) == 1
    book.wish(place, MINE, run, Wish.REPEAT, "李工")
    await world.until(run, Phase.DONE)
    assert len(world.commands) == 4 and world.commands[0][0] == world.commands[1][0]
    resumed = next(each.line for each in book.lines(place, run) if each.line.what is Deed.RESUME)
    assert resumed.who == "李工"


async def test_an_abort_stands_above_all_other_wishes_and_reaches_whoever_drives(place):
    world = World(place, Plant())
    run = book.ask(place, MINE, start_line(), "王工")
    while len(world.commands) < 2:
        await world.tick()
    with pytest.raises(SequenceError, match="neither held nor paused"):
        book.wish(place, MINE, run, Wish.RESUME, "王工")
    book.wish(place, MINE, run, Wish.ABORT, "李工")
    book.wish(place, MINE, run, Wish.PAUSE, "王工")
    ended = await world.until(run, Phase.ABORTED)
    assert [value for _, value, _ in world.commands] == [1.0, 1.0, 2.0, 2.0] and ended.wish is None
    assert [who for *_, who in world.commands] == [f"{who} #{run}" for who in ("王工", "王工", "李工", "李工")]
    assert not any(world.plant.wanted.values())
    with pytest.raises(SequenceError, match="no run"):
        book.find(place, "140581000001", run)


async def test_a_gateway_that_does_not_answer_leaves_the_outcome_unknown(place):
    world = World(place, Plant())

    async def lost(gateway, command):
        raise TimeoutError("no answer")

    world.driver._send = lost
    run = book.ask(place, MINE, start_line(), "王工")
    held = await world.until(run, Phase.HELD)
    assert held.progress.stuck
    answers = [each.line for each in book.lines(place, run) if each.line.what is Deed.ANSWER]
    assert [line.outcome for line in answers] == [str(Outcome.UNKNOWN)]


async def test_a_command_is_given_within_its_lease_and_time_or_not_at_all(place):
    world = World(place, Plant())
    run, given = book.ask(place, MINE, start_line(), "王工"), []

    async def send(gateway, command):
        given.append((world.plant.now, command.deadline, world.driver._until))
        return Answer(command.id, command.point, Outcome.FAILED, Name("", ""))

    world.driver._send = send
    create = world.driver._give

    def late(known, give, deadline):
        world.plant.now = deadline + 1  # the process stands still between the journal and the command
        create(known, give, deadline)

    world.driver._give = late
    await world.until(run, Phase.ABORTED)
    assert not given
    answers = [each.line for each in book.lines(place, run) if each.line.what is Deed.ANSWER]
    assert answers[0].outcome == Outcome.FAILED and "not given" in answers[0].words.en

    world.driver._give = create
    run = book.ask(place, MINE, start_line(), "王工")
    await world.until(run, Phase.ABORTED)
    assert given and all(at < deadline <= until for at, deadline, until in given)


async def test_one_that_stood_still_for_longer_than_a_lease_counts_as_another_one(place):
    world = World(place, Plant(fates=[Fate(answered_s=1.0)]))
    run = book.ask(place, MINE, start_line(), "王工")
    while not world.commands:
        await world.tick()
    world.plant.now += round((1.5 * LEASE_S + 1) * S)
    held = await world.until(run, Phase.HELD)
    assert "outcome of a command is unknown: outby/command" in held.progress.reason.en


async def test_how_long_nobody_watched_counts_from_when_it_was_last_driven(place):
    world = World(place, Plant())
    run = book.ask(place, MINE, start_line(), "王工")
    while not any(each.line.what is Deed.CONFIRM for each in book.lines(place, run)):
        await world.tick()
    while book.find(place, MINE, run).progress.asked:
        await world.tick()
    seen = book.find(place, MINE, run).seen
    world.plant.now += 40 * S
    world.driver = world.another()
    book.take(place, MINE, world.driver._owner, world.plant.now, 5 * S)  # and killed before it drives anything
    assert book.find(place, MINE, run).seen == seen
    world.plant.now += 6 * S
    world.driver = world.another()
    held = await world.until(run, Phase.HELD)
    assert "nobody watched for 46 s" in held.progress.reason.en


async def test_a_run_that_is_driven_is_seen_each_second(place):
    world = World(place, Plant())
    run = book.ask(place, MINE, start_line(), "王工")
    while not world.commands:
        await world.tick()
    book.wish(place, MINE, run, Wish.PAUSE, "王工")
    for _ in range(50):
        await world.tick()
        assert world.plant.now - book.find(place, MINE, run).seen < 2 * S


async def test_a_run_that_cannot_be_driven_stops_nobody_elses(place, capsys):
    world = World(place, Plant())
    broken = replace(start_line(), id="other", steps=(), abort=(), needs=(Condition("no such point"),), warn=())
    first = book.ask(place, MINE, broken, "李工")
    run = book.ask(place, MINE, start_line(), "王工")
    look = world.plant.look

    def failing(path):
        return look(path) if path.count("/") else {}[path]

    world.driver._look = failing
    await world.until(run, Phase.DONE)
    held = book.find(place, MINE, first)
    assert held.phase is Phase.HELD and "cannot be driven: KeyError" in held.progress.reason.en
    assert any(each.line.what is Deed.HOLD for each in book.lines(place, first))
    book.wish(place, MINE, first, Wish.ABORT, "李工")
    await world.until(first, Phase.ABORTED)


async def test_a_run_that_another_version_cannot_read_ends_and_frees_its_points(place):
    world = World(place, Plant())
    run = book.ask(place, MINE, start_line(), "王工")
    with connect(place).begin() as connection:
        connection.execute(update(runs).where(runs.c.id == run).values(definition='{"id": "start_line"}'))
    assert book.find(place, MINE, run).unreadable and book.listed(place, MINE)[0].id == run
    other = book.ask(place, MINE, start_line(), "李工")
    await world.until(other, Phase.DONE)
    ended = book.find(place, MINE, run)
    assert ended.phase is Phase.ABORTED and "go and look" in ended.progress.reason.en
    assert [each.line.what for each in book.lines(place, run)] == [Deed.ASK, Deed.FAIL, Deed.END]
    assert any(each.what == "sequence.end" and f"#{run}" in each.about for each in entries(place, what="sequence."))


async def test_commands_bear_the_name_of_who_let_the_run_go_on(place):
    world = World(place, Plant(fates=[Fate(), Fate(Outcome.UNKNOWN, carried_out=False), Fate()]))
    run = book.ask(place, MINE, start_line(), "王工")
    await world.until(run, Phase.HELD)
    book.wish(place, MINE, run, Wish.REPEAT, "李工")
    await world.until(run, Phase.DONE)
    assert [who for *_, who in world.commands] == [f"{who} #{run}" for who in ("王工", "王工", "李工", "李工")]
