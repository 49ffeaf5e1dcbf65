"""Fixed chambers: the section `chambers`. A chamber that is an equipment of its own (a pump room) tells its own truth;
of the others `Chambers` tells it.

    chambers:
      pump_room_1: {equipment: true, heat_k: 6}
      substation_1: {}
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Celsius, Id, NotNegative, Positive, Strict, rising


class ChamberDesign(Strict):
    """Its climate, and who comes (domain facts §3.3: a patrol of at most 30 min, at most 2 a shift)."""

    equipment: bool = False
    air_c: Celsius = 21.0
    heat_k: NotNegative = 5.0
    """How much warmer it gets with `heat` 1."""
    humidity: Annotated[float, Field(ge=0, le=100)] = 78.0
    attendants: Annotated[int, Field(ge=1, le=20)] = 1
    """Who sits there while it is run by hand."""
    patrols: Annotated[int, Field(ge=0, le=2)] = 2
    """A shift."""
    patrol_min: tuple[Positive, Annotated[float, Field(gt=0, le=30)]] = (8.0, 25.0)

    @model_validator(mode="after")
    def _rises(self) -> ChamberDesign:
        rising(*self.patrol_min, "patrol_min")
        return self


class ChambersDesign(Strict):
    """By the crew's place."""

    chambers: dict[Id, ChamberDesign] = Field(default_factory=dict, max_length=30)
