"""From a design to cells: which airways there are, what flows where, and what gives off what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.design.air import AirOfPlace, VentilationDesign
from simulators.physics.air.airways import CARRIED, CELL_M, Airways, Cell
from simulators.physics.air.forecast import face_gas, heading_gas

ROW = {name: n for n, name in enumerate(CARRIED)}
PERCENT, PPM = 100.0, 1e6
K_PER_KW = 50.0
"""K·m³/min for each kW: air takes 1.2 kJ/(m³·K)."""
FRESH_WALL = 0.6
"""The part of a heading's wall gas that comes from its newest wall, before the duct's end."""
GOAF_AT_START = 0.6
"""The part of a goaf's gas that joins at the return's start; the rest leaks along the face."""
MAIN_RETURN_M_PER_S = 6.8
SURFACE = -1


class Layout:
    """`places` place → the cell whose air a sensor there meets; `branches` → driver number; `workings` (faces,
    headings, roads, in this order) give off by the coal that they win or carry, `goafs` by the barometer."""

    def __init__(self, design: VentilationDesign, dt_max: float) -> None:
        """`dt_max`: the longest step of the air, s. Raises ValueError where a place is too small for it."""
        self.design = design
        self.cells: list[Cell] = []
        self.entry: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.air_of: dict[int, AirOfPlace] = {}
        self.corners: list[int] = []
        names = (*design.faces, *design.headings, *design.roads, *design.chambers, *design.districts)
        self.branches = {name: 1 + n for n, name in enumerate(names)}
        self.workings = (*design.faces, *design.headings, *design.roads)
        self.goafs = (*design.faces, *design.districts)
        self.cut = {name: f"{name}.face" for name in (*design.faces, *design.headings)}
        """Working → the place where its coal is won."""
        self._build()
        self.airways = Airways(self.cells, dt_max)
        shape = (len(CARRIED), len(self.cells))
        self.constant = np.zeros(shape)
        """What comes without work, [CARRIED, cells], unit·m³/min."""
        self.by_coal = np.zeros((len(self.workings), *shape))
        """For each t/h of a working."""
        self.by_goaf = np.zeros((len(self.goafs), *shape))
        """From each goaf at its normal emission."""
        self._emissions()
        temperature = [self.air_of[n].temperature_c for n in range(len(self.cells))]
        humidity = [self.air_of[n].humidity for n in range(len(self.cells))]
        self.temperature: NDArray[np.float64] = np.array(temperature)
        self.humidity: NDArray[np.float64] = np.array(humidity)

    def _chain(
        self,
        place: str,
        joins: str,
        length: float,
        section: float,
        air: float,
        branch: str,
        of: AirOfPlace,
        most: int = 4,
    ) -> None:
        """`most` cells: the more, the sharper a change still is at the end."""
        count = min(most, max(1, round(length / CELL_M)))
        driver = self.branches.get(branch, 0)
        first = len(self.cells)
        for n in range(count):
            onto = first + n + 1 if n + 1 < count else (self.entry[joins] if joins else SURFACE)
            self.air_of[len(self.cells)] = of
            self.cells.append(Cell(place, length / count * section, section, air, driver, onto))
        self.entry[place] = first
        self.places[place] = len(self.cells) - 1

    def _build(self) -> None:
        """Down-wind first, so that what something joins is there already."""
        design = self.design
        plain = AirOfPlace(temperature_c=21.0, humidity=88.0)
        total = 60.0 * design.main_fans.air_m3_per_s
        section = design.main_return_section_m2 or max(8.0, design.main_fans.air_m3_per_s / MAIN_RETURN_M_PER_S)
        self._chain("main_return", "", design.main_return_m, section, total, "", plain)
        for name, district in design.districts.items():
            theirs = [place for place in (*design.faces.values(), *design.headings.values()) if place.district == name]
            air = district.air_m3_per_min + sum(place.air_m3_per_min for place in theirs)
            self._chain(f"{name}.return", "main_return", district.length_m, district.section_m2, air, name, district, 6)
        for name, face in design.faces.items():
            air, gate, section = face.air_m3_per_min, face.gate_m, face.gate_section_m2
            self._chain(f"{name}.return", f"{face.district}.return", gate, section, air, name, face, 8)
            self.places[f"{name}.return_start"] = self.entry[f"{name}.return"]
            # The checked example takes the whole face as one volume.
            self._chain(f"{name}.face", f"{name}.return", CELL_M, face.section_m2, air, name, face)
            last = self.cells.pop()
            volume = face.length_m * face.section_m2
            self.cells.append(Cell(last.place, volume, last.section, last.air, last.driver, last.joins))
            self._chain(f"{name}.intake", f"{name}.face", gate, section, air, name, face)
            self.places[f"{name}.corner"] = len(self.cells)
            self.corners.append(len(self.cells))
            self.air_of[len(self.cells)] = face
            self.cells.append(Cell(f"{name}.corner", 0.0, face.section_m2, 0.0, last.driver, SURFACE))
        for name, heading in design.headings.items():
            air, section = heading.air_m3_per_min, heading.section_m2
            joins, rest = f"{heading.district}.return", heading.length_m - heading.face_m
            self._chain(f"{name}.return", joins, max(CELL_M, rest), section, air, name, heading, 5)
            self._chain(f"{name}.face", f"{name}.return", heading.face_m, section, air, name, heading)
        waiting = dict(design.roads)
        while waiting:
            ready = [name for name, road in waiting.items() if road.joins in self.entry]
            if not ready:
                name, road = next(iter(waiting.items()))
                raise ValueError(f"roads.{name}.joins: 没有地点 '{road.joins}' · there is no such place")
            for name in ready:
                road = waiting.pop(name)
                self._chain(name, road.joins, road.length_m, road.section_m2, road.air_m3_per_min, name, road)
        for name, chamber in design.chambers.items():
            if chamber.joins not in self.entry:
                raise ValueError(f"chambers.{name}.joins: 没有地点 '{chamber.joins}' · there is no such place")
            length = chamber.volume_m3 / chamber.section_m2
            self._chain(name, chamber.joins, length, chamber.section_m2, chamber.air_m3_per_min, name, chamber)

    def _spread(self, into: NDArray[np.float64], place: str, what: str, amount: float) -> None:
        """An amount over all cells of a place."""
        cells = slice(self.entry[place], self.places[place] + 1)
        into[ROW[what], cells] += amount / (self.places[place] + 1 - self.entry[place])

    def add_gas(self, into: NDArray[np.float64], cell: int, m3_per_min: float) -> None:
        """Methane, and the oxygen that it displaces."""
        into[ROW["ch4"], cell] += PERCENT * m3_per_min
        into[ROW["oxygen"], cell] += 21.0 * m3_per_min

    def add_fire(self, into: NDArray[np.float64], cell: int, megawatt: float) -> None:
        """A burning belt: 13.1 MJ for each kg of oxygen, as much carbon dioxide, 6 % of it monoxide; 4 g/s of soot a
        MW at 7.6 m²/g; a quarter of its heat reaches the air (usual figures of fire engineering)."""
        oxygen = 3.2 * megawatt
        into[ROW["oxygen"], cell] += PERCENT * oxygen
        into[ROW["co2"], cell] += PERCENT * 0.94 * oxygen
        into[ROW["co"], cell] += PPM * 0.06 * oxygen
        into[ROW["smoke"], cell] += 100.0 * 7.6 * 240.0 * megawatt
        into[ROW["heat"], cell] += 250.0 * K_PER_KW * megawatt

    def _emissions(self) -> None:
        design, constant = self.design, self.constant
        for cell in range(len(self.cells)):
            of, at = self.air_of[cell], self.cells[cell]
            share = at.air / max(1, sum(other.place == at.place for other in self.cells))
            constant[ROW["co"], cell] += of.co_ppm * share
            constant[ROW["co2"], cell] += of.co2_percent * share
            constant[ROW["oxygen"], cell] += 1.2 * of.co2_percent * share
        self._spread(constant, "main_return", "ch4", PERCENT * design.main_return_gas_m3_per_min)
        for name, face in design.faces.items():
            for part in ("intake", "return"):
                self._spread(constant, f"{name}.{part}", "ch4", PERCENT * face.gate_m3_per_min)
            ribs, of_goaf, per_t = face_gas(face)
            self.add_gas(constant, self.places[f"{name}.face"], ribs)
            self._coal(name, per_t, face.dust_mg_per_min, face.heat_kw_per_t_h)
            goaf = self.by_goaf[self.goafs.index(name)]
            for place, part in ((f"{name}.return_start", GOAF_AT_START), (f"{name}.face", 1.0 - GOAF_AT_START)):
                gas = part * of_goaf
                self.add_gas(goaf, self.places[place], gas)
                goaf[ROW["co2"], self.places[place]] += 0.3 * PERCENT * gas
                goaf[ROW["oxygen"], self.places[place]] += 0.5 * PERCENT * gas
                goaf[ROW["co"], self.places[place]] += 0.0008 * PPM * gas
        for name, district in design.districts.items():
            goaf = self.by_goaf[self.goafs.index(name)]
            self._spread(goaf, f"{name}.return", "ch4", PERCENT * district.goaf_m3_per_min)
        for name, heading in design.headings.items():
            ribs, per_t = heading_gas(heading)
            self.add_gas(constant, self.places[f"{name}.face"], FRESH_WALL * ribs)
            self._spread(constant, f"{name}.return", "ch4", PERCENT * (1.0 - FRESH_WALL) * ribs)
            self._coal(name, per_t, heading.dust_mg_per_min, heading.heat_kw_per_t_h)
        for name, road in design.roads.items():
            self._spread(constant, name, "ch4", PERCENT * road.gas_m3_per_min)
            coal = self.by_coal[self.workings.index(name)]
            self._spread(coal, name, "ch4", PERCENT * road.gas_m3_per_t / 60.0)
            self._spread(coal, name, "dust", road.dust_mg_per_min)
        for name, chamber in design.chambers.items():
            self._spread(constant, name, "ch4", PERCENT * chamber.gas_m3_per_min)
            self._spread(constant, name, "heat", K_PER_KW * chamber.heat_kw)

    def _coal(self, name: str, gas_m3_per_t: float, dust: float, heat: float) -> None:
        """What comes with each t/h that a face or a heading wins."""
        into, cell = self.by_coal[self.workings.index(name)], self.places[self.cut[name]]
        self.add_gas(into, cell, gas_m3_per_t / 60.0)
        into[ROW["dust"], cell] += dust
        into[ROW["heat"], cell] += K_PER_KW * heat
        into[ROW["moisture"], cell] += 9.0
        into[ROW["co"], cell] += PPM * 2e-6
