"""The mine's network as equipment: the section `network`.

    network:
      switches: {switch_1: {}, switch_2: {}, switch_3: {}}
      stations: {base_1: {generation: 5}, base_2: {generation: 4}}

Power of stations after domain facts §7.2: 4G 40 to 100 W, 5G 150 to 300 W for each flameproof unit.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulators.design.strict import Celsius, Id, NotNegative, Positive, Share, Strict

WATTS = {4: (45.0, 85.0), 5: (185.0, 285.0)}
"""Generation → W without and with full load."""


class SwitchDesign(Strict):
    """`traffic`: mean on the ring, Mbit/s; `room_c`: of the air around it."""

    traffic: Positive = 260.0
    room_c: Celsius = 24.0


class BaseDesign(Strict):
    """`share`: of the people underground that are in its cell."""

    generation: Literal[4, 5] = 5
    share: Share = 0.2
    cameras: NotNegative = 4.0
    """Video over the air, 4 Mbit/s each."""
    room_c: Celsius = 22.0


class NetworkDesign(Strict):
    """The switches form one ring, in their order."""

    switches: dict[Id, SwitchDesign] = Field(default_factory=dict, max_length=60)
    stations: dict[Id, BaseDesign] = Field(default_factory=dict, max_length=100)
    battery_h: Annotated[float, Field(gt=0, le=72)] = 4.0
    """A full battery lasts so long."""
