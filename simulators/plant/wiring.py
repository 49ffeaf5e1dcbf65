"""What flows from part to part of a mine: orders, coal, power, air. Each method is one joint; the order in which
they and the parts step makes that coal is never in two places, nor in none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np

from simulators.design.mine import MineDesign
from simulators.engine.part import Part
from simulators.physics.air.ventilation import AIR_S, Ventilation
from simulators.physics.belts import Belts
from simulators.physics.electricity.part import Electricity
from simulators.physics.order import Order
from simulators.physics.people import People
from simulators.physics.sensing.sensors import Sensors
from simulators.plant.joint import Joint
from simulators.plant.parts import PERIODS_S, Parts

HOT_KW = 1000.0
"""Power of its machines that makes a pump chamber as warm as it gets."""
BREATHED = ("ch4", "co", "dust", "temperature")
"""What roadheaders and rigs measure of the air where they work, as `Headings.air`."""
AUTOMATIC = Order(produce=True, intelligent=True, mode=3)
"""What a place is run by that the crew does not know."""


class Worker(Protocol):
    """Something that the crew works with."""

    @property
    def producing(self) -> bool: ...
    @property
    def intelligent(self) -> bool: ...


class Wiring:
    """`parts` in the order of a step, with the joints between them, is `sequence`."""

    def __init__(self, parts: Parts, design: MineDesign) -> None:
        self.parts, self.design = parts, design
        self._onto = design.loads_onto()
        self._feeds: dict[str, int] = {}
        if parts.belts is not None:
            self._feeds = {source: parts.belts.index[belt] for source, belt in self._onto.items()}
        self._rigs = {place.follows: name for name, place in design.crew.places.items() if place.category == "bolting"}
        self._belt_place = next(design.places("belt"), "")
        self._collect_workers()
        self._collect_coal()
        self._collect_power()
        self._collect_air()
        self._collect_contacts()
        self._obeyed = self._readied = self._contacted = -1
        self._powered_by = (-1, -1)
        self.sequence = self._sequence()

    def _sequence(self) -> list[Part]:
        parts = self.parts
        steps: list[Part | Joint | None] = [
            Joint(self.report_to_crew, PERIODS_S["crew"]),
            parts.crew,
            Joint(self.give_power),
            Joint(self.order_all),
            *parts.longwalls,
            parts.headings,
            Joint(partial(self.load_belts, parts.belts)) if parts.belts else None,
            parts.belts,
            Joint(self.run_chambers, PERIODS_S["chambers"]),
            parts.drainage,
            parts.compressors,
            parts.chambers,
            Joint(partial(self.place_people, parts.people), PERIODS_S["people"]) if parts.people else None,
            parts.people,
            parts.network,
            Joint(partial(self.stir_air, parts.ventilation), AIR_S) if parts.ventilation else None,
            parts.ventilation,
            Joint(partial(self.feed_sensors, parts.sensors)) if parts.sensors else None,
            parts.sensors,
            parts.gas_lock,
            Joint(partial(self.draw_power, parts.electricity)) if parts.electricity else None,
            parts.electricity,
        ]
        return [step for step in steps if step is not None]

    def _order(self, place: str) -> Order:
        return self.parts.crew.orders.get(place, AUTOMATIC)

    def report_to_crew(self) -> None:
        """What the places truly did in the step before, so that habits keep their share."""
        crew, belts, chambers = self.parts.crew, self.parts.belts, self.parts.chambers
        producing, intelligent = crew.producing, crew.intelligent
        for number, worker in self._workers:
            producing[number], intelligent[number] = worker.producing, worker.intelligent
        if belts is not None and self._belt_number is not None:
            producing[self._belt_number], intelligent[self._belt_number] = belts.moving, belts.central
        if chambers is not None:
            for number, name in self._rooms:
                producing[number], intelligent[number] = True, chambers.intelligent[name]

    def _collect_workers(self) -> None:
        """Crew's place → what works there, and what of it has a part of its own."""
        parts, index = self.parts, self.parts.crew.index
        self._workers: list[tuple[int, Worker]] = [
            (index[face.design.id], face) for face in parts.longwalls if face.design.id in index
        ]
        if parts.headings is not None:
            for name, heading in zip(parts.headings.names, parts.headings.headings, strict=True):
                pairs: tuple[tuple[str, Worker], ...] = ((name, heading), (self._rigs.get(name, ""), heading.rig))
                self._workers += [(index[place], worker) for place, worker in pairs if place in index]
        self._belt_number = index.get(self._belt_place)
        self._rooms = [(index[name], name) for name in parts.chambers.names if name in index] if parts.chambers else []

    def _collect_coal(self) -> None:
        """What falls onto which belt."""
        parts, feeds = self.parts, self._feeds
        headings = zip(parts.headings.names, parts.headings.headings, strict=True) if parts.headings else ()
        self._faces_onto = [(feeds[face.design.id], face) for face in parts.longwalls if face.design.id in feeds]
        self._headings_onto = [(feeds[name], heading) for name, heading in headings if name in feeds]
        self._fed_belts = tuple(feeds.values())

    def _collect_power(self) -> None:
        parts = self.parts
        several = [*parts.longwalls, parts.headings, parts.drainage, parts.compressors, parts.ventilation]
        self._powered = [part.powered for part in several if part is not None]
        metered = parts.electricity.consumers if parts.electricity else {}
        taken = [part.power_kw for part in several if part is not None]
        belts = parts.belts.index if parts.belts else {}
        self._belts_metered = [(name, number) for name, number in belts.items() if name in metered]
        self._all_metered = [kw for kw in taken if kw.keys() <= metered.keys()]
        """What machines take, by name, where each has a meter; of others, with the names of those that have one."""
        self._some_metered = [
            (kw, [name for name in kw if name in metered]) for kw in taken if not kw.keys() <= metered.keys()
        ]

    def give_power(self) -> None:
        """A machine is live when its feeder is closed and no lock holds its range."""
        parts = self.parts
        fed = parts.electricity.powered if parts.electricity else {}
        if parts.belts is not None and parts.electricity is not None:
            parts.belts.supply = parts.electricity.supply
        allowed = parts.gas_lock.allowed if parts.gas_lock else {}
        by = (
            parts.electricity.changes if parts.electricity else 0,
            parts.gas_lock.changes if parts.gas_lock else 0,
        )
        if by == self._powered_by:
            return
        self._powered_by = by
        live = {**allowed, **{name: on and allowed.get(name, True) for name, on in fed.items()}}
        for powered in self._powered:
            for name in powered:
                powered[name] = live.get(name, True)
        if parts.belts is not None:
            for name, number in parts.belts.index.items():
                parts.belts.powered[number] = live.get(name, True)
        for face in parts.longwalls:
            face.power_allowed = allowed.get(face.design.shearer.id, True)
        if parts.headings is not None:
            for name, one in parts.headings.design.headings.items():
                parts.headings.power_allowed[name] = allowed.get(one.roadheader, True)
        if parts.gas_lock is not None and parts.electricity is not None:
            for name, of_range in parts.gas_lock.design.ranges.items():
                parts.gas_lock.powered[name] = any(fed.get(machine, True) for machine in of_range.equipment)

    def order_all(self) -> None:
        """Orders of the crew and whether coal may come, when either has changed."""
        parts = self.parts
        if parts.crew.changes != self._obeyed:
            self._obeyed = parts.crew.changes
            self._pass_orders()
        if parts.belts is not None and parts.belts.changes != self._readied:
            self._readied = parts.belts.changes
            ready = parts.belts.ready.tolist()
            for face in parts.longwalls:
                face.transport_ready = self._ready(face.design.id, ready)
            if parts.headings is not None:
                for name in parts.headings.names:
                    parts.headings.transport_ready[name] = self._ready(name, ready)

    def _pass_orders(self) -> None:
        parts = self.parts
        for face in parts.longwalls:
            face.order = self._order(face.design.id)
        if parts.headings is not None:
            for name in parts.headings.names:
                parts.headings.orders[name] = self._order(name)
                parts.headings.rig_orders[name] = self._order(self._rigs.get(name, name))
        if parts.belts is not None:
            order = self._order(self._belt_place)
            parts.belts.run, parts.belts.by_hand = order.produce, not order.intelligent
            parts.belts.inspection = order.inspection
            parts.belts.shift = parts.crew.shift
        if parts.chambers is not None:
            for name in parts.chambers.names:
                parts.chambers.orders[name] = self._order(name)
        if parts.drainage is not None:
            parts.drainage.order = self._order(parts.drainage.design.room)
        if parts.people is not None:
            parts.people.planned = dict(zip(parts.crew.names, parts.crew.planned, strict=True))

    def _ready(self, source: str, ready: list[bool]) -> bool:
        return source not in self._feeds or ready[self._feeds[source]]

    def load_belts(self, belts: Belts) -> None:
        """What left faces and headings in this step falls on their belts in this step."""
        falling = dict.fromkeys(self._fed_belts, 0.0)
        for number, face in self._faces_onto:
            falling[number] += face.coal_t_per_h
        for number, heading in self._headings_onto:
            falling[number] += heading.t_per_h
        for number, t_per_h in falling.items():
            belts.feed[number] = t_per_h

    def run_chambers(self) -> None:
        """Who is in a chamber, and how warm its machines make it."""
        drainage, chambers, electricity = self.parts.drainage, self.parts.chambers, self.parts.electricity
        if drainage is None:
            return
        room = drainage.design.room
        if chambers is not None and room in chambers.attended:
            drainage.attended = chambers.attended[room]
            chambers.heat[room] = min(1.0, sum(drainage.power_kw.values()) / HOT_KW)
        if electricity is not None:
            drainage.period = electricity.period

    def place_people(self, people: People) -> None:
        """How many there are loads the network."""
        if self.parts.network is not None:
            self.parts.network.persons = float(people.underground)

    def stir_air(self, air: Ventilation) -> None:
        """Coal that is won frees gas where it is won, coal that is carried on the road where it lies."""
        parts = self.parts
        coal, weighting = air.coal_t_per_h, air.weighting
        for number, of_face, face in self._faces_in_air:
            coal[number] = face.cut_t_per_h
            weighting[of_face] = face.weighting
        if parts.headings is not None:
            for number, _, heading in self._headings_in_air:
                coal[number] = heading.t_per_h
            at, scales = self._breathed
            values = self._values_of_air.take(at).tolist()
            for (_, name, _), of_air, scale in zip(self._headings_in_air, values, scales, strict=True):
                # So few that plain numbers are quicker than columns.
                parts.headings.air[name] = [
                    value * gain + offset for value, (gain, offset) in zip(of_air, scale, strict=True)
                ]
        if parts.belts is not None and self._roads_in_air:
            flows = parts.belts.flow_t_per_h.tolist()
            for road, belt in self._roads_in_air:
                coal[road] = flows[belt]

    def _collect_air(self) -> None:
        """Where in the ventilation the faces, headings and belts are."""
        parts, air, roads = self.parts, self.parts.ventilation, self.design.flows.roads
        if air is None:
            return
        at = {working: number for number, working in enumerate(air.workings)}
        of_face = {name: number for number, name in enumerate(air.design.faces)}
        self._faces_in_air = [
            (at[face.design.id], of_face[face.design.id], face) for face in parts.longwalls if face.design.id in of_face
        ]
        headings = zip(parts.headings.names, parts.headings.headings, strict=True) if parts.headings else ()
        self._headings_in_air = [(at[name], name, heading) for name, heading in headings if name in at]
        readings = [
            [air.reading(f"{name}.face", quantity) for quantity in BREATHED] for _, name, _ in self._headings_in_air
        ]
        self._values_of_air = air.values.reshape(-1)
        found = np.array(readings, float).reshape(-1, len(BREATHED), 3)
        self._breathed = found[..., 0].astype(np.intp), found[..., 1:].tolist()
        belts = parts.belts.index if parts.belts else {}
        self._roads_in_air = [(at[road], belts[belt]) for road, belt in roads.items() if belts]

    def feed_sensors(self, sensors: Sensors) -> None:
        """What sensors measure that is neither air nor the lock's: doors and people of the chambers."""
        chambers = self.parts.chambers
        if chambers is not None and chambers.changes != self._contacted:
            self._contacted = chambers.changes
            for number, values, room in self._contacts:
                sensors.given[number] = values[room]

    def _collect_contacts(self) -> None:
        """Who sits in a chamber is known to it, also to those who count the people."""
        self._contacts: list[tuple[int, Mapping[str, float], str]] = []
        chambers, sensors = self.parts.chambers, self.parts.sensors
        if chambers is not None and self.parts.people is not None:
            self.parts.people.inside = chambers.persons
        if chambers is None or sensors is None:
            return
        told: Mapping[str, Mapping[str, float]] = {"door": chambers.door_open, "persons": chambers.persons}
        for name, number in sensors.source_index.items():
            room, _, what = name.partition(".")
            if room in told.get(what, {}):
                self._contacts.append((number, told[what], room))

    def draw_power(self, electricity: Electricity) -> None:
        """Each consumer's meter sees what its machine takes."""
        consumers, belts = electricity.consumers, self.parts.belts
        for taken in self._all_metered:
            consumers.update(taken)
        for taken, metered in self._some_metered:
            for name in metered:
                consumers[name] = taken[name]
        if belts is not None:
            power_kw = belts.power_kw.tolist()
            for name, number in self._belts_metered:
                consumers[name] = power_kw[number]
