"""One belt: its states from the pre-start warning to the coasting stop, with its coal, drive and protections."""

from __future__ import annotations

from enum import IntEnum

from simulators.design.transport import BeltDesign
from simulators.physics.transport.coal import Coal
from simulators.physics.transport.drive import Drive
from simulators.physics.transport.follow import Follow
from simulators.physics.transport.protections import SLIP, Protections

TAIL_FULL_KG = 1500.0
"""What a tail's chute holds before coal stays in the chute of the head above it."""
START_FAILED_S = 30.0
"""A belt that has not its speed so long after the S-curve slips, although slip is not watched in a start."""


class State(IntEnum):
    STOPPED = 0
    WARNING = 1
    STARTING = 2
    RUNNING = 3
    """Up to speed and confirmed, also while it empties before a stop."""
    STOPPING = 4
    """Coasting."""
    TRIPPED = 5
    """Stopped, or stopping, by a protection that is latched."""


class Mode(IntEnum):
    LOCAL = 1
    REMOTE = 2
    AUTO = 3
    INSPECTION = 4


_STARTING, _RUNNING = State.STARTING, State.RUNNING
DRIVEN = (State.STARTING, State.RUNNING)


class Belt:
    """`outby`: the belt that its head feeds; `inby`: those that feed its tail."""

    def __init__(self, name: str, design: BeltDesign) -> None:
        self.name, self.design = name, design
        most = design.capacity_t_per_h / (3.6 * design.speed_m_per_s) * design.over_fill
        self.coal = Coal(design.length_m, design.weighed_at_m, most)
        self.drive = Drive(design)
        self.protections = Protections(design, self.drive)
        self.outby: Belt | None = None
        self.inby: list[Belt] = []
        self.state = State.STOPPED
        self.mode = Mode.AUTO
        self.key: Mode | None = None
        """What a key on the spot has switched it to."""
        self.powered = True
        self.wanted = False
        """Whether it has been told to run."""
        self.gentle = True
        """Whether a stop waits until the belt is empty."""
        self.by_sequence = self.started_by_sequence = False
        self.delivered = 0.0
        """What has left its head for good, kg since the start."""
        self.fed = 0.0
        """What falls on its tail from outside, t/h."""
        self.flow = 0.0
        """What leaves it, t/h."""
        self.recall = False
        """Whether it ran, or was to run, when something stopped it."""
        self.since = 0.0
        """s in this state."""
        self._confirmed = self._emptied = 0.0
        self._warm_c = design.protections.drum_c - 5.0
        self.follow = Follow(design) if design.follow_flow else None

    @property
    def control(self) -> Mode:
        """The mode that holds: the key on the spot goes before the centre's choice."""
        return self.key or self.mode

    @property
    def confirmed(self) -> bool:
        """Runs, so that what feeds it may run."""
        return self.state is State.RUNNING

    @property
    def may_be_fed(self) -> bool:
        """Runs and is to go on running."""
        return self.state is State.RUNNING and self.wanted

    @property
    def clear(self) -> bool:
        """Whether the interlock lets it run: what it feeds runs, or it stands in inspection mode."""
        return self.outby is None or self.outby.confirmed or self.control is Mode.INSPECTION

    @property
    def restless(self) -> bool:
        """Whether something is about to change without anybody's doing."""
        return not (
            (self.state is State.RUNNING and self.wanted)
            or (self.state is State.STOPPED and not self.wanted and not self.recall)
        )

    @property
    def coming(self) -> float:
        """What it gives, or will give by what lies on it, t/h."""
        return max(self.coal.on_belt / self.design.length_m * self.drive.speed * 3.6, self.flow)

    @property
    def mass(self) -> float:
        """Coal on the belt, in its chutes and on the tray under a tear, kg."""
        return self.coal.on_belt + self.coal.chute + self.protections.pile + self.protections.tray

    def enter(self, state: State) -> None:
        self.state = state
        self.since = self._confirmed = self._emptied = 0.0

    def decide(self, dt: float) -> None:
        """One step of the states; the belt that it feeds has decided before."""
        self.since += dt
        protections = self.protections
        if protections.latch and self.state is not State.TRIPPED:
            self._lose()
            self.enter(State.TRIPPED)
        elif self.state in (State.WARNING, *DRIVEN) and not (self.powered and self.clear):
            self._lose()
            self.enter(State.STOPPING if self.state in DRIVEN else State.STOPPED)
        else:
            self._advance(dt)

    def _lose(self) -> None:
        """It stops although it was to run; only an order starts it again."""
        self.recall = self.recall or self.wanted
        self.wanted = False

    def _advance(self, dt: float) -> None:
        state = self.state
        if state is State.STOPPED:
            if self.wanted and self.powered and self.clear:
                self.enter(State.WARNING)
        elif state is State.WARNING:
            if not self.wanted:
                self.enter(State.STOPPED)
            elif self.since >= self.design.warning_s:
                self.started_by_sequence = self.by_sequence
                self.drive.start()
                self.enter(State.STARTING)
        elif state is State.STARTING:
            self._confirm(dt)
        elif state is State.RUNNING:
            if self.wanted:
                self._emptied = 0.0
            elif self._empty(dt):
                self.enter(State.STOPPING)
        elif self.drive.speed == 0.0 and not self.protections.latch:
            self.enter(State.STOPPED)

    def _confirm(self, dt: float) -> None:
        up = self.drive.speed >= self.design.confirm_ratio * self.drive.goal
        self._confirmed = self._confirmed + dt if up else 0.0
        if not self.wanted:
            self.enter(State.STOPPING)
        elif up and self._confirmed >= self.design.confirm_s:
            self.enter(State.RUNNING)
        elif self.since > self.design.start_s + START_FAILED_S:
            self.protections.latch = SLIP + 1
            self.protections.awake = True

    def _empty(self, dt: float) -> bool:
        """Whether a stop with the flow may go on to this belt: nothing feeds it any more and it has run empty."""
        if not self.gentle:
            return True
        if any(belt.drive.speed > 0.0 for belt in self.inby):
            return False
        self._emptied += dt
        return self._emptied >= self.design.length_m / max(self.drive.speed, 0.1) + self.design.margin_s

    def step(self, dt: float) -> float:
        """Move; returns what has left the head for good, kg."""
        drive, coal = self.drive, self.coal
        if self.follow is not None:
            drive.goal = self.follow.step(dt, drive.goal, self.fed + sum(belt.coming for belt in self.inby))
        state = self.state
        driven = True
        if state is _RUNNING:
            coal.move(drive.run(dt, coal.laid - coal.head.passed, None))
        elif state is _STARTING:
            coal.move(drive.run(dt, coal.on_belt, self.since))
        else:
            driven = False
            if drive.speed > 0.0:
                coal.move(drive.coast(dt, coal.on_belt))
            else:
                drive.power = drive.torque = 0.0
                coal.rest()
        protections, outby = self.protections, self.outby
        drive.warm(dt, driven, protections.spray)
        if (
            protections.awake
            or drive.sliding
            or drive.drum_c > self._warm_c
            or (outby is not None and outby.coal.chute > TAIL_FULL_KG)
        ):
            left = self._discharge(dt)
        else:
            left = coal.head.passing
        self.delivered += left
        self.flow = 3.6 * left / dt
        return left

    def _discharge(self, dt: float) -> float:
        """The head's chute and the protections, when there is anything about them."""
        protections = self.protections
        torn = protections.amounts["tear"] * self.coal.head.passing
        pile = protections.pile + self.coal.head.passing - torn
        full = self.outby is not None and self.outby.coal.chute > TAIL_FULL_KG
        protections.pile = pile if full else pile * protections.amounts["pile_up"]
        protections.step(dt, steady=self.state is State.RUNNING, torn=torn)
        return pile - protections.pile

    def reset(self) -> None:
        """Take a latched trip back, when its cause is gone."""
        self.coal.chute += self.protections.reset()
