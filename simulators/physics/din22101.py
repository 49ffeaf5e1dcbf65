"""The resistance of a belt conveyor by DIN 22101 / ISO 5048, steady state."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

GRAVITY = 9.81
_LENGTHS = (80.0, 100.0, 200.0, 300.0, 500.0, 700.0, 1000.0, 1500.0, 2000.0)
_FACTORS = (1.92, 1.78, 1.45, 1.31, 1.20, 1.14, 1.09, 1.06, 1.05)


@dataclass(frozen=True, slots=True)
class Conveyor:
    """`length`, `lift` in m (lift > 0: upwards); `moving_mass`: rollers and both runs of belt, kg/m;
    `friction`: the artificial coefficient f; `efficiency` of the drive."""

    length: float
    lift: float
    moving_mass: float
    friction: float = 0.025
    efficiency: float = 0.85


def length_factor(length: float) -> float:
    """C, for the secondary resistances that a short belt feels most."""
    return float(np.interp(length, _LENGTHS, _FACTORS))


def line_mass(flow: float, speed: float) -> float:
    """kg of coal on each metre, for a flow in t/h at a speed in m/s."""
    return flow / (3.6 * speed)


def resistance(conveyor: Conveyor, coal: float, lifted: float | None = None) -> float:
    """Force at the drive drum, N. `coal`: kg/m averaged over the length; `lifted`: the same for the
    lift, where the slope's load differs."""
    slope = math.asin(max(-1.0, min(1.0, conveyor.lift / conveyor.length)))
    main = conveyor.length * conveyor.friction * GRAVITY * (conveyor.moving_mass + coal) * math.cos(slope)
    lift = conveyor.lift * GRAVITY * (coal if lifted is None else lifted)
    return length_factor(conveyor.length) * main + lift


def power(conveyor: Conveyor, coal: float, speed: float) -> float:
    """Drive power, kW, at a speed in m/s; a belt that runs downhill may give some back (< 0)."""
    force = resistance(conveyor, coal)
    watts = force * speed
    return (watts / conveyor.efficiency if watts >= 0 else watts * conveyor.efficiency) / 1000.0
