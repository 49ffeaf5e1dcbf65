"""Selections and the right of control, in any order of acts and any passing of time, against a plain reference."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gateway.control.seats import FREE, Seats
from gateway.control.selects import Selects
from gateway.control.trace import Refused
from models.control.order import Act, Order

SITE = "140581000000"
PEOPLE, PLACES, VALUES = ("甲", "乙"), (f"{SITE}/a/c", f"{SITE}/b/c"), (1, 2)
SELECT_S, SEAT_S = 30, 600


def order(act, who, point, value, nonce=""):
    return Order("o", act, SITE, "edge1", who, 1, point, value=value, nonce=nonce)


class AnyOrderOfActs(RuleBasedStateMachine):
    nonces = Bundle("nonces")

    def __init__(self):
        super().__init__()
        self.now = 0
        self.selects = Selects(lambda: self.now, SELECT_S)
        self.seats = Seats(lambda: self.now, SEAT_S)
        self.live, self.holders = {}, {}

    @rule(seconds=st.sampled_from((1, 10, 29, 30, 31, 599, 600)))
    def pass_time(self, seconds):
        self.now += seconds * 1_000_000

    @rule(target=nonces, who=st.sampled_from(PEOPLE), point=st.sampled_from(PLACES), value=st.sampled_from(VALUES))
    def select(self, who, point, value):
        nonce = self.selects.make(order(Act.SELECT, who, point, value))
        assert nonce not in self.live
        self.live = {key: kept for key, kept in self.live.items() if kept[:2] != (who, point)}
        self.live[nonce] = (who, point, value, self.now + SELECT_S * 1_000_000)
        return nonce

    @rule(
        nonce=nonces, who=st.sampled_from(PEOPLE), point=st.sampled_from(PLACES), value=st.sampled_from(VALUES),
        up=st.booleans(),
    )  # fmt: skip
    def execute(self, nonce, who, point, value, up):
        kept = self.live.get(nonce)
        expected = kept is not None and kept[:3] == (who, point, value) and self.now < kept[3]
        try:
            self.selects.use(order(Act.EXECUTE, who, point, value, nonce), up=up)
            done = True
        except Refused:
            done = False
        assert done == expected
        if kept is not None and kept[0] == who and up:
            del self.live[nonce]

    @rule(who=st.sampled_from(PEOPLE), machine=st.sampled_from("ab"))
    def take(self, who, machine):
        self.seats.take(machine, who)
        self.holders[machine] = (who, self.now + SEAT_S * 1_000_000)

    @rule(machine=st.sampled_from("ab"))
    def free(self, machine):
        self.seats.free(machine)
        self.holders.pop(machine, None)

    @invariant()
    def one_holder_as_long_as_it_lasts(self):
        held = {machine: who for machine, (who, until) in self.holders.items() if self.now < until}
        assert self.seats.held() == held
        assert all(self.seats.holder(machine) == held.get(machine, FREE) for machine in "ab")


TestAnyOrderOfActs = AnyOrderOfActs.TestCase
TestAnyOrderOfActs.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
