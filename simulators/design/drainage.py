"""The main pump room: the section `drainage`.

    drainage: {room: pump_room_1, pumps: [pump_1, pump_2, pump_3, pump_4, pump_5], inflow: 180}

Proportions after domain facts §5.7: working pumps drain 24 h of normal inflow in 20 h, the sump holds 8 h of it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Id, NotNegative, Positive, Strict


class DrainageDesign(Strict):
    """Flows in m³/h, heads and levels in m, area in m², power in kW. A pump: H = shut_off_head − pump_drop·q²."""

    room: Id = "pump_room_1"
    pumps: tuple[Id, ...] = Field(
        default=("pump_1", "pump_2", "pump_3", "pump_4", "pump_5"), min_length=1, max_length=12
    )
    in_repair: tuple[Id, ...] = ()
    """Pumps that are under repair and do not start."""
    sump_area: Positive = 620.0
    sump_depth: Positive = 5.0
    inflow: NotNegative = 180.0
    low: NotNegative = 1.2
    """Pumping stops."""
    high: NotNegative = 3.0
    """Pumping starts, but in peak hours."""
    high_high: NotNegative = 3.8
    """Pumping starts at any hour, with a second pump."""
    start_level: NotNegative = 2.2
    shut_off_head: Positive = 500.0
    pump_drop: Positive = 0.00089
    static_head: NotNegative = 380.0
    main_drop: NotNegative = 0.00042
    efficiency: Annotated[float, Field(gt=0.1, le=0.95)] = 0.77
    motor_kw: Positive = 560.0
    motor_efficiency: Annotated[float, Field(gt=0.5, le=1)] = 0.945
    volts: Annotated[float, Field(ge=380, le=12000)] = 10000.0
    primed_mpa: Annotated[float, Field(ge=-0.09, le=-0.02)] = -0.06
    """Suction at which a pump is full of water and may start."""
    valve_s: Positive = 30.0
    repair_min: NotNegative = 90.0
    """From the end of a fault's cause until the pump is released again, min."""
    valley_first: bool = True
    """Pump in the valley of the tariff, keep still in its peaks."""
    trip_bearing: Annotated[float, Field(ge=40, le=120)] = 80.0
    trip_winding: Annotated[float, Field(ge=80, le=180)] = 130.0

    @model_validator(mode="after")
    def _levels_rise(self) -> DrainageDesign:
        levels = (self.low, self.start_level, self.high, self.high_high, self.sump_depth)
        if any(below >= above for below, above in pairwise(levels)):
            raise ValueError(
                "水位须满足 low < start_level < high < high_high < sump_depth · levels must rise in that order"
            )
        if self.static_head >= self.shut_off_head:
            raise ValueError("static_head: 水泵扬程不足 · the pumps cannot lift the water")
        if len(set(self.pumps)) < len(self.pumps) or not set(self.in_repair) <= set(self.pumps):
            raise ValueError("pumps, in_repair: 重复或没有此泵 · a pump is named twice or is none of them")
        return self
