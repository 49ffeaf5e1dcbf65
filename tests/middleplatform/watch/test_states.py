"""Any order of values, people's acts, redeliveries and restarts gives the states of ISA-18.2, on both databases."""

from __future__ import annotations

import datetime
import time
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bus import subjects
from bus.connection import Message
from middleplatform.alarms import acts, book
from middleplatform.alarms.condition import Act, AlarmError, Change, Position, State, Suppression
from middleplatform.alarms.hold import Hold
from middleplatform.watch.judging import Judging
from tests.middleplatform.watch.build import SECOND, batch, site
from tests.servers import CODE

TODAY = datetime.date(2026, 11, 26)
SITE = site(gas=64, belts=64)
APART = 300 * SECOND
"""Between two values, so that none of it is chattering."""
NAMES = count()

ALLOWED = {
    State.NORMAL: {State.NORMAL, State.UNACKNOWLEDGED, State.RETURNED},
    State.UNACKNOWLEDGED: {State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED},
    State.ACKNOWLEDGED: {State.ACKNOWLEDGED, State.NORMAL, State.UNACKNOWLEDGED, State.RETURNED},
    State.RETURNED: {State.RETURNED, State.NORMAL, State.UNACKNOWLEDGED},
}
"""The transitions of ISA-18.2 (figure of states) of an alarm that does not latch; a message may hold two turns."""


class Lives(RuleBasedStateMachine):
    """One belt, whose alarm may be shelved, and one methane sensor, whose may not; what each should be is kept as
    plainly as can be: whether it is above its limit, and whether somebody has seen it."""

    def __init__(self, place) -> None:
        super().__init__()
        self.place = place
        self.number = next(NAMES) % 64
        self.consumer = f"states-{next(NAMES)}"
        self.names = (f"gas{self.number}/ch4", f"belt{self.number}/speed")
        self.above = dict.fromkeys(self.names, False)
        self.seen = dict.fromkeys(self.names, True)
        self.turns = {name: [] for name in self.names}
        self.shelved = False
        self.time = 1_795_400_000 * SECOND + self.number
        self.sequence = 0
        self.last: list[Message] = []
        self.before = dict.fromkeys(self.names, State.NORMAL)
        self._begin_clean()
        self.restart()

    def _begin_clean(self) -> None:
        """Of an earlier example at the same points nothing stands."""
        for each in book.alarms_of(self.place, CODE, resting=True):
            if self.name(each.subject) in self.names:
                self.sequence += 1
                change = Change(each.rule, each.subject, Act.RETURN, each.since, each.rule_version, each.priority)
                book.record(self.place, CODE, Position(self.consumer, "CLEAN", 1, self.sequence), [change])
                acts.acknowledge(self.place, CODE, [each.id], "clean")
                for kind in each.suppressed:
                    acts.unsuppress(self.place, CODE, each.id, kind, "clean")
        self.first = max((each.number for each in book.entries(self.place, CODE, limit=1)), default=0)

    @staticmethod
    def name(subject: str) -> str:
        return subject.removeprefix(f"{CODE}/")

    def alarms(self):
        found = book.alarms_of(self.place, CODE, resting=True)
        return {self.name(each.subject): each for each in found if each.rule == "limit.hi"}

    def _keep(self, messages: list[Message]) -> None:
        changes = [each for each in self.judging.judge(messages) if each.rule == "limit.hi"]
        reached = [Position(self.consumer, "SAFETY", 1, messages[-1].stream_sequence)]
        self.hold.keep(reached, changes, self.judging.engine.memory())

    @rule()
    def restart(self) -> None:
        """Killed and begun again: all that is known is in the book."""
        self.hold = Hold(self.place, CODE, self.consumer)
        self.judging = Judging(SITE, TODAY)
        active = book.active(self.place, CODE)
        again = self.judging.restore(self.hold.memory, active, self.time)
        assert not [each for each in again if each.rule == "limit.hi"], "nothing comes twice"

    @rule(
        values=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.2, 1.2])), min_size=1, max_size=3),
        killed=st.booleans(),
    )
    def hear(self, values, killed) -> None:
        """Values in messages that are kept together; they may be judged in vain by a watch that is killed before it
        keeps anything."""
        rows = []
        for which, value in values:
            self.time += APART
            name = self.names[which]
            rows.append((name, self.time, value))
        messages = []
        for row in rows:
            self.sequence += 1
            data = batch(self.sequence, [row]).encode()
            messages.append(Message(data, subjects.safety(CODE, "edge1"), self.sequence, False, "", row[1]))
        if killed:
            self.judging.judge(messages)
            self.restart()
        self._keep(messages)
        self.last = messages
        for name, ts, value in rows:
            if (value > 1) != self.above[name]:
                self.above[name] = value > 1
                self.seen[name] = self.seen[name] and value < 1
                self.turns[name].append(("raise" if value > 1 else "return", ts))

    @precondition(lambda self: self.last)
    @rule()
    def killed_after_the_commit(self) -> None:
        """What was kept is not judged again: the position says so, and the memory is of then."""
        self.restart()
        reached = book.reached(self.place, self.consumer, "SAFETY", 1)
        assert reached == self.last[-1].stream_sequence

    @rule(which=st.integers(0, 1))
    def acknowledge(self, which) -> None:
        name = self.names[which]
        if (alarm := self.alarms().get(name)) is not None:
            done = acts.acknowledge(self.place, CODE, [alarm.id], "olga")
            assert bool(done) == (not self.seen[name])
            self.seen[name] = True

    @rule()
    def shelve(self) -> None:
        until = time.time_ns() // 1000 + 3600 * SECOND
        gas, belt = (self.alarms().get(name) for name in self.names)
        if gas is not None:
            with pytest.raises(AlarmError, match="statutory"):
                acts.suppress(self.place, CODE, gas.id, Suppression.SHELVED, "olga", "noise", until)
        if belt is not None and not self.shelved:
            acts.suppress(self.place, CODE, belt.id, Suppression.SHELVED, "olga", "noise", until)
            self.shelved = True

    @precondition(lambda self: self.shelved)
    @rule()
    def unshelve(self) -> None:
        acts.unsuppress(self.place, CODE, self.alarms()[self.names[1]].id, Suppression.SHELVED, "olga")
        self.shelved = False

    @invariant()
    def is_what_it_should_be(self) -> None:
        found = self.alarms()
        for name in self.names:
            expected = State.of(active=self.above[name], latched=False, acknowledged=self.seen[name])
            state = found[name].state if name in found else State.NORMAL
            assert state is expected, name
            assert state in ALLOWED[self.before[name]]
            self.before[name] = state
        belt = found.get(self.names[1])
        assert belt is None or bool(belt.suppressed) == self.shelved, "below it the state is what it is"

    def teardown(self) -> None:
        found = self.alarms()
        for name in self.names:
            if name in found:
                lines = book.entries(self.place, CODE, alarm=found[name].id, limit=1000)[::-1]
                ours = [each for each in lines if each.number > self.first and each.what in {Act.RAISE, Act.RETURN}]
                assert [(str(each.what), each.ts) for each in ours] == self.turns[name], "each turn once"
        if self.shelved:
            self.unshelve()


def test_any_order_of_what_happens_holds_the_states(place):
    some = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Lives(place), settings=some)
