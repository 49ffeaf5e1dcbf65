"""The eight protections of a belt conveyor and its spray interlock, with the events that cause them.

Criteria: slip at 50 to 70 % of speed for 10 s, at once at ≤ 50 % or ≥ 110 %; pile-up for 2 s;
deviation over 20 mm alarms and stops after 10 s; smoke of 5 %obs/m for 2 s; drum at 60 °C;
tear; pull cord (latched until reset on the spot); tension out of band.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulators.physics.parts import Held, Occurrence, Wander

NAMES = ("slip", "pile_up", "deviation", "smoke", "temperature", "tear", "pull_cord", "tension")
"""In the order of their bits."""

UPSETS = ("slip", "deviation", "smoke", "tear", "pull_cord", "tension")
"""What can be made to happen."""
PILE_KG = 600.0
RESET_S = 90.0


@dataclass(slots=True)
class Protections:
    """`active` names what is alarming now; `trip` holds from a stop until the crew has reset it."""

    rng: np.random.Generator
    active: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(NAMES, False))
    trip: bool = False
    tripped_by: str = ""
    spray: bool = False
    edge_mm: float = 0.0
    smoke: float = 0.0
    cord_number: int = 0
    slip_disturbance: float = 0.0
    tension_lost: float = 0.0
    _reset_in: float = 0.0
    _events: dict[str, Occurrence] = field(init=False)
    _edge: Wander = field(init=False)
    _slow: Held = field(default_factory=lambda: Held(10.0))
    _piled: Held = field(default_factory=lambda: Held(2.0))
    _off_centre: Held = field(default_factory=lambda: Held(10.0))
    _smoky: Held = field(default_factory=lambda: Held(2.0))
    _loose: Held = field(default_factory=lambda: Held(5.0))

    def __post_init__(self) -> None:
        hour = 3600.0
        self._events = {
            "deviation": Occurrence(0.4 * hour, 3, 10.5, self.rng),
            "slip": Occurrence(30 * hour, 5, 20, self.rng),
            "smoke": Occurrence(60 * hour, 3, 15, self.rng),
            "tear": Occurrence(200 * hour, 2, 4, self.rng),
            "pull_cord": Occurrence(6 * hour, 2, 4, self.rng),
            "tension": Occurrence(20 * hour, 10, 30, self.rng),
        }
        self._edge = Wander(4.0, 15.0, self.rng)

    def step(
        self, dt: float, *, steady: bool, speed_ratio: float, chute_kg: float, drum_c: float, tension_ratio: float
    ) -> None:
        """`steady`: running, neither starting nor stopping; ratios to the rated values."""
        on = {name: occurrence.step(dt) and steady for name, occurrence in self._events.items()}
        self.slip_disturbance = 0.4 if on["slip"] else 0.0
        self.tension_lost = 22.0 if on["tension"] else 0.0
        self.edge_mm = abs(self._edge.step(dt)) + (24.0 if on["deviation"] else 0.0) if steady else 0.0
        self.smoke = 7.0 if on["smoke"] else 0.1
        if on["pull_cord"] and not self.active["pull_cord"]:
            self.cord_number = int(self.rng.integers(1, 128))
        off_centre = self.edge_mm > 20.0
        stops = {
            "slip": steady and (self._slow.step(speed_ratio <= 0.7, dt) or speed_ratio <= 0.5 or speed_ratio >= 1.1),
            "pile_up": self._piled.step(chute_kg > PILE_KG, dt),
            "deviation": self._off_centre.step(off_centre, dt),
            "smoke": self._smoky.step(self.smoke >= 5.0, dt),
            "tear": on["tear"],
            "pull_cord": on["pull_cord"],
            "tension": self._loose.step(steady and not 0.5 <= tension_ratio <= 1.6, dt),
        }
        if not self.trip:
            self.active = dict.fromkeys(NAMES, False) | stops
            self.active["deviation"] = off_centre
        self.active["temperature"] = drum_c >= 60.0
        self.spray = self.active["temperature"] or self.active["smoke"]
        by = next((name for name in NAMES if stops.get(name)), "")
        if by and not self.trip:
            self.trip, self.tripped_by, self._reset_in = True, by, RESET_S
        elif self.trip:
            self._reset_in -= dt
            if self._reset_in <= 0:
                self.reset()

    def upset(self, name: str, seconds: float) -> None:
        """One of UPSETS happens now, for so long or until the crew has reset the trip that it causes."""
        self._events[name].left_s = seconds

    def reset(self) -> None:
        """The crew on the spot has cleared the cause and reset the latches."""
        self.trip, self.tripped_by, self.cord_number = False, "", 0
        self.active = dict.fromkeys(NAMES, False)
        for held in (self._slow, self._piled, self._off_centre, self._smoky, self._loose):
            held.for_s = 0.0
        for occurrence in self._events.values():
            occurrence.left_s = 0.0

    def bits(self) -> int:
        """The active ones as bits, slip lowest."""
        return sum(1 << number for number, name in enumerate(NAMES) if self.active[name])
