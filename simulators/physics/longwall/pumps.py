"""The emulsion pump station with its accumulator, and the spray pumps (domain facts §5.3)."""

from __future__ import annotations

from simulators.design.longwall import EmulsionDesign, SprayDesign
from simulators.physics.longwall.control import Control

STOPPED, STARTING, RUNNING, STOPPING, FAULT = 0, 1, 2, 3, 4
"""States of a pump, as in the templates."""
_ACCUMULATOR_L_PER_MPA = 16.0
_LEAK_L_PER_S = 0.5
EFFICIENCY = 0.85
MOTOR = 0.94
_UNLOADED = 0.1
"""Power of a pump that circulates, of its rated power."""


class Pump:
    """One pump's motor: 3 s from stopped to running, and from running to stopped."""

    __slots__ = ("_left", "state")

    def __init__(self) -> None:
        self.state = STOPPED
        self._left = 0.0

    def step(self, dt: float, want: bool) -> None:
        """Go on by `dt` s."""
        if self._left > 0.0:
            self._left -= dt
            if self._left <= 0.0:
                self.state = RUNNING if self.state == STARTING else STOPPED
        elif want != (self.state == RUNNING):
            self.state, self._left = (STARTING if want else STOPPING), 3.0


class EmulsionStation:
    """Pressure from what the pumps give and the supports take. `lost_mpa`: what a fault takes from the pressure."""

    def __init__(self, design: EmulsionDesign) -> None:
        self.design = design
        self.control = Control(design.id)
        self.pumps = (Pump(), Pump())
        """The third of the station is kept as a spare and stands still."""
        self.pressure = 0.0
        self.flow = 0.0
        """L/min into the line."""
        self.power_kw = 0.0
        self.tank = 85.0
        self.lost_mpa = 0.0
        self._loaded = True
        self._second = 0.0
        self._filling = False
        self.powers = [0.0, 0.0]

    def step(self, dt: float, want: bool, powered: bool, demand: float) -> None:
        """`demand`: L/s that the supports take."""
        own, pumps = self.design, self.pumps
        want = want and powered and not self.control.held
        # The second pump helps while the pressure does not come up, and stays for some minutes.
        top, low = own.unload_mpa - self.lost_mpa, own.load_mpa - self.lost_mpa
        self._second = 300.0 if want and self.pressure < low - 0.2 else max(self._second - dt, 0.0)
        pumps[0].step(dt, want)
        pumps[1].step(dt, want and self._second > 0.0)
        if self.pressure >= top:
            self._loaded = False
        elif self.pressure <= low:
            self._loaded = True
        giving = 0.0
        self.power_kw = 0.0
        for n in (0, 1):
            power = 0.0
            if pumps[n].state == RUNNING and powered:
                power = _UNLOADED * own.motor_kw
                if self._loaded:
                    giving += own.litres_per_min / 60.0
                    power += self.pressure * own.litres_per_min / 60.0 / EFFICIENCY
                power /= MOTOR
            self.powers[n] = power
            self.power_kw += power
        taken = (demand + _LEAK_L_PER_S) if self.pressure > 0.0 else 0.0
        self.pressure += (giving - taken) * dt / _ACCUMULATOR_L_PER_MPA
        self.pressure = min(max(self.pressure, 0.0), own.unload_mpa + 0.4 - self.lost_mpa)
        self.flow = giving * 60.0
        if self.tank < 76.0:
            self._filling = True
        elif self.tank > 88.0:
            self._filling = False
        # Most of what the supports take comes back through the return line.
        self.tank += (-0.06 * taken + (2.0 if self._filling and want else 0.0)) * dt / own.tank_l * 100.0
        self.tank = max(self.tank, 0.0)


class SprayStation:
    """Water for drums and transfer points: two pumps, one in work while the face is."""

    def __init__(self, design: SprayDesign) -> None:
        self.design = design
        self.control = Control(design.id)
        self.pumps = (Pump(), Pump())
        self.power_kw = 0.0
        self.flow = 0.0
        self.powers = [0.0, 0.0]

    @property
    def ready(self) -> bool:
        """There is water for the drums."""
        return self.pumps[0].state == RUNNING

    def step(self, dt: float, want: bool, powered: bool, drums: bool) -> None:
        """`drums`: the shearer's sprays are open."""
        own = self.design
        self.pumps[0].step(dt, want and powered and not self.control.held)
        running = self.pumps[0].state == RUNNING and powered
        self.flow = (0.75 if drums else 0.1) * own.litres_per_min if running else 0.0
        shaft = 0.12 * own.motor_kw + own.mpa * self.flow / 60.0 / EFFICIENCY
        self.power_kw = self.powers[0] = shaft / MOTOR if running else 0.0
