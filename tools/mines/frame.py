"""Where things are: the mine's own plan (u along the main roads, v to their right) and the site's coordinates.

The plan of all three mines: an incline with belt and one for people and materials go down to the shaft bottom; three
main roads lead from there to the district, whose roads turn off to the right; the longwall retreats towards them
between its two gates, the goaf behind it. One heading drives the next panel's belt gate, one prolongs the main belt
road; an older goaf lies on the other side of the district's roads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.mines.description import Mine

Plan = tuple[float, float]
"""(u, v), m."""
Position = list[float]
"""[east, north, up], m: the order of GeoJSON, whatever order the system's own axes have."""

ROAD_M = 40.0
"""Between parallel main roads."""
DIP_ALONG, DIP_ACROSS = 0.010, 0.015
"""How the seam falls with u and v."""


@dataclass(frozen=True)
class Frame:
    """A mine's plan and what it is turned and moved by."""

    mine: Mine

    @property
    def bottom(self) -> float:
        """u of the shaft bottom."""
        return self.mine.incline_m * math.cos(math.radians(self.mine.dip))

    @property
    def district(self) -> float:
        """u of the district's belt road."""
        return self.bottom + self.mine.main_m

    @property
    def belt_gate(self) -> float:
        """v of the face's belt gate."""
        return self.mine.district_m - 40.0 - self.mine.face_m

    @property
    def return_gate(self) -> float:
        return self.mine.district_m - 40.0

    @property
    def face(self) -> float:
        """u of the coal face now."""
        return self.district + self.mine.panel_m - self.mine.advanced_m

    @property
    def set_off(self) -> float:
        """u where the face began."""
        return self.district + self.mine.panel_m

    @property
    def next_gate(self) -> float:
        """v of heading 1: the next panel's belt gate, a pillar of 35 m away."""
        return self.belt_gate - 35.0 - self.mine.face_m

    def level(self, u: float, v: float) -> float:
        """The floor's height above datum: down the incline, then as the seam falls."""
        east = max(0.0, u - self.bottom)
        down = self.mine.lift_m * min(1.0, u / self.bottom) if u > 0 else 0.0
        return self.mine.origin[2] - down - DIP_ALONG * east - DIP_ACROSS * v * min(1.0, max(0.0, u) / self.bottom)

    def at(self, point: Plan, up: float | None = None) -> Position:
        """The site's coordinates; `up` is a height above datum, by default the floor's."""
        u, v = point
        turn = math.radians(self.mine.bearing)
        north = self.mine.origin[0] + u * math.cos(turn) - v * math.sin(turn)
        east = self.mine.origin[1] + u * math.sin(turn) + v * math.cos(turn)
        return [round(east, 2), round(north, 2), round(self.level(u, v) if up is None else up, 2)]

    def roads(self) -> dict[str, tuple[str, str, str, str, float, list[Plan]]]:
        """Road → (zh, en, function, area, width, line), each in the way the air goes."""
        mine, b, d, face = self.mine, self.bottom, self.district, self.face
        end = d + 60
        h1, h2 = mine.heading_m
        return {
            "main_incline": ("主斜井", "Main incline", "belt", "main_incline", 4.8, [(0, 0), (b, 0)]),
            "auxiliary_incline": ("副斜井", "Auxiliary incline", "intake", "auxiliary_incline", 5.0,
                                  [(0, ROAD_M), (b, ROAD_M)]),
            "main_belt_road": ("胶带运输大巷", "Main belt road", "belt", "main_belt_road", 5.0, [(b, 0), (end, 0)]),
            "main_track_road": ("辅助运输大巷", "Main transport road", "intake", "main_track_road", 5.0,
                                [(b, ROAD_M), (end, ROAD_M)]),
            "main_return_road": ("总回风大巷", "Main return road", "return", "main_return_road", 5.4,
                                 [(d + 40, -ROAD_M), (b + 120, -ROAD_M)]),
            "shaft_bottom_road": ("井底车场", "Shaft bottom", "intake", "shaft_bottom", 5.0,
                                  [(b, ROAD_M), (b + 30, ROAD_M + 50), (b + 160, ROAD_M + 50), (b + 190, ROAD_M)]),
            "district_belt_road": (f"{mine.district}胶带巷", "District belt road", "belt", "district_belt_road", 4.8,
                                   [(d, 0), (d, self.return_gate)]),
            "district_track_road": (f"{mine.district}轨道巷", "District transport road", "intake", "district_1", 4.6,
                                    [(d - ROAD_M, ROAD_M), (d - ROAD_M, self.return_gate)]),
            "district_return_road": (f"{mine.district}回风巷", "District return road", "return", "district_return_road",
                                     4.8, [(d + ROAD_M, self.return_gate), (d + ROAD_M, -ROAD_M)]),
            "gate_belt_1": (f"{mine.face}运输顺槽", f"Belt gate {mine.face}", "intake", "gate_belt_1", 5.2,
                            [(d, self.belt_gate), (face, self.belt_gate)]),
            "face_line_1": (f"{mine.face}开采工作面", f"Face {mine.face}", "face", "face_1", 6.0,
                            [(face, self.belt_gate), (face, self.return_gate)]),
            "gate_return_1": (f"{mine.face}回风顺槽", f"Return gate {mine.face}", "return", "gate_return_1", 4.8,
                              [(face, self.return_gate), (d + ROAD_M, self.return_gate)]),
            "heading_road_1": (mine.headings[0], "Heading 1", "heading", "heading_1", 5.2,
                               [(d, self.next_gate), (d + h1, self.next_gate)]),
            "heading_road_2": (mine.headings[1], "Heading 2", "heading", "heading_2", 5.0, [(end, 0), (end + h2, 0)]),
            "pump_road": ("水泵房通道", "Pump room road", "intake", "pump_chamber", 4.0,
                          [(b + 30, ROAD_M + 50), (b + 30, ROAD_M + 110)]),
            "substation_road": ("变电所通道", "Substation road", "intake", "central_substation", 4.0,
                                [(b + 160, ROAD_M + 50), (b + 160, ROAD_M + 110)]),
        }  # fmt: skip

    def along(self, area: str) -> tuple[Plan, Plan]:
        """A line along which what stands in an area is laid out."""
        mine, b, d, face = self.mine, self.bottom, self.district, self.face
        h1, h2 = mine.heading_m
        lines: dict[str, tuple[Plan, Plan]] = {
            "surface": ((-60, -40), (-60, 120)),
            "fan_house": ((b + 60, -150), (b + 120, -150)),
            "compressor_house": ((-110, 60), (-110, 120)),
            "surface_substation": ((-150, -60), (-150, 60)),
            "main_incline": ((0, 0), (b, 0)),
            "auxiliary_incline": ((0, ROAD_M), (b, ROAD_M)),
            "return_shaft": ((b + 90, -60), (b + 90, -90)),
            "shaft_bottom": ((b + 30, ROAD_M + 50), (b + 160, ROAD_M + 50)),
            "main_belt_road": ((b, 0), (d, 0)),
            "main_track_road": ((b, ROAD_M), (d, ROAD_M)),
            "main_return_road": ((d, -ROAD_M), (b + 120, -ROAD_M)),
            "pump_chamber": ((b + 10, ROAD_M + 110), (b + 60, ROAD_M + 110)),
            "central_substation": ((b + 120, ROAD_M + 110), (b + 200, ROAD_M + 110)),
            "district_1": ((d - ROAD_M, 80), (d - ROAD_M, self.return_gate)),
            "district_substation": ((d - 75, 120), (d - 75, 200)),
            "district_belt_road": ((d, 20), (d, self.return_gate)),
            "district_return_road": ((d + ROAD_M, self.return_gate), (d + ROAD_M, 0)),
            "face_1": ((face, self.belt_gate), (face, self.return_gate)),
            "gate_belt_1": ((face - 180, self.belt_gate), (face - 10, self.belt_gate)),
            "gate_return_1": ((face - 10, self.return_gate), (d + ROAD_M, self.return_gate)),
            "heading_1": ((d + 20, self.next_gate), (d + h1, self.next_gate)),
            "heading_2": ((d + 80, 0), (d + 60 + h2, 0)),
        }
        return lines.get(area, ((0, 0), (0, 0)))
