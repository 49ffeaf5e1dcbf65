"""Three belts on a simulated clock, without any interlock of their own: whatever keeps coal from being carried onto a
standing belt here is the run of the sequence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise

from middleplatform.control.machine import Machine
from middleplatform.control.progress import Give, Phase, Progress
from models.command import Outcome
from models.sequence import Condition, Direction, Sequence, Step
from models.site.model import Name

S = 1_000_000
NAMES = ("outby", "middle", "inby")
NO = Name("", "")


def at(belt: str, key: str) -> str:
    return f"140525000099/{belt}/{key}"


def start_line(**changes) -> Sequence:
    """The start of the three against the coal."""
    steps = tuple(
        Step(
            belt,
            Name(belt, belt),
            ((at(belt, "command"), 1.0),),
            (Condition(at(belt, "speed"), 0.95, of=at(belt, "speed_set"), lasting_s=5.0),),
            keep=(Condition(at(belt, "running"), one_of=(1.0,)),),
            within_s=60.0,
        )
        for belt in NAMES
    )
    abort = tuple(
        Step(
            belt,
            Name(belt, belt),
            ((at(belt, "command"), 2.0),),
            (Condition(at(belt, "running"), one_of=(0.0,)),),
            within_s=30.0,
        )
        for belt in reversed(NAMES)
    )
    needs = (Condition(at("outby", "mode"), one_of=(2.0, 3.0)),)
    facts = {"needs": needs, "warning_s": 5.0, "source": "test", **changes}
    return Sequence("start_line", Name("启动", "start"), Direction.START, steps, abort, **facts)


@dataclass
class Fate:
    """What becomes of one command: how long it takes to arrive and to be answered, and how."""

    outcome: Outcome = Outcome.DONE
    arrives_s: float = 0.2
    answered_s: float = 0.4
    carried_out: bool = True
    """Of one whose outcome is unknown: whether the belt got it all the same."""


@dataclass
class Plant:
    """`fates`: of the commands in turn, the last one for all others. Time in whole ticks of 0.2 s."""

    fates: list[Fate] = field(default_factory=list)
    now: int = 1_000 * S
    speed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))
    wanted: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(NAMES, False))
    dark: set[str] = field(default_factory=set)
    """Belts of which nothing is known at the moment."""
    mode: float = 3.0
    under_way: list[tuple[int, int, Give, Fate, bool]] = field(default_factory=list)
    given: list[Give] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    """Belts that were started while the one that they feed did not run: must stay empty."""

    def look(self, path: str) -> float | None:
        _, belt, key = path.split("/")
        if belt in self.dark:
            return None
        values = {"speed": self.speed[belt], "speed_set": 3.5, "running": float(self.wanted[belt]), "mode": self.mode}
        return values[key]

    def runs(self, belt: str) -> bool:
        return self.speed[belt] > 3.3

    def give(self, give: Give) -> None:
        fate = self.fates.pop(0) if len(self.fates) > 1 else self.fates[0] if self.fates else Fate()
        self.given.append(give)
        belt = give.point.split("/")[1]
        if give.value == 1.0 and belt != NAMES[0] and not self.runs(NAMES[NAMES.index(belt) - 1]):
            self.loads.append(belt)
        # First in, first out, as a connection's commands are.
        last = max((arrival for arrival, *_ in self.under_way), default=0)
        arrival = max(self.now + round(fate.arrives_s * S), last)
        answer = max(arrival, self.now + round(fate.answered_s * S))
        self.under_way.append((arrival, answer, give, fate, False))

    def pass_time(self) -> list[tuple[Give, Outcome]]:
        """Another tick: the answers that came."""
        self.now += S // 5
        answers, still = [], []
        for arrival, answer, give, fate, carried in self.under_way:
            done = carried
            if not done and arrival <= self.now:
                done = True
                if fate.outcome is Outcome.DONE or (fate.outcome is Outcome.UNKNOWN and fate.carried_out):
                    self.wanted[give.point.split("/")[1]] = give.value == 1.0
            if answer <= self.now:
                answers.append((give, fate.outcome))
            else:
                still.append((arrival, answer, give, fate, done))
        self.under_way = still
        for belt in NAMES:
            self.speed[belt] = (
                min(3.5, self.speed[belt] + 0.35) if self.wanted[belt] else max(0, self.speed[belt] - 0.7)
            )
        return answers

    def trip(self, belt: str) -> None:
        self.wanted[belt] = False

    @property
    def carries_onto_a_standing_one(self) -> bool:
        return any(self.speed[inby] > 0 and self.speed[outby] == 0 for outby, inby in pairwise(NAMES))


class Drive:
    """Drives a run as the process does: journal and progress first, the command then."""

    def __init__(self, plant: Plant, sequence: Sequence) -> None:
        self.plant, self.machine = plant, Machine(sequence)
        self.journal = []
        self.take(self.machine.begin(plant.now, plant.look))

    @property
    def phase(self) -> Phase:
        return self.machine.progress.phase

    def take(self, told) -> None:
        self.journal += told.lines
        if told.give is not None:
            self.plant.give(told.give)

    def tick(self) -> None:
        plant = self.plant
        for give, outcome in plant.pass_time():
            self.take(self.machine.answered(give.number, outcome, NO, plant.now))
        self.take(self.machine.tick(plant.now, plant.look))

    def kill(self, for_s: float) -> None:
        """The process is killed; another one takes over after so long, with what was on disk."""
        kept = json.loads(json.dumps(self.machine.progress.as_json()))
        for _ in range(round(for_s * 5)):
            self.plant.pass_time()  # answers reach nobody
        self.plant.under_way = [(a, b, *rest) for a, b, *rest in self.plant.under_way]
        self.machine = Machine(self.machine.sequence, Progress.of_json(kept))
        self.take(self.machine.take_over(self.plant.now, for_s))

    def until(self, *phases: Phase, within_s: float = 600.0) -> None:
        for _ in range(round(within_s * 5)):
            if self.phase in phases:
                return
            self.tick()
        raise AssertionError(f"still {self.phase} at step {self.machine.progress.step}: {self.journal[-3:]}")
