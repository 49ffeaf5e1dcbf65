"""The works of a mine wired together: energy closes over a day, and utilisation is what the mine lives by."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from simulators.design.compressors import CompressorsDesign
from simulators.design.crew import CrewDesign, Utilisation
from simulators.design.drainage import DrainageDesign
from simulators.design.headings import HeadingsDesign
from simulators.design.power import PowerDesign
from simulators.engine.engine import Engine
from simulators.physics.compressors import Compressors
from simulators.physics.crew import Crew
from simulators.physics.drainage.part import Drainage
from simulators.physics.electricity.part import Electricity
from simulators.physics.headings.part import Headings

START = int(datetime(2026, 5, 3, 16, 0, tzinfo=UTC).timestamp() * 1e6)
ZONE = "Asia/Shanghai"
PLACES = {
    "heading_1": {"category": "roadheader"},
    "bolter_1": {"category": "bolting", "follows": "heading_1"},
    "pump_room_1": {"category": "chamber"},
}
MACHINES = ("pump_1", "pump_2", "pump_3", "compressor_1", "compressor_2", "compressor_3", "roadheader_1", "bolter_1")


class Works:
    """Crew, a heading, pumps, compressors and their electricity, each fed by what the others gave."""

    def __init__(self, seed: int, utilisation: Utilisation, *, measured: bool = True) -> None:
        rng = np.random.default_rng(seed).spawn(5)
        places = CrewDesign.model_validate({"places": PLACES})
        self.crew = Crew(places, utilisation, (), ZONE, START, rng[0])
        self.drainage = Drainage(DrainageDesign(pumps=MACHINES[:3]), START, rng[1])
        self.compressors = Compressors(CompressorsDesign(), START, rng[2])
        heading = {"roadheader": "roadheader_1", "rig": "bolter_1"}
        self.headings = Headings(HeadingsDesign.model_validate({"headings": {"heading_1": heading}}), START, rng[3])
        feeders = {f"feeder_{n}": {} for n in range(4)} | {"feeder_9": {"source": "transformer_1"}}
        at = dict(
            zip(MACHINES, ("feeder_0", "feeder_0", "feeder_1") + ("feeder_2",) * 3 + ("feeder_9",) * 2, strict=True)
        )
        power = {
            "feeders": feeders,
            "transformers": {"transformer_1": {"source": "feeder_3", "kva": 800}},
            "consumers": {name: {"feeder": feeder, "kw": 400} for name, feeder in at.items()},
        }
        self.electricity = Electricity(PowerDesign.model_validate(power), ZONE, START, rng[4])
        parts = [self.crew, self.headings, self.drainage]
        parts += [self.compressors, self.electricity] if measured else []
        self.engine = Engine(parts, self.wire, start_us=START)

    def wire(self, dt: float) -> None:
        crew, heading = self.crew, self.headings.headings[0]
        crew.producing = [heading.producing, heading.rig.producing, True]
        crew.intelligent = [heading.intelligent, heading.rig.intelligent, self.drainage.mode in (2, 3)]
        self.headings.orders["heading_1"] = crew.orders["heading_1"]
        self.headings.rig_orders["heading_1"] = crew.orders["bolter_1"]
        self.drainage.order, self.drainage.period = crew.orders["pump_room_1"], self.electricity.period
        for part in (self.drainage, self.compressors, self.headings):
            self.electricity.consumers.update(part.power_kw)
            part.powered.update((name, self.electricity.powered[name]) for name in part.powered)

    def day(self, days: float = 1.0) -> dict[str, tuple[float, float]]:
        """Each channel at the beginning and at the end; what each equipment produced is summed."""
        ends: dict[str, tuple[float, float]] = {}
        for _ in range(round(days * 48)):
            block = self.engine.run(1800)
            for name in block.columns:
                values = block[name]
                if name.endswith(("!producing", "!intelligent")):
                    both = values * block[f"{name.partition('!')[0]}!producing"]
                    ends[name] = (0.0, ends.get(name, (0.0, 0.0))[1] + float(both.sum()))
                else:
                    ends[name] = (ends.get(name, (float(values[0]),))[0], float(values[-1]))
        return ends


def close(works: Works, days: float) -> None:
    ends = works.day(days)
    grown = {name: last - first for name, (first, last) in ends.items()}
    motors = sum(grown[f"meter_{machine}.energy"] for machine in MACHINES)
    assert motors > 1000
    for machine in MACHINES:
        assert grown[f"meter_{machine}.energy"] == pytest.approx(grown[f"{machine}!kwh"], rel=1e-3, abs=0.2)
    assert grown["meter_incoming.energy"] == pytest.approx(motors + grown["losses!kwh"], rel=1e-9)


def test_meters_count_what_machines_truly_took() -> None:
    close(Works(1, Utilisation()), 1 / 3)


@pytest.mark.proof
def test_energy_closes_over_a_day() -> None:
    close(Works(2, Utilisation()), 1.0)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_month_of_works_is_as_intelligent_as_the_mine_declares() -> None:
    works = Works(3, Utilisation(roadheader=0.52, bolting=0.42, chamber=0.72), measured=False)
    seen = works.day(30)
    for machine, share in (("roadheader_1", 0.52), ("bolter_1", 0.42), ("pump_room_1", 0.72)):
        assert seen[f"{machine}!intelligent"][1] / seen[f"{machine}!producing"][1] == pytest.approx(share, abs=0.005)
