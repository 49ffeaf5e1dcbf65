"""The longwall face as a part of the mine: shearer, supports, conveyors and pumps, wired as they stand.

Ports. In: `transport_ready` (all belts to the surface run), `power_allowed` (no gas or wind lock), `powered` (by
equipment: its feeder is closed), `order`. Out: `cut_t_per_h`, `coal_t_per_h` (onto the gate belt), `power_kw` by
equipment, `advance_m`, `weighting` (0…1), `position_m`, `producing` and `intelligent` (三机协同, domain facts §3.3).
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.design.longwall import LongwallDesign
from simulators.engine.part import Part, Refused, Row, Rows
from simulators.physics.longwall.chance import Chance
from simulators.physics.longwall.control import Control
from simulators.physics.longwall.conveyors import Conveyor, Crusher
from simulators.physics.longwall.cycle import Kind
from simulators.physics.longwall.interlock import Interlock
from simulators.physics.longwall.moves import DrumCorrection, Event, Web
from simulators.physics.longwall.pauses import OFF
from simulators.physics.longwall.pump_readings import StationReadings
from simulators.physics.longwall.pumps import EmulsionStation, SprayStation
from simulators.physics.longwall.readings import (
    COMMANDS,
    Columns,
    ConveyorReadings,
    CrusherReadings,
    ShearerReadings,
    commanded,
)
from simulators.physics.longwall.seam import Seam
from simulators.physics.longwall.shearer import Shearer
from simulators.physics.longwall.shields import KEYS
from simulators.physics.longwall.supports import Supports
from simulators.physics.longwall.weighting import Weighting
from simulators.physics.order import AUTO, REMOTE, Order

FOLLOW_SHARE = 0.85
"""From this part of automatic moves on the supports count as following by themselves (domain facts §3.3)."""
_LOG = 200_000
"""Events kept until somebody asks for them: a month of a face."""


class Longwall(Part):
    """One face. Truth: `<shearer, afc, loader, crusher, pumps>!…`, `<supports' id>!state` (how many move), `!mode`,
    `!producing` (they follow), `!intelligent`, and of the three machines together `<face>!producing`, `!intelligent`,
    `!tonnes`, with `<face>!weighting` and `!follow_share`."""

    def __init__(self, design: LongwallDesign, rng: np.random.Generator) -> None:
        self.design = design
        own = design
        seeds = rng.spawn(10)
        shearer, rows = own.shearer, own.supports
        self.seam = Seam(rows.count, rows.pitch_m, own.height_m, own.web_m, shearer.hardness_kwh_per_m3, seeds[0])
        self.events_kept: deque[Event] = deque(maxlen=_LOG)
        self.shearer = Shearer(own, self.seam, Chance(seeds[1]))
        self.supports = Supports(own, self.seam, Chance(seeds[2]), seeds[3], self.events_kept)
        self.afc, self.loader = Conveyor(own.afc), Conveyor(own.loader)
        self.crusher = Crusher(own.crusher, Chance(seeds[4]))
        self.interlock = Interlock(self.crusher, self.loader, self.afc)
        self.emulsion, self.spray = EmulsionStation(own.emulsion), SprayStation(own.spray)
        self._weighting = Weighting(rows.weighting_m, Chance(seeds[5]))
        machines = (self.shearer, self.afc, self.loader, self.crusher, self.emulsion, self.spray)
        self._machine_controls: dict[str, Control] = {m.control.equipment: m.control for m in machines}
        self._controls = {**self._machine_controls, rows.id: self.supports.control}
        self.transport_ready = True
        self.power_allowed = True
        self.order = Order()
        self._followed: Order | None = None
        ids = (shearer.id, own.afc.id, own.loader.id, own.crusher.id, own.emulsion.id, own.spray.id)
        self._ids = ids
        self._wall_m2 = own.height_m * own.length_m
        self.powered = dict.fromkeys(ids, True)
        self.power_kw = dict.fromkeys(ids, 0.0)
        self.cut_t_per_h = self.coal_t_per_h = 0.0
        self.producing = self.intelligent = False
        self._clock, self._number, self._webs, self._web_t = 0.0, 0, 0, 0.0
        self._lay_out(seeds[6])
        raw = self._machines - self._follows
        self._now = np.zeros(raw + self.supports.shields.values.size)
        self.supports.shields.lie_in(self._now[raw:])

    def _lay_out(self, rng: np.random.Generator) -> None:
        """Channels: what follows, what a step writes of the machines, and the supports' in blocks of one key. A step
        writes the last two in one piece, from `_now`."""
        own, ambient = self.design, self.design.ambient_c
        seeds = rng.spawn(6)
        self._read_shearer = ShearerReadings(own.shearer, seeds[0])
        self._read_afc = ConveyorReadings(own.afc, ambient, seeds[1])
        self._read_loader = ConveyorReadings(own.loader, ambient, seeds[2])
        self._read_crusher = CrusherReadings(own.crusher, ambient, seeds[3])
        self._read_emulsion = StationReadings(own.emulsion, ambient, seeds[4])
        self._read_spray = StationReadings(own.spray, ambient, seeds[5])
        readings = (
            self._read_shearer,
            self._read_afc,
            self._read_loader,
            self._read_crusher,
            self._read_emulsion,
            self._read_spray,
        )

        def names(equipment: str, keys: Sequence[str]) -> list[str]:
            return [equipment + (key if key[0] == "!" else "." + key) for key in keys]

        machines = list(zip(self.powered, readings, strict=True))
        channels = [name for equipment, read in machines for name in names(equipment, (*read.MORE, *COMMANDS))]
        channels += names(own.shearer.id, ("speed_set",))
        self._follows = len(channels)
        channels += [name for equipment, read in machines for name in names(equipment, read.RAW)]
        channels += names(own.supports.id, ("!state", "!mode", "!producing", "!intelligent"))
        channels += names(own.id, ("!producing", "!intelligent", "!tonnes", "!weighting", "!follow_share"))
        self._machines = len(channels)
        self._index: Mapping[str, int] = {name: n for n, name in enumerate(channels)}
        channels += [f"{name}.{key}" for key in KEYS for name in own.supports.names]
        self.channels = channels
        self._support_numbers = {name: n for n, name in enumerate(own.supports.names)}
        self._pack = struct.Struct(f"={self._machines - self._follows}d").pack_into

    @property
    def advance_m(self) -> float:
        """How far the face has come, mean over its length, m."""
        return self.seam.won_m3 / self._wall_m2

    @property
    def weighting(self) -> float:
        """How heavily the roof weighs, 0…1."""
        return self._weighting.value

    @property
    def position_m(self) -> float:
        """Where the shearer is, m from the head end."""
        return self.shearer.position

    def step(self, dt: float, row: Row) -> None:
        order = self.order
        self._clock += dt
        self._number += 1
        if order is not self._followed:
            self._followed = order
            for control in self._controls.values():
                control.follow(order)
        self._machinery(dt, order)
        self.supports.step(dt, self._number, self.shearer, order, self.emulsion.pressure)
        self._weighting.step(dt, self.advance_m)
        self._judge()
        self._write(row)

    def _machinery(self, dt: float, order: Order) -> None:
        """From the pumps to the coal on the gate belt."""
        shearer, afc, loader, crusher, supports = self.shearer, self.afc, self.loader, self.crusher, self.supports
        shearer_id, afc_id, loader_id, crusher_id, emulsion_id, spray_id = self._ids
        powered, allowed, used = self.powered, self.power_allowed, self.power_kw
        self.emulsion.step(dt, order.produce or order.inspection, powered[emulsion_id], supports.demand_l_per_s)
        self.spray.step(dt, order.produce, powered[spray_id], shearer.on)
        self.interlock.step(dt, order.produce, shearer.pauses.kind == OFF, self.transport_ready)
        may = self.interlock.shearer and self.spray.ready and allowed and powered[shearer_id]
        released = supports.straight if shearer.kind is Kind.STRAIGHTEN else supports.released
        source = shearer.step(dt, order, may, released, supports.follow.gap)
        if source:
            self.events_kept.append(DrumCorrection(self._number, shearer.position, source))
        self.cut_t_per_h = shearer.coal_t_per_h
        if self.cut_t_per_h:
            afc.trough.drop(shearer.position, self.cut_t_per_h * dt / 3600.0)
        afc.step(dt, allowed and powered[afc_id])
        if afc.off_t:
            loader.trough.drop(loader.length, afc.off_t)
        loader.step(dt, allowed and powered[loader_id])
        self.coal_t_per_h = loader.off_t * 3600.0 / dt
        crusher.step(dt, allowed and powered[crusher_id], self.coal_t_per_h)
        used[shearer_id], used[afc_id], used[loader_id] = shearer.power_kw, afc.power_kw, loader.power_kw
        used[crusher_id], used[emulsion_id] = crusher.power_kw, self.emulsion.power_kw
        used[spray_id] = self.spray.power_kw

    def _judge(self) -> None:
        """三机协同: the shearer cuts and the AFC runs; nobody works shearer, supports or interlock by hand."""
        shearer, afc = self.shearer, self.afc
        self.producing = shearer.producing and afc.running
        self.intelligent = (
            self.producing
            and shearer.intelligent
            and afc.control.mode in (REMOTE, AUTO)
            and self.supports.follow_share >= FOLLOW_SHARE
        )
        if shearer.webs != self._webs:
            self._webs = shearer.webs
            self.events_kept.append(Web(self._number, self._webs, shearer.cut_t - self._web_t))
            self._web_t = shearer.cut_t

    def _write(self, row: Row) -> None:
        shearer, supports = self.shearer, self.supports
        off, place = shearer.pauses.kind == OFF and not self.afc.on, float(shearer.cell + 1)
        following, share = supports.moving, supports.follow_share
        automatic = supports.mode in (REMOTE, AUTO)
        self._pack(
            self._now,
            0,
            *self._read_shearer.raw(shearer, self._clock),
            *self._read_afc.raw(self.afc, off, place),
            *self._read_loader.raw(self.loader, False, 0.0),
            *self._read_crusher.raw(self.crusher, False, self.coal_t_per_h),
            *self._read_emulsion.raw(self.emulsion),
            *self._read_spray.raw(self.spray),
            following,
            supports.mode,
            following > 0,
            following > 0 and automatic and share >= FOLLOW_SHARE,
            self.producing,
            self.intelligent,
            shearer.cut_t,
            self._weighting.value,
            share,
        )
        row[self._follows :] = self._now

    def observe(self, dt: float, rows: Rows) -> None:
        own, index = self.design, self._index
        columns = np.ascontiguousarray(rows[:, : self._machines].T)
        heartbeat = columns[index[f"{own.shearer.id}.heartbeat"]]
        weighting = columns[index[f"{own.id}!weighting"]]
        for equipment, control in self._machine_controls.items():
            commanded(Columns(equipment, index, columns), control)
        Columns(own.shearer.id, index, columns)["speed_set"] = self.shearer.speed_set
        self._read_shearer.observe(dt, Columns(own.shearer.id, index, columns))
        self._read_afc.observe(dt, Columns(own.afc.id, index, columns), heartbeat)
        self._read_loader.observe(dt, Columns(own.loader.id, index, columns), heartbeat)
        self._read_crusher.observe(dt, Columns(own.crusher.id, index, columns))
        self._read_emulsion.observe(dt, Columns(own.emulsion.id, index, columns))
        self._read_spray.observe(dt, Columns(own.spray.id, index, columns))
        self.supports.shields.observe(dt, rows[:, self._machines :], weighting, heartbeat)
        rows[:, : self._machines] = columns.T

    @property
    def steps(self) -> int:
        """How many steps it has made: the number of the last."""
        return self._number

    def events(self) -> list[Event]:
        """What has happened since this was last asked, oldest first; at most a month of it is kept."""
        events = list(self.events_kept)
        self.events_kept.clear()
        return events

    def command(self, equipment: str, key: str, value: float) -> None:
        if equipment == self.design.shearer.id:
            self.shearer.command(key, value)
        elif equipment not in self._controls or not self._controls[equipment].command(key, value):
            super().command(equipment, key, value)

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        if kind not in self.disturbances().get(equipment, ()):
            super().disturb(equipment, kind, amount)
        if not 0.0 <= amount < 1e6:
            raise Refused(f"{equipment}.{kind}：{amount:g} 不合理 · makes no sense")
        if kind == "support_leak":
            self.supports.shields.leak_from_now(self._support_numbers[equipment], amount)
        elif kind == "jumping_support":
            self.supports.skip[self._support_numbers[equipment]] = amount > 0.0
        elif kind == "chain_break":
            conveyor = self.afc if equipment == self.design.afc.id else self.loader
            conveyor.broken = amount > 0.0
            conveyor.control.tripped = conveyor.control.tripped and conveyor.broken
        elif kind == "shearer_motor_hot":
            self.shearer.hot_c = amount
        elif kind == "hard_rock":
            length = self.design.length_m
            self.seam.hard_zone = (0.35 * length, 0.65 * length, amount or 1.0)
        elif kind == "emulsion_pressure_low":
            self.emulsion.lost_mpa = min(amount, self.design.emulsion.load_mpa)
        elif kind == "weighting":
            self._weighting.forced = min(amount, 1.0)

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """`support_leak` MPa/h of the left leg; `jumping_support` 1; `chain_break` 1; `shearer_motor_hot` K more;
        `hard_rock` times as hard in the middle of the face; `emulsion_pressure_low` MPa lost; `weighting` 0…1."""
        own = self.design
        return {
            own.id: ("weighting", "hard_rock"),
            own.shearer.id: ("shearer_motor_hot", "hard_rock"),
            own.afc.id: ("chain_break",),
            own.loader.id: ("chain_break",),
            own.emulsion.id: ("emulsion_pressure_low",),
            **dict.fromkeys(own.supports.names, ("support_leak", "jumping_support")),
        }

    def texts(self) -> Mapping[str, str]:
        fault = ""
        if self.shearer.control.tripped:
            fault = "截割电机超温停机 · cutting motor hot, stopped"
        elif not self.power_allowed:
            fault = "瓦斯闭锁 · gas lock"
        elif not self.transport_ready:
            fault = "运输闭锁 · transport lock"
        return {f"{self.design.shearer.id}.fault_text": fault}
