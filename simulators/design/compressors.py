"""Compressed air: the section `compressors`.

compressors: {machines: [compressor_1, compressor_2, compressor_3], demand: 55}
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Id, Positive, Strict

Mpa = Annotated[float, Field(gt=0.1, le=1.6)]


class CompressorsDesign(Strict):
    """Screw compressors on common receivers (domain facts §5.8); air as free air, m³/min; 100 to 125 kWh/1000 m³."""

    machines: tuple[Id, ...] = Field(
        default=("compressor_1", "compressor_2", "compressor_3"), min_length=1, max_length=8
    )
    receiver_m3: Positive = 60.0
    """Of the receivers and the pipes together."""
    delivery: Positive = 43.0
    """Of one machine, m³/min."""
    motor_kw: Positive = 250.0
    """Taken when loaded, kW."""
    unloaded: Annotated[float, Field(ge=0.1, le=0.8)] = 0.32
    """Share of the power taken when unloaded."""
    demand: Positive = 55.0
    """Mean of all that the mine takes, m³/min."""
    load_at: Mpa = 0.70
    unload_at: Mpa = 0.85
    idle_min: Positive = 10.0
    """After so long unloaded it stops."""
    volts: Annotated[float, Field(ge=380, le=12000)] = 10000.0

    @model_validator(mode="after")
    def _loads_below(self) -> CompressorsDesign:
        if self.load_at >= self.unload_at:
            raise ValueError("load_at: 加载压力须低于卸载压力 unload_at · must be below unload_at")
        if len(set(self.machines)) < len(self.machines):
            raise ValueError("machines: 重复 · a machine is named twice")
        return self
