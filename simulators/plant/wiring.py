"""What flows from part to part of a mine: orders, coal, power, air. Each method is one joint; the order in which
they and the parts step makes that coal is never in two places, nor in none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from simulators.design.mine import MineDesign
from simulators.engine.part import Part
from simulators.physics.air.ventilation import Ventilation
from simulators.physics.belts import Belts
from simulators.physics.electricity.part import Electricity
from simulators.physics.order import Order
from simulators.physics.people import People
from simulators.physics.sensing.gas_lock import LIVE
from simulators.physics.sensing.sensors import Sensors
from simulators.plant.joint import Joint
from simulators.plant.parts import Parts

AUTOMATIC = Order(produce=True, intelligent=True, mode=3)
"""What a place is run by that the crew does not know."""


class Wiring:
    """`parts` in the order of a step, with the joints between them, is `sequence`."""

    def __init__(self, parts: Parts, design: MineDesign) -> None:
        self.parts, self.design = parts, design
        self._onto = design.loads_onto()
        self._feeds: dict[str, int] = {}
        if parts.belts is not None:
            self._feeds = {source: parts.belts.index[belt] for source, belt in self._onto.items()}
        self._live: Mapping[str, bool] = {}
        self._rigs = {place.follows: name for name, place in design.crew.places.items() if place.category == "bolting"}
        self._belt_place = next(design.places("belt"), "")
        self._collect_power()
        self.sequence = self._sequence()

    def _sequence(self) -> list[Part]:
        parts = self.parts
        steps: list[Part | Callable[[], None] | None] = [
            self.report_to_crew,
            parts.crew,
            self.give_power,
            self.order_face_and_headings,
            *parts.longwalls,
            parts.headings,
            partial(self.load_belts, parts.belts) if parts.belts else None,
            parts.belts,
            self.order_chambers,
            parts.drainage,
            parts.compressors,
            parts.chambers,
            partial(self.place_people, parts.people) if parts.people else None,
            parts.people,
            parts.network,
            partial(self.stir_air, parts.ventilation) if parts.ventilation else None,
            parts.ventilation,
            partial(self.feed_sensors, parts.sensors) if parts.sensors else None,
            parts.sensors,
            parts.gas_lock,
            partial(self.draw_power, parts.electricity) if parts.electricity else None,
            parts.electricity,
        ]
        return [step if isinstance(step, Part) else Joint(step) for step in steps if step is not None]

    def _order(self, place: str) -> Order:
        return self.parts.crew.orders.get(place, AUTOMATIC)

    def report_to_crew(self) -> None:
        """What the places truly did in the step before, so that habits keep their share."""
        parts, crew = self.parts, self.parts.crew
        for face in parts.longwalls:
            self._report(face.design.id, face.producing, face.intelligent)
        if parts.headings is not None:
            for name, heading in zip(parts.headings.names, parts.headings.headings, strict=True):
                self._report(name, heading.producing, heading.intelligent)
                self._report(self._rigs.get(name, ""), heading.rig.producing, heading.rig.intelligent)
        if parts.belts is not None:
            moving, central = parts.belts.producing, parts.belts.intelligent
            self._report(self._belt_place, bool(moving.any()), bool((central >= moving).all()))
        if parts.chambers is not None:
            for name in parts.chambers.names:
                if name in crew.index:
                    self._report(name, True, parts.chambers.intelligent[name])

    def _report(self, place: str, producing: bool, intelligent: bool) -> None:
        crew = self.parts.crew
        if place in crew.index:
            number = crew.index[place]
            crew.producing[number], crew.intelligent[number] = producing, intelligent

    def _collect_power(self) -> None:
        parts = self.parts
        several = [*parts.longwalls, parts.headings, parts.drainage, parts.compressors, parts.ventilation]
        self._powered = [part.powered for part in several if part is not None]
        self._taken = [part.power_kw for part in several if part is not None]

    def give_power(self) -> None:
        """A machine is live when its feeder is closed and no lock holds its range."""
        parts = self.parts
        fed = parts.electricity.powered if parts.electricity else {}
        allowed = parts.gas_lock.allowed if parts.gas_lock else {}
        live = {**allowed, **{name: on and allowed.get(name, True) for name, on in fed.items()}}
        if live == self._live:
            return
        self._live = live
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

    def order_face_and_headings(self) -> None:
        parts = self.parts
        ready = parts.belts.ready.tolist() if parts.belts else None
        for face in parts.longwalls:
            face.order = self._order(face.design.id)
            face.transport_ready = self._ready(face.design.id, ready)
        if parts.headings is not None:
            for name in parts.headings.names:
                parts.headings.orders[name] = self._order(name)
                parts.headings.rig_orders[name] = self._order(self._rigs.get(name, name))
                parts.headings.transport_ready[name] = self._ready(name, ready)
        if parts.belts is not None:
            order = self._order(self._belt_place)
            parts.belts.run, parts.belts.by_hand = order.produce, not order.intelligent
            parts.belts.shift = parts.crew.shift

    def _ready(self, source: str, ready: list[bool] | None) -> bool:
        return ready is None or source not in self._feeds or ready[self._feeds[source]]

    def load_belts(self, belts: Belts) -> None:
        """What left faces and headings in this step falls on their belts in this step."""
        parts = self.parts
        for number in self._feeds.values():
            belts.feed[number] = 0.0
        for face in parts.longwalls:
            if face.design.id in self._feeds:
                belts.feed[self._feeds[face.design.id]] += face.coal_t_per_h
        if parts.headings is not None:
            for name, t_per_h in parts.headings.coal_t_per_h.items():
                if name in self._feeds:
                    belts.feed[self._feeds[name]] += t_per_h

    def order_chambers(self) -> None:
        parts = self.parts
        period = parts.electricity.period if parts.electricity else None
        if parts.chambers is not None:
            for name in parts.chambers.names:
                parts.chambers.orders[name] = self._order(name)
        if parts.drainage is not None:
            room = parts.drainage.design.room
            parts.drainage.order = self._order(room)
            if parts.chambers is not None and room in parts.chambers.attended:
                parts.drainage.attended = parts.chambers.attended[room]
                parts.chambers.heat[room] = min(1.0, sum(parts.drainage.power_kw.values()) / 1000.0)
            if period is not None:
                parts.drainage.period = period

    def place_people(self, people: People) -> None:
        """Who is where follows from what is planned there."""
        parts = self.parts
        people.planned = dict(zip(parts.crew.names, parts.crew.planned, strict=True))
        if parts.chambers is not None:
            people.inside = parts.chambers.persons
        if parts.network is not None:
            parts.network.persons = float(people.underground)

    def stir_air(self, air: Ventilation) -> None:
        """Coal that is won frees gas where it is won, coal that is carried on the road where it lies."""
        parts = self.parts
        cut = {face.design.id: face.cut_t_per_h for face in parts.longwalls}
        if parts.headings is not None:
            cut |= parts.headings.coal_t_per_h
        roads = self.design.flows.roads
        for number, working in enumerate(air.workings):
            if working in cut:
                air.coal_t_per_h[number] = cut[working]
            elif working in roads and parts.belts is not None:
                air.coal_t_per_h[number] = parts.belts.flow_t_per_h[parts.belts.index[roads[working]]]
        faces = {face.design.id: face for face in parts.longwalls}
        for number, name in enumerate(air.design.faces):
            if name in faces:
                air.weighting[number] = faces[name].weighting
        if parts.gas_lock is not None:
            for number, name in enumerate(air.design.headings):
                locked = parts.gas_lock.ranges.get(name)
                if locked is not None:
                    air.wind_locked[number] = locked.windless
                    air.gas_locked[number] = locked.state != LIVE and not locked.windless

    def feed_sensors(self, sensors: Sensors) -> None:
        """What sensors measure that is neither air nor the lock's."""
        chambers = self.parts.chambers
        if chambers is None:
            return
        for name, number in sensors.source_index.items():
            room, _, what = name.partition(".")
            if what == "door" and room in chambers.door_open:
                sensors.given[number] = chambers.door_open[room]
            elif what == "persons" and room in chambers.persons:
                sensors.given[number] = chambers.persons[room]

    def draw_power(self, electricity: Electricity) -> None:
        """Each consumer's meter sees what its machine takes."""
        parts = self.parts
        consumers = electricity.consumers
        for taken in self._taken:
            for name, kw in taken.items():
                if name in consumers:
                    consumers[name] = kw
        if parts.belts is not None:
            for name, number in parts.belts.index.items():
                if name in consumers:
                    consumers[name] = parts.belts.power_kw[number]
