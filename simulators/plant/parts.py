"""The parts that a design asks for, each with a stream of random numbers of its own: adding one does not
change the others."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.site.model import Site
from simulators.design.mine import MineDesign
from simulators.engine.part import Part
from simulators.physics.air.ventilation import Ventilation
from simulators.physics.belts import Belts
from simulators.physics.chambers import Chambers
from simulators.physics.compressors import Compressors
from simulators.physics.crew import Crew
from simulators.physics.drainage.part import Drainage
from simulators.physics.electricity.part import Electricity
from simulators.physics.headings.part import Headings
from simulators.physics.longwall.face import Longwall
from simulators.physics.network import Network
from simulators.physics.people import People
from simulators.physics.sensing.gas_lock import GasLock
from simulators.physics.sensing.sensors import Sensors

PERIODS_S: Mapping[str, float] = {
    "crew": 5.0,
    "headings": 2.0,
    "drainage": 2.0,
    "compressors": 2.0,
    "chambers": 2.0,
    "people": 2.0,
    "network": 5.0,
}
"""How often these step. Their states last for minutes and the devices that show them are asked every second or two, so
that a step every second would cost and show nothing; what they are told they see with the next step all the same."""


@dataclass(slots=True)
class Parts:
    """None where the design has no such section."""

    crew: Crew
    longwalls: tuple[Longwall, ...]
    headings: Headings | None
    belts: Belts | None
    drainage: Drainage | None
    compressors: Compressors | None
    chambers: Chambers | None
    people: People | None
    network: Network | None
    ventilation: Ventilation | None
    sensors: Sensors | None
    gas_lock: GasLock | None
    electricity: Electricity | None


def build(site: Site, design: MineDesign, seed: int, start_us: int) -> Parts:
    """Raises ValueError, in plain words, for what the sections say of each other and is not there."""

    def rng(name: str) -> np.random.Generator:
        return np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(name.encode())])

    air = Ventilation(design.ventilation, rng("ventilation")) if design.ventilation else None
    sensors = Sensors(design.sensors, air, rng("sensors")) if design.sensors and air else None
    parts = Parts(
        crew=Crew(design.crew, design.utilisation, site.shifts, site.time_zone, start_us, rng("crew")),
        longwalls=tuple(Longwall(face, rng(face.id)) for face in design.longwalls),
        headings=Headings(design.headings, start_us, rng("headings")) if design.headings else None,
        belts=Belts(design.belts, rng("belts")) if design.belts else None,
        drainage=Drainage(design.drainage, start_us, rng("drainage")) if design.drainage else None,
        compressors=Compressors(design.compressors, start_us, rng("compressors")) if design.compressors else None,
        chambers=Chambers(design.chambers, start_us, rng("chambers")) if design.chambers else None,
        people=People(design.people, start_us, rng("people")) if design.people else None,
        network=Network(design.network, rng("network")) if design.network else None,
        ventilation=air,
        sensors=sensors,
        gas_lock=GasLock(design.gas_lock, sensors) if design.gas_lock and sensors else None,
        electricity=Electricity(design.power, site.time_zone, start_us, rng("power")) if design.power else None,
    )
    for name, period_s in PERIODS_S.items():
        part: Part | None = getattr(parts, name)
        if part is not None:
            part.period_s = period_s
    return parts
