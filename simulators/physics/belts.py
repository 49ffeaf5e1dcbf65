"""All belt conveyors of a mine as one part (domain facts 5.1, sources S-72 … S-79).

Truth: `!state` 0 stopped, 1 warning, 2 starting, 3 running (also while it empties before a stop), 4 coasting,
5 tripped; `!producing` while it moves with more than a tenth of its speed; `!intelligent` while it does so under
central control (remote or auto), last started by the sequence, with no local key; `!tonnes` left the head. Beyond the
template: `.spray`, `.ready`, and the readbacks `.speed_set`, `.mode_command`, `.command`. Fault codes: 1000 × the
protection's number (1 slip, pile-up, deviation, smoke, over-temperature, tear, pull cord, 8 tension) + the pull
cord's place; 9000 no power.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.transport import BeltsDesign
from simulators.engine.filters import Wander
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.transport import protections
from simulators.physics.transport.belt import DRIVEN, Belt, Mode, State
from simulators.physics.transport.desk import KEYS, Desk
from simulators.physics.transport.gauges import Gauges
from simulators.physics.transport.layout import GROUP, channels, columns, scale_columns
from simulators.physics.transport.sequence import Line

NO_POWER = 9000
DRAWN = 512
"""Steps of noise that are drawn at once."""
FLOWING = 7
"""The first keys of `STEPPED` change in every step."""


class Belts(Part):
    """Belts that feed each other and end at the surface.

    Inputs, set before each step: `feed` [belts] t/h that falls on the tails from outside; `powered` [belts]; `supply`
    over rated voltage; `run`, an order to the sequence at each change (none: no orders); `by_hand`, the local keys are
    in while the belts run; `inspection`, people are at the belts that stand; `shift`, any number that changes with the
    shift, so that the scales' shift totals begin anew.

    Outputs, after it, [belts] or one number: `running` (confirmed, coal may be fed), `ready` (it and all to the
    surface are), `power_kw`, `mode`, `producing`, `intelligent`, `flow_t_per_h` (past the scale), `raised_t_per_h`
    (coal that arrives at the surface), `on_belt_t`, `fed_t`; of all together `moving`, `central`, and `changes`.
    """

    def __init__(self, design: BeltsDesign, rng: np.random.Generator) -> None:
        self.design = design
        self.names: tuple[str, ...] = tuple(design.belts)
        self.index: Mapping[str, int] = {name: n for n, name in enumerate(self.names)}
        scales = [n for n, one in enumerate(design.belts.values()) if one.scale]
        self.channels: Sequence[str] = channels(self.names, [design.belts[self.names[n]].scale or "" for n in scales])
        count = len(self.names)
        gauges, self._rng = rng.spawn(2)
        self.line = Line(design)
        self._desk = Desk(self.line)
        self._gauges = Gauges(list(design.belts.values()), scales, gauges)
        self._supply_at = columns(".current_2", count)
        self._shift_at = scale_columns(".shift_total", count, len(scales))

        self.feed = np.zeros(count)
        self.powered = np.ones(count, bool)
        self.supply = 1.0
        self.run: bool | None = design.start_in_order or None
        self.by_hand = self.inspection = False
        self.shift = 0

        # A whole row: what is not of a step lies between, and `observe` writes over it.
        self._now = np.zeros(len(self.channels))
        self._now[self._supply_at] = self.supply
        self._flowing = [0.0] * (FLOWING * count)
        self._pack = struct.Struct(f"={FLOWING * count}d").pack_into
        self.running = np.zeros(count, bool)
        self.ready = np.zeros(count, bool)
        self.power_kw = self._now[columns(".power", count)]
        self.mode = self._now[columns(".mode", count)]
        self.producing = self._now[columns("!producing", count)]
        self.intelligent = self._now[columns("!intelligent", count)]
        self.flow_t_per_h = self._now[columns(".flow", count)]
        self.moving = False
        """Whether any belt produces."""
        self.central = True
        """Whether all that produce are intelligent."""
        self.changes = 0
        """How often states, and with them `ready`, have been written."""
        self.raised_t_per_h = 0.0
        self.fed_t = 0.0
        """What has fallen on all tails since the start, t."""

        # From the faces outward, so that what leaves a head falls on the next tail in the same step.
        self._inby_first = [(self.index[belt.name], belt) for belt in reversed(self.line.outby_first)]
        self._flutter = Wander(0.006, 2.0, count, self._rng)
        self._fluttering: list[list[float]] = []
        self._ordered: tuple[bool | None, bool, bool] = (None, False, False)
        self._outside = (self.supply, self.shift)
        self._powered_before = self.powered.tobytes()
        self._busy = True
        for n, belt in self._inby_first:
            self._write(n, belt)

    @property
    def belts(self) -> Mapping[str, Belt]:
        """The belts by name."""
        return self.line.belts

    @property
    def on_belt_t(self) -> float:
        """Coal on all belts and in their chutes, t."""
        return sum(belt.mass for _, belt in self._inby_first) / 1000.0

    def step(self, dt: float, row: Row) -> None:
        if (self.run, self.by_hand, self.inspection) != self._ordered:
            self._obey()
        powered = self.powered.tobytes()
        if powered != self._powered_before:
            self._powered_before = powered
            for n, belt in self._inby_first:
                belt.powered = bool(self.powered[n])
            self._busy = True
        decided = self._busy
        if decided:
            self.line.step(dt)
            self._turn_keys()
        self._carry(dt)
        if decided or self._busy:
            self._write_states()
        if (self.supply, self.shift) != self._outside:
            self._outside = self.supply, self.shift
            self._now[self._supply_at], self._now[self._shift_at] = self._outside
        row[:] = self._now

    def _carry(self, dt: float) -> None:
        """Move all belts, hand over what leaves them, and write what changes in every step."""
        flowing, count, awake, raised = self._flowing, len(self.names), False, 0.0
        if not self._fluttering:
            self._fluttering = self._flutter.run(dt, DRAWN)[::-1].tolist()
        flutter, per_step = self._fluttering.pop(), dt / 3.6
        feed = self.feed.tolist()
        for n, belt in self._inby_first:
            coal, drive, outby = belt.coal, belt.drive, belt.outby
            belt.fed = fed = feed[n]
            if fed:
                coal.chute += fed * per_step
                self.fed_t += fed * per_step / 1000.0
            left = belt.step(dt)
            if outby is None:
                raised += left
            else:
                outby.coal.chute += left
            if belt.protections.awake:
                awake = True
            if belt.follow is not None:
                self._put(n, ".speed_set", drive.goal)
            # In the order of STEPPED.
            flowing[n::count] = (
                drive.speed, coal.scale.passing / per_step, drive.power * (1.0 + flutter[n]), drive.drum_c,
                drive.tension, belt.delivered / 1000.0, drive.torque,
            )  # fmt: skip
        self._pack(self._now, 0, *flowing)
        self.raised_t_per_h = raised / per_step
        # Nothing but what is seen to by hand, by power or by a protection makes a quiet line busy.
        self._busy = awake or (self._busy and self.line.busy)

    def _obey(self) -> None:
        """The order of the control room, or of the crew, has changed."""
        run, _, inspection = self._ordered
        self._ordered = (self.run, self.by_hand, self.inspection)
        self._busy = True
        self._turn_keys()
        handed_back = inspection and not self.inspection
        if self.run is None or (self.run is run and not handed_back):
            return
        if self.run:
            for belt in self.line.outby_first:
                # One that still empties is the crew's again too: the key is back when all are wanted.
                if belt.key is Mode.LOCAL:
                    belt.key = None
            self.line.start_all()
            self._turn_keys()
        else:
            self.line.stop_all()

    def _turn_keys(self) -> None:
        """People take over by hand a belt that runs, and inspect one that stands; both are started from the centre."""
        for belt in self.line.outby_first:
            if self.by_hand and belt.state is State.RUNNING:
                belt.key = Mode.LOCAL
            elif self.inspection and belt.state is State.STOPPED:
                belt.key = Mode.INSPECTION
            else:
                belt.key = None

    def _write_states(self) -> None:
        """What changes now and then."""
        for belt in self.line.outby_first:
            self._write(self.index[belt.name], belt)
        self.moving = bool(self.producing.any())
        self.central = self.intelligent.tobytes() == self.producing.tobytes()
        self.changes += 1

    def _write(self, n: int, belt: Belt) -> None:
        running = belt.may_be_fed
        ready = running and (belt.outby is None or bool(self.ready[self.index[belt.outby.name]]))
        self.running[n], self.ready[n] = running, ready
        moving = belt.drive.speed > 0.1 * belt.design.speed_m_per_s
        central = belt.control in (Mode.REMOTE, Mode.AUTO)
        shown = belt.protections
        self._put(n, ".running", belt.state in DRIVEN)
        self._put(n, ".mode", belt.control)
        for name, active in zip(protections.NAMES, shown.shown, strict=True):
            self._put(n, f".{name}", active)
        self._put(n, ".fault_code", shown.fault_code or (0 if belt.powered else NO_POWER))
        self._put(n, ".spray", shown.spray)
        self._put(n, ".ready", ready)
        self._put(n, ".speed_set", belt.drive.goal)
        self._put(n, ".mode_command", belt.mode)
        self._put(n, "!state", belt.state)
        self._put(n, "!mode", belt.control)
        self._put(n, "!producing", moving)
        self._put(n, "!intelligent", moving and central and belt.started_by_sequence)

    def _put(self, n: int, key: str, value: float) -> None:
        self._now[GROUP[key] * len(self.names) + n] = value

    def observe(self, dt: float, rows: Rows) -> None:
        self._gauges.fill(dt, rows)

    def command(self, equipment: str, key: str, value: float) -> None:
        belt = self.line.belts.get(equipment)
        if belt is None or key not in KEYS:
            return super().command(equipment, key, value)
        self._desk.take(belt, key, value)
        self._put(self.index[equipment], f".{key}", value)
        self._busy = True
        return None

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        belt = self.line.belts.get(equipment)
        if belt is None or kind not in protections.DISTURBANCES:
            return super().disturb(equipment, kind, amount)
        most = protections.MOST.get(kind, 1.0)
        if not 0.0 <= amount <= most:
            raise Refused(f"{equipment} 的 {kind} 应在 0-{most:g} · {protections.DISTURBANCES[kind]}; not {amount:g}")
        belt.protections.disturb(kind, amount)
        self._busy = True
        return None

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        return {name: tuple(protections.DISTURBANCES) for name in self.names}
