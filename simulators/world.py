"""The mine as one: coal goes from the shearer over the face conveyor to the belts and frees gas as it
is cut; the shearer may only cut while the belts take coal and the gas is low."""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from models.site.model import Point, Site
from simulators.engine.part import Refused
from simulators.machines import BeltMachine, Machine, PumpRoomMachine, ShearerMachine, build, new_air
from simulators.physics.belt import Belt
from simulators.physics.protections import UPSETS

STEP_S = 0.1
WARM_UP_S = 600.0
FACE_CONVEYOR_S = 60.0
GAS_CUT_OFF = 1.5


class World:
    """All machines of a site, by equipment id. Deterministic: the same site and seed give the same
    values at the same step."""

    def __init__(self, site: Site, seed: int) -> None:
        points: dict[str, list[Point]] = {}
        for point in site.points:
            points.setdefault(point.equipment, []).append(point)
        self.air = new_air(_rng(seed, ""))
        self.machines: dict[str, Machine] = {
            name: build(equipment, points.get(name, []), _rng(seed, name), self.air)
            for name, equipment in sorted(site.equipment.items())
        }
        self._shearers = [machine for machine in self.machines.values() if isinstance(machine, ShearerMachine)]
        # Belts are numbered from the surface inwards, so the last one takes the face's coal.
        belts = [machine.belt for machine in self.machines.values() if isinstance(machine, BeltMachine)]
        self._belts = belts[::-1]
        """In the order in which coal passes over them."""
        self._rooms = [machine.room for machine in self.machines.values() if isinstance(machine, PumpRoomMachine)]
        self._on_face: deque[float] = deque([0.0] * round(FACE_CONVEYOR_S / STEP_S))
        self.steps = 0

    def warm_up(self, seconds: float = WARM_UP_S) -> None:
        """Let it run for a while, so that belts are up to speed and motors are warm."""
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def step(self) -> None:
        """Go on by STEP_S seconds."""
        self.steps += 1
        belts_ready = all(belt.running for belt in self._belts)
        gas_low = self.air.corner < GAS_CUT_OFF
        for machine in self._shearers:
            machine.shearer.permitted = belts_ready and gas_low
            machine.why = "" if machine.shearer.permitted else ("瓦斯闭锁" if belts_ready else "运输闭锁")
        self._interlock()
        before = [belt.discharged_kg for belt in self._belts]
        self._feed(belts_ready)
        for machine in self.machines.values():
            machine.step(STEP_S)
        self._pass_on(before)
        self.air.coal_flow = sum(machine.shearer.coal_flow for machine in self._shearers)
        self.air.chamber_heat = 4.0 * sum(pump.turning for room in self._rooms for pump in room.pumps)
        self.air.step(STEP_S)

    def _interlock(self) -> None:
        """Start against the coal's way: a belt may run when the one that it feeds runs, and stops with it."""
        for belt, following in itertools.pairwise(self._belts):
            belt.run = following.running

    def _feed(self, ready: bool) -> None:
        """What was cut a minute ago falls on the first belt; a face conveyor that may not run stands."""
        if not self._belts:
            return
        if ready:
            self._on_face.append(sum(machine.shearer.coal_flow for machine in self._shearers))
            self._belts[0].feed = self._on_face.popleft()
        else:
            self._belts[0].feed = 0.0

    def _pass_on(self, before: Sequence[float]) -> None:
        """What falls off a belt falls on the next."""
        for number, (belt, was) in enumerate(zip(self._belts, before, strict=True)):
            following: Belt | None = self._belts[number + 1] if number + 1 < len(self._belts) else None
            if following is not None:
                following.feed = (belt.discharged_kg - was) / STEP_S * 3.6

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """Equipment → what `disturb` can do to it."""
        return {name: UPSETS for name, machine in self.machines.items() if isinstance(machine, BeltMachine)}

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Begin a belt's fault, or end it with 0; its crew clears it as any other."""
        machine = self.machines.get(equipment)
        if not isinstance(machine, BeltMachine) or kind not in UPSETS:
            raise Refused(f"{equipment} 没有扰动 '{kind}' · knows no disturbance '{kind}'")
        machine.belt.protections.upset(kind, 1e9 if amount else 0.0)

    def values(self) -> Mapping[str, Mapping[str, float]]:
        """Equipment id → point key → value."""
        return {name: machine.values() for name, machine in self.machines.items()}

    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Equipment id → point key → text."""
        return {name: machine.texts() for name, machine in self.machines.items()}


def _rng(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for each machine: adding one does not change the others."""
    return np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(name.encode())])
